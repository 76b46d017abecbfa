{{/* The chart's name, for the label app.kubernetes.io/name. */}}
{{- define "ftp-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Names and values of users are quoted wherever they are put in: a release may be called y, 123 or null. */}}

{{/* The name of the objects; short enough for what is appended. */}}
{{- define "ftp-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "ftp-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ftp-operator.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: manager
{{- end }}

{{/* A map as in a=b,c=d. */}}
{{- define "ftp-operator.join" -}}
{{- $pairs := list }}
{{- range $key, $value := . }}
{{- $pairs = append $pairs (printf "%s=%s" $key $value) }}
{{- end }}
{{- join "," $pairs }}
{{- end }}

{{- define "ftp-operator.labels" -}}
{{- with .Values.commonLabels }}
{{- toYaml . }}
{{ end -}}
{{ include "ftp-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end }}

{{/* metadata of an object: (list $ "suffix of the name" {annotations} {labels}). */}}
{{- define "ftp-operator.metadata" -}}
{{- $root := index . 0 -}}
name: {{ printf "%s%s" (include "ftp-operator.fullname" $root) (index . 1) | quote }}
labels:
  {{- include "ftp-operator.labels" $root | nindent 2 }}
  {{- with index . 3 }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (index . 2) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "ftp-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "ftp-operator.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ required "serviceAccount.name is required when serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "ftp-operator.subject" -}}
- kind: ServiceAccount
  name: {{ include "ftp-operator.serviceAccountName" . | quote }}
  namespace: {{ .Release.Namespace | quote }}
{{- end }}

{{- define "ftp-operator.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{/* "true" if metrics are served over HTTPS with a check of who asks, which needs cluster-wide rights. */}}
{{- define "ftp-operator.secureMetrics" -}}
{{- if and .Values.metrics.secure (not .Values.watchNamespaces) -}}true{{- end }}
{{- end }}

{{/* The manager's rules for one namespace: without those about things that lie in no namespace. */}}
{{- define "ftp-operator.namespacedRules" -}}
{{- $clusterScoped := list "nodes" "storageclasses" "tokenreviews" "subjectaccessreviews" -}}
{{- range .Files.Get "generated/manager-rules.yaml" | fromYamlArray }}
{{- $resources := list }}
{{- range .resources }}
{{- if not (has . $clusterScoped) }}
{{- $resources = append $resources . }}
{{- end }}
{{- end }}
{{- if $resources }}
{{ list (merge (dict "resources" $resources) .) | toYaml }}
{{- end }}
{{- end }}
{{- end }}
