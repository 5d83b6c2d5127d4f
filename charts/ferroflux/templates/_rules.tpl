{{/* What each controller may do with the kinds of this project. */}}

{{- define "ferroflux.rules.source" -}}
{{ include "ferroflux.ownRules" (list "source") }}
{{- end }}

{{- define "ferroflux.rules.kustomize" -}}
{{ include "ferroflux.ownRules" (list "kustomize") }}
{{ include "ferroflux.sourceReader" (list) }}
- apiGroups: [""]
  resources: [users, groups, serviceaccounts]
  verbs: [impersonate]
{{- end }}

{{- define "ferroflux.rules.helm" -}}
{{ include "ferroflux.ownRules" (list "helm") }}
{{ include "ferroflux.sourceReader" (list "helmcharts") }}
- apiGroups: [""]
  resources: [users, groups, serviceaccounts]
  verbs: [impersonate]
{{- end }}

{{/* The kinds of a group, their status and their finalizers. */}}
{{- define "ferroflux.ownRules" -}}
- apiGroups: [{{ first . }}.toolkit.fluxcd.io]
  resources: ["*"]
  verbs: [get, list, watch, create, update, patch, delete]
{{- end }}

{{/* Reads every source, and writes the kinds that are named. */}}
{{- define "ferroflux.sourceReader" -}}
- apiGroups: [source.toolkit.fluxcd.io]
  resources: ["*"]
  verbs: [get, list, watch]
{{- with . }}
- apiGroups: [source.toolkit.fluxcd.io]
  resources: {{ toJson . }}
  verbs: [create, update, patch, delete]
{{- end }}
{{- end }}
