{{/* Names and labels. Called with the root, or with (list root name …). */}}
{{- define "orkestra.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "orkestra.name" -}}
{{- printf "%s-%s" (include "orkestra.fullname" (index . 0)) (index . 1) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "orkestra.selector" -}}
app.kubernetes.io/name: orkestra
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "orkestra.labels" -}}
{{ include "orkestra.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/part-of: orkestra
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end }}

{{- define "orkestra.image" -}}
{{- $root := index . 0 }}
{{- $image := $root.Values.global.image }}
{{- $tag := default $root.Chart.AppVersion $image.tag }}
{{- $path := printf "%s/%s" $image.repository (index . 1) }}
{{- if $image.registry }}{{ $path = printf "%s/%s" $image.registry $path }}{{ end }}
{{- $path }}{{ ternary "@" ":" (hasPrefix "sha256:" $tag) }}{{ $tag }}
{{- end }}

{{/* The Secrets that are used: the operator's, or the one that the evaluation profile makes. */}}
{{- define "orkestra.secret" -}}
{{- $root := index . 0 }}
{{- if $root.Values.evaluation.enabled }}
{{- default (include "orkestra.name" (list $root "evaluation")) $root.Values.evaluation.existingSecret }}
{{- else }}
{{- index . 1 }}
{{- end }}
{{- end }}

{{- define "orkestra.pullSecrets" -}}
{{- with .Values.global.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Refuses values with which nothing would work, each with what to do. */}}
{{- define "orkestra.refusals" -}}
{{- $faults := list }}
{{- if not .Values.evaluation.enabled }}
{{- $how := "see docs/guides/deployment.md, or set evaluation.enabled=true to try Orkestra out" }}
{{- range $path, $value := dict "secrets.existingSecret" .Values.secrets.existingSecret "postgresql.host" .Values.postgresql.host "postgresql.existingSecret" .Values.postgresql.existingSecret "postgresql.admin.existingSecret" .Values.postgresql.admin.existingSecret "nats.url" .Values.nats.url "temporal.address" .Values.temporal.address }}
{{- if not $value }}
{{- $faults = append $faults (printf "%s is needed: %s." $path $how) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (or .Values.ingress.enabled .Values.gateway.enabled) (not (or .Values.hosts.api .Values.hosts.mcp .Values.hosts.dashboard)) }}
{{- $faults = append $faults "ingress and gateway lead to the doors in hosts: set hosts.api, hosts.mcp or hosts.dashboard." }}
{{- end }}
{{- if and .Values.gateway.enabled (not .Values.gateway.parentRefs) }}
{{- $faults = append $faults "gateway.parentRefs is needed: it names the Gateway that the routes belong to." }}
{{- end }}
{{- if and .Values.nats.existingSecret (not .Values.nats.creds) (not .Values.nats.user) }}
{{- $faults = append $faults "nats.user is needed with a password in nats.existingSecret; set nats.creds=true where it holds a .creds file." }}
{{- end }}
{{- if and .Values.evaluation.enabled .Values.grpc.tls.existingSecret }}
{{- $faults = append $faults "the evaluation profile speaks plain rpcs: leave grpc.tls.existingSecret empty." }}
{{- end }}
{{- if and .Values.langfuse.baseUrl (not (and .Values.langfuse.publicKey .Values.langfuse.existingSecret)) }}
{{- $faults = append $faults "langfuse.publicKey and langfuse.existingSecret are needed with langfuse.baseUrl." }}
{{- end }}
{{- if not (or .Values.signIn.password .Values.signIn.providersSecret) }}
{{- $faults = append $faults "signIn.providersSecret is needed with signIn.password=false: nobody could sign in." }}
{{- end }}
{{- if .Values.oauth.issuers }}
{{- if not .Values.signIn.providersSecret }}
{{- $faults = append $faults "signIn.providersSecret is needed with oauth.issuers: identity-service checks their tokens as the providers in it say." }}
{{- end }}
{{- if not (or .Values.hosts.mcp .Values.oauth.resource) }}
{{- $faults = append $faults "hosts.mcp, or oauth.resource, is needed with oauth.issuers: it is what their tokens are meant for." }}
{{- end }}
{{- end }}
{{- $payloads := .Values.temporal.payloads }}
{{- if and $payloads.keyId (not $payloads.existingSecret) }}
{{- $faults = append $faults "temporal.payloads.existingSecret is needed with temporal.payloads.keyId: it holds the keys." }}
{{- end }}
{{- if and .Values.hosts.codec (not (and $payloads.existingSecret $payloads.pages)) }}
{{- $faults = append $faults "temporal.payloads.existingSecret and temporal.payloads.pages are needed with hosts.codec: the keys, and who may call." }}
{{- end }}
{{- $names := list }}
{{- range .Values.workers }}
{{- if or (has .name $names) (hasKey $.Values.services .name) (eq .name "worker") }}
{{- $faults = append $faults (printf "workers: the name %s is taken; give this worker another one." .name) }}
{{- end }}
{{- $names = append $names .name }}
{{- end }}
{{- range $worker := prepend .Values.workers (merge (dict "name" "worker") .Values.worker) }}
{{- if eq (toString $worker.versioning) "pinned" }}
{{- if $.Values.evaluation.enabled }}
{{- $faults = append $faults (printf "%s: the evaluation profile pins no builds: leave versioning as it is." $worker.name) }}
{{- end }}
{{- if $worker.keda }}
{{- $faults = append $faults (printf "%s: keda does not know the backlog of one build: give replicas with versioning=pinned." $worker.name) }}
{{- end }}
{{- if and (not $worker.build) (or (ne $worker.name "worker") (contains ":" (toString $.Values.global.image.tag))) }}
{{- $faults = append $faults (printf "%s: versioning=pinned needs build, what this build of the code is called." $worker.name) }}
{{- end }}
{{- else if $worker.earlier }}
{{- $faults = append $faults (printf "%s: earlier builds are kept with versioning=pinned alone." $worker.name) }}
{{- end }}
{{- end }}
{{- if $faults }}
{{- fail (printf "\n\n  %s\n" (join "\n  " $faults)) }}
{{- end }}
{{- end }}

{{/* Part of a plain Job's name: Jobs cannot be changed, so another content needs another name. */}}
{{- define "orkestra.revision" -}}
{{- $values := .Values }}
{{- sha256sum (toJson (list .Chart.Version .Chart.AppVersion $values.global $values.postgresql $values.migrations $values.evaluation)) | trunc 8 }}
{{- end }}

{{/* Whether migrations are hooks; with servers of its own in the release they cannot run before it. */}}
{{- define "orkestra.hooks" -}}
{{- if and .Values.migrations.hooks (not .Values.evaluation.enabled) }}true{{ end }}
{{- end }}
