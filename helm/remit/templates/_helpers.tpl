{{- define "remit.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* Room is left for the longest suffix of a name, in the 63 characters that a label may have. */}}
{{- define "remit.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "remit.name" . }}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What a selector goes by: it must never change. */}}
{{- define "remit.selector" -}}
app.kubernetes.io/name: {{ include "remit.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "remit.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "remit.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "remit.image" -}}
{{- if .Values.image.digest }}{{ printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}{{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- define "remit.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "remit.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{/* The restricted profile of the pod security standards. */}}
{{- define "remit.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "remit.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What has to be said before anything is rendered. */}}
{{- define "remit.check" -}}
{{- $transport := .Values.config.transport | default "" }}
{{- if not (has $transport (list "tls" "mesh" "insecure")) }}
{{- fail "\n\nconfig.transport is not settled. The service is reached from other machines: say\n  config: { transport: tls }, with tls.secretName\n  config: { transport: mesh }, with config.meshIdentity, where a proxy beside it says who asks\n  config: { transport: insecure }, where something else protects its connections\nsee docs/kubernetes.md" }}
{{- end }}
{{- if and (eq $transport "tls") (not .Values.tls.secretName) }}
{{- fail "\n\ntls.secretName is missing: the name of a Secret of this namespace with tls.crt and tls.key; see docs/kubernetes.md" }}
{{- end }}
{{- if and (ne $transport "tls") (or .Values.tls.secretName .Values.tls.trustKey .Values.tls.trustConfigMap.name) }}
{{- fail "\n\ntls.* is used with config.transport=tls alone" }}
{{- end }}
{{- if and .Values.tls.trustKey .Values.tls.trustConfigMap.name }}
{{- fail "\n\ntls.trustKey and tls.trustConfigMap.name both say who vouches for clients: give one of the two" }}
{{- end }}
{{- if and (eq $transport "mesh") (not .Values.config.meshIdentity) }}
{{- fail "\n\nconfig.meshIdentity is missing: the SPIFFE id of this service in its mesh, such as\n  spiffe://cluster.local/ns/agents/sa/remit\nsee docs/kubernetes.md" }}
{{- end }}
{{- range $key := list "databaseUrl" "keyEncryptionKey" }}
{{- if not (get $.Values.secrets $key).name }}
{{- fail (printf "\n\nsecrets.%s.name is missing: the name of a Secret of this namespace that holds REMIT_%s.\nThe chart takes no secret as a value; see docs/kubernetes.md" $key ($key | snakecase | upper)) }}
{{- end }}
{{- end }}
{{- if and .Values.migration.enabled (not .Values.migration.secret.name) }}
{{- fail "\n\nmigration.secret.name is missing: the name of a Secret that holds REMIT_MIGRATION_URL, the database as the role that\nowns its tables. With migration.enabled=false you run `remit migrate` yourself; see docs/kubernetes.md" }}
{{- end }}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) }}
{{- fail "\n\nautoscaling.minReplicas is above autoscaling.maxReplicas" }}
{{- end }}
{{- end }}
