{{/* Names and labels. The names of the controllers are Flux's: tools look for them. */}}

{{- define "ferroflux.labels" -}}
app.kubernetes.io/name: {{ .name }}
{{ include "ferroflux.releaseLabels" .root }}
{{- end }}

{{- define "ferroflux.releaseLabels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: flux
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{/* What all pods of this release have, and no others. */}}
{{- define "ferroflux.selected" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: flux
{{- end }}

{{/* The values of a controller over the defaults of all. */}}
{{- define "ferroflux.settings" -}}
{{ mergeOverwrite (deepCopy .root.Values.defaults) .controller | toYaml }}
{{- end }}

{{- define "ferroflux.image" -}}
{{- $image := .root.Values.image -}}
{{- $own := .controller.image | default dict -}}
{{- $repository := $own.repository | default (printf "%s/%s" $image.registry .name) -}}
{{- if $own.digest -}}
{{ $repository }}@{{ $own.digest }}
{{- else -}}
{{ $repository }}:{{ $own.tag | default $image.tag | default .root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* Where the controllers post events. */}}
{{- define "ferroflux.eventsAddress" -}}
{{- if .Values.eventsAddress -}}
{{ .Values.eventsAddress }}
{{- else if .Values.controllers.notification.enabled -}}
http://notification-controller.{{ .Release.Namespace }}.svc.cluster.local./
{{- end }}
{{- end }}
