{{/* What each controller may do itself. What it applies, it applies as somebody. */}}

{{- define "ferroflux.rules.source" -}}
{{ include "ferroflux.ownRules" (list "source") }}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
{{- end }}

{{- define "ferroflux.rules.kustomize" -}}
{{ include "ferroflux.ownRules" (list "kustomize") }}
{{ include "ferroflux.sourceReader" (list) }}
{{ include "ferroflux.tenantRules" . }}
{{- end }}

{{- define "ferroflux.rules.helm" -}}
{{ include "ferroflux.ownRules" (list "helm") }}
{{ include "ferroflux.sourceReader" (list "helmcharts") }}
{{ include "ferroflux.tenantRules" . }}
{{- end }}

{{/* Inputs of builds and releases, and acting as the service accounts that objects name: here by
     impersonation, on other clusters with their tokens. */}}
{{- define "ferroflux.tenantRules" -}}
- apiGroups: [""]
  resources: [configmaps, secrets, serviceaccounts]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [impersonate]
- apiGroups: [""]
  resources: [serviceaccounts/token]
  verbs: [create]
{{- end }}

{{/* Webhooks ask for reconciliations by an annotation; alerts look at labels. */}}
{{- define "ferroflux.rules.notification" -}}
{{ include "ferroflux.ownRules" (list "notification") }}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
{{- /* Only where Providers may name service accounts, whose tokens clouds exchange for theirs. */}}
{{- $settings := include "ferroflux.settings" . | fromYaml }}
{{- if contains "ObjectLevelWorkloadIdentity=true" (join " " $settings.args) }}
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get]
- apiGroups: [""]
  resources: [serviceaccounts/token]
  verbs: [create]
{{- end }}
- apiGroups:
    - source.toolkit.fluxcd.io
    - source.extensions.fluxcd.io
    - kustomize.toolkit.fluxcd.io
    - helm.toolkit.fluxcd.io
    - image.toolkit.fluxcd.io
  resources: ["*"]
  verbs: [get, list, patch]
{{- end }}

{{/* The kinds of a group, their status and their finalizers. Nobody makes or deletes them here. */}}
{{- define "ferroflux.ownRules" -}}
- apiGroups: [{{ first . }}.toolkit.fluxcd.io]
  resources: ["*"]
  verbs: [get, list, watch, patch]
{{- end }}

{{/* Reads every source, and writes the kinds that are named. */}}
{{- define "ferroflux.sourceReader" -}}
- apiGroups: [source.toolkit.fluxcd.io]
  resources: ["*"]
  verbs: [get, list, watch]
{{- with . }}
- apiGroups: [source.toolkit.fluxcd.io]
  resources: {{ toJson . }}
  verbs: [create, patch, delete]
{{- end }}
{{- end }}
