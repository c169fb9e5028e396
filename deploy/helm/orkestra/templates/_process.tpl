{{/* What the processes are told, and the files that they read it from. */}}

{{- define "orkestra.databaseUrl" -}}
{{- $root := index . 0 }}
{{- $postgresql := $root.Values.postgresql }}
{{- $query := printf "sslmode=%s" $postgresql.tls.mode }}
{{- $place := printf "%s:%v" $postgresql.host $postgresql.port }}
{{- if $root.Values.evaluation.enabled }}
{{- $query = "sslmode=disable" }}
{{- $place = printf "%s:5432" (include "orkestra.name" (list $root "postgresql")) }}
{{- else if ne $postgresql.tls.mode "disable" }}
{{- $query = printf "%s&sslrootcert=%s" $query (ternary "/run/tls/postgresql/ca.crt" "/etc/ssl/certs/ca-certificates.crt" (ne $postgresql.tls.existingSecret "")) }}
{{- if $postgresql.tls.clientCertificate }}
{{- $query = printf "%s&sslcert=/run/tls/postgresql/tls.crt&sslkey=/run/tls/postgresql/tls.key" $query }}
{{- end }}
{{- end }}
{{- printf "postgresql://%s@%s/%s?%s" (index . 1) $place $postgresql.database $query }}
{{- end }}

{{- define "orkestra.natsUrl" -}}
{{- ternary (printf "nats://%s:4222" (include "orkestra.name" (list . "nats"))) .Values.nats.url .Values.evaluation.enabled }}
{{- end }}

{{- define "orkestra.temporalAddress" -}}
{{- ternary (printf "%s:7233" (include "orkestra.name" (list . "temporal"))) .Values.temporal.address .Values.evaluation.enabled }}
{{- end }}

{{- define "orkestra.env.database" -}}
{{- $root := index . 0 }}
{{- $one := index . 1 }}
ORKESTRA_DATABASE_URL: {{ include "orkestra.databaseUrl" (list $root (printf "%s_app" $one.schema)) }}
ORKESTRA_DATABASE_PASSWORD_FILE: /run/secrets/orkestra/database-password
{{- if not $one.door }}
ORKESTRA_RELAY_DATABASE_URL: {{ include "orkestra.databaseUrl" (list $root (printf "%s_relay" $one.schema)) }}
ORKESTRA_SWEEP_DATABASE_URL: {{ include "orkestra.databaseUrl" (list $root (printf "%s_sweep" $one.schema)) }}
{{- end }}
{{- range $one.extraRoles }}
ORKESTRA_{{ upper . }}_DATABASE_URL: {{ include "orkestra.databaseUrl" (list $root (printf "%s_%s" $one.schema .)) }}
{{- end }}
{{- end }}

{{- define "orkestra.env.nats" -}}
{{- $nats := .Values.nats }}
ORKESTRA_NATS_URL: {{ include "orkestra.natsUrl" . }}
ORKESTRA_NATS_REPLICAS: {{ ternary 1 $nats.replicas .Values.evaluation.enabled }}
{{- if .Values.evaluation.enabled }}
ORKESTRA_NATS_USER: orkestra
ORKESTRA_NATS_PASSWORD_FILE: /run/secrets/orkestra/nats
{{- else if $nats.existingSecret }}
{{- with $nats.user }}
ORKESTRA_NATS_USER: {{ . }}
{{- end }}
ORKESTRA_NATS_{{ ternary "CREDS" "PASSWORD" $nats.creds }}_FILE: /run/secrets/orkestra/nats
{{- end }}
{{- include "orkestra.env.tls" (list "NATS" "nats" (ternary dict $nats.tls .Values.evaluation.enabled)) }}
{{- end }}

{{- define "orkestra.env.temporal" -}}
{{- $temporal := .Values.temporal }}
ORKESTRA_TEMPORAL_ADDRESS: {{ include "orkestra.temporalAddress" . }}
ORKESTRA_TEMPORAL_NAMESPACE: {{ ternary "default" $temporal.namespace .Values.evaluation.enabled }}
{{- if not .Values.evaluation.enabled }}
{{- if $temporal.tls.enabled }}
ORKESTRA_TEMPORAL_TLS: "true"
{{- end }}
{{- with $temporal.tls.serverName }}
ORKESTRA_TEMPORAL_SERVER_NAME: {{ . }}
{{- end }}
{{- if $temporal.apiKeySecret }}
ORKESTRA_TEMPORAL_API_KEY_FILE: /run/secrets/orkestra/temporal-api-key
{{- end }}
{{- include "orkestra.env.tls" (list "TEMPORAL" "temporal" $temporal.tls) }}
{{- end }}
{{- if $temporal.payloads.existingSecret }}
ORKESTRA_PAYLOAD_KEYS_FILE: /run/secrets/orkestra/payload-keys
{{- with $temporal.payloads.keyId }}
ORKESTRA_PAYLOAD_KEY_ID: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "orkestra.env.codec" -}}
{{- $root := index . 0 }}
ORKESTRA_CODEC_PORT: {{ (index . 1).port }}
{{- with $root.Values.temporal.payloads.pages }}
ORKESTRA_CODEC_ORIGIN: {{ . }}
{{- end }}
{{- with $root.Values.trustedProxies }}
ORKESTRA_TRUSTED_PROXIES: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "orkestra.env.tls" -}}
{{- $tls := index . 2 }}
{{- if $tls.existingSecret }}
ORKESTRA_{{ index . 0 }}_CA_FILE: /run/tls/{{ index . 1 }}/ca.crt
{{- if $tls.clientCertificate }}
ORKESTRA_{{ index . 0 }}_CERT_FILE: /run/tls/{{ index . 1 }}/tls.crt
ORKESTRA_{{ index . 0 }}_KEY_FILE: /run/tls/{{ index . 1 }}/tls.key
{{- end }}
{{- end }}
{{- end }}

{{- define "orkestra.env.door" -}}
{{- $root := index . 0 }}
{{- $one := index . 1 }}
{{- $host := index $root.Values.hosts $one.door }}
{{- with $root.Values.trustedProxies }}
ORKESTRA_TRUSTED_PROXIES: {{ . | quote }}
{{- end }}
{{- if and $host (eq $one.door "dashboard") }}
ORKESTRA_PUBLIC_URL: https://{{ $host }}
{{- end }}
{{- if eq $one.door "mcp" }}
{{- $service := include "orkestra.name" (list $root "mcp-gateway") }}
{{- $inside := printf "%s:*,%s.%s:*,%s.%s.svc:*,127.0.0.1:*,localhost:*" $service $service $root.Release.Namespace $service $root.Release.Namespace }}
{{- if $host }}
ORKESTRA_PUBLIC_URL: https://{{ $host }}/mcp
ORKESTRA_ALLOWED_HOSTS: {{ printf "%s,%s" $host $inside | quote }}
ORKESTRA_ALLOWED_ORIGINS: https://{{ $host }}
{{- else }}
ORKESTRA_ALLOWED_HOSTS: {{ $inside | quote }}
{{- end }}
{{- with $root.Values.oauth }}
{{- if .issuers }}
ORKESTRA_OAUTH_ISSUERS: {{ join "," .issuers | quote }}
ORKESTRA_OAUTH_SCOPE: {{ .scope | quote }}
{{- with .resource }}
ORKESTRA_OAUTH_RESOURCE: {{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "orkestra.env.langfuse" -}}
{{- with .Values.langfuse }}
ORKESTRA_LANGFUSE_BASE_URL: {{ .baseUrl }}
ORKESTRA_LANGFUSE_PUBLIC_KEY: {{ .publicKey }}
ORKESTRA_LANGFUSE_SECRET_KEY_FILE: /run/secrets/orkestra/langfuse-secret-key
ORKESTRA_LANGFUSE_CONTENT: {{ .content }}
{{- with .environment }}
ORKESTRA_LANGFUSE_ENVIRONMENT: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "orkestra.env.notifications" -}}
{{- with .Values.hosts.dashboard }}
ORKESTRA_DASHBOARD_URL: https://{{ . }}
{{- end }}
{{- with .Values.notifications }}
{{- if .existingSecret }}
ORKESTRA_NOTIFICATION_KEY_FILE: /run/secrets/orkestra/notification-key
{{- end }}
{{- with .mail }}
{{- if .address }}
{{- if not (and .from $.Values.hosts.dashboard) }}{{ fail "notifications.mail.address needs notifications.mail.from, the address that mail comes from, and hosts.dashboard, where its links lead." }}{{ end }}
ORKESTRA_SMTP_ADDRESS: {{ .address }}
ORKESTRA_SMTP_SECURITY: {{ .security }}
ORKESTRA_MAIL_FROM: {{ .from }}
{{- if .username }}
{{- if not .existingSecret }}{{ fail "notifications.mail.username needs notifications.mail.existingSecret, a Secret with the key smtp-password." }}{{ end }}
ORKESTRA_SMTP_USERNAME: {{ .username }}
ORKESTRA_SMTP_PASSWORD_FILE: /run/secrets/orkestra/smtp-password
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "orkestra.env.attachments" -}}
{{- with .Values.attachments }}
ORKESTRA_ATTACHMENTS_MAX_SIZE: {{ .maxSize | int64 | quote }}
ORKESTRA_ATTACHMENTS_MAX_COUNT: {{ .maxCount | int64 | quote }}
{{- with .types }}
ORKESTRA_ATTACHMENTS_TYPES: {{ join "," . | quote }}
{{- end }}
{{- if .bucket }}
ORKESTRA_ATTACHMENTS_BUCKET: {{ .bucket }}
ORKESTRA_ATTACHMENTS_REGION: {{ .region }}
{{- with .endpoint }}
ORKESTRA_ATTACHMENTS_ENDPOINT: {{ . }}
{{- end }}
{{- with .prefix }}
ORKESTRA_ATTACHMENTS_PREFIX: {{ . }}
{{- end }}
{{- if .existingSecret }}
ORKESTRA_ATTACHMENTS_ACCESS_KEY_FILE: /run/secrets/orkestra/s3-access-key
ORKESTRA_ATTACHMENTS_SECRET_KEY_FILE: /run/secrets/orkestra/s3-secret-key
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "orkestra.env.signIn" -}}
{{- if not .Values.signIn.password }}
ORKESTRA_PASSWORD_SIGN_IN: "false"
{{- end }}
{{- if .Values.signIn.providersSecret }}
ORKESTRA_OIDC_PROVIDERS_FILE: /run/secrets/orkestra/oidc-providers
{{- if .Values.signIn.caSecret }}
ORKESTRA_OIDC_CA_FILE: /run/tls/providers/ca.crt
{{- end }}
{{- end }}
{{- end }}

{{/* The environment of one process as a dictionary: its own values win. */}}
{{- define "orkestra.env" -}}
{{- $root := index . 0 }}
{{- $one := index . 1 }}
{{- $config := $root.Values.config }}
{{- $env := dict "ORKESTRA_HOST" "0.0.0.0" "ORKESTRA_HEALTH_PORT" $one.health "ORKESTRA_LOG_LEVEL" $config.logLevel }}
{{- $_ := set $env "ORKESTRA_DRAIN_SECONDS" $config.drainSeconds }}
{{- $_ := set $env "ORKESTRA_DRAIN_PAUSE_SECONDS" $config.drainPauseSeconds }}
{{- with $config.otlpEndpoint }}{{ $_ := set $env "ORKESTRA_OTLP_ENDPOINT" . }}{{ end }}
{{- with $one.port }}{{ $_ := set $env (printf "ORKESTRA_%s_PORT" (upper .name)) .number }}{{ end }}
{{- range $called, $service := $one.addresses }}
{{- $number := (index (include "orkestra.catalog" $root | fromYaml) $service).port.number }}
{{- $_ := set $env (printf "ORKESTRA_%s_ADDRESS" $called) (printf "%s:%v" (include "orkestra.name" (list $root $service)) $number) }}
{{- end }}
{{- range $one.keys }}
{{- $_ := set $env (printf "ORKESTRA_%s_FILE" (. | upper | replace "-" "_")) (printf "/run/secrets/orkestra/%s" .) }}
{{- end }}
{{- if $one.schema }}{{ $env = merge $env (include "orkestra.env.database" (list $root $one) | fromYaml) }}{{ end }}
{{- if $one.events }}{{ $env = merge $env (include "orkestra.env.nats" $root | fromYaml) }}{{ end }}
{{- if $one.temporal }}{{ $env = merge $env (include "orkestra.env.temporal" $root | fromYaml) }}{{ end }}
{{- with include "orkestra.entrance" (list $root $one) | fromYaml }}{{ if not $one.door }}{{ $env = merge $env (include "orkestra.env.codec" (list $root .) | fromYaml) }}{{ end }}{{ end }}
{{- if $one.door }}{{ $env = merge $env (include "orkestra.env.door" (list $root $one) | fromYaml) }}{{ end }}
{{- if eq $one.module "orkestra.identity_service" }}{{ $env = merge $env (include "orkestra.env.signIn" $root | fromYaml) }}{{ end }}
{{- if $one.files }}{{ $env = merge $env (include "orkestra.env.attachments" $root | fromYaml) }}{{ end }}
{{- if $one.tells }}{{ $env = merge $env (include "orkestra.env.notifications" $root | fromYaml) }}{{ end }}
{{- if and $one.langfuse $root.Values.langfuse.baseUrl }}{{ $env = merge $env (include "orkestra.env.langfuse" $root | fromYaml) }}{{ end }}
{{- if $root.Values.grpc.tls.existingSecret }}
{{- range tuple (list "CA" "ca.crt") (list "CERT" "tls.crt") (list "KEY" "tls.key") }}
{{- $_ := set $env (printf "ORKESTRA_GRPC_%s_FILE" (index . 0)) (printf "/run/tls/grpc/%s" (index . 1)) }}
{{- end }}
{{- end }}
{{- range $name, $value := mergeOverwrite $env (default dict $one.env) $one.settings.env }}
{{- $text := toString $value }}
{{- if kindIs "float64" $value }}{{ if eq (floor $value) $value }}{{ $text = int64 $value | toString }}{{ end }}{{ end }}
- name: {{ $name }}
  value: {{ $text | quote }}
{{- end }}
{{- end }}

{{/* The Secrets of one process as (name, key, file). */}}
{{- define "orkestra.secretFiles" -}}
{{- $root := index . 0 }}
{{- $one := index . 1 }}
{{- $isEvaluation := $root.Values.evaluation.enabled }}
{{- range $one.keys }}
- {secret: {{ include "orkestra.secret" (list $root $root.Values.secrets.existingSecret) }}, key: {{ . }}, file: {{ . }}}
{{- end }}
{{- if $one.schema }}
- {secret: {{ include "orkestra.secret" (list $root $root.Values.postgresql.existingSecret) }}, key: {{ $one.schema }}, file: database-password}
{{- end }}
{{- if and $one.events (or $isEvaluation $root.Values.nats.existingSecret) }}
- {secret: {{ include "orkestra.secret" (list $root $root.Values.nats.existingSecret) }}, key: {{ ternary "nats-password" (ternary "creds" "password" $root.Values.nats.creds) $isEvaluation }}, file: nats}
{{- end }}
{{- if and (eq $one.module "orkestra.identity_service") $root.Values.signIn.providersSecret }}
- {secret: {{ $root.Values.signIn.providersSecret }}, key: providers, file: oidc-providers}
{{- end }}
{{- if and $one.tells $root.Values.notifications.existingSecret }}
- {secret: {{ $root.Values.notifications.existingSecret }}, key: notification-key, file: notification-key}
{{- end }}
{{- with $root.Values.notifications.mail }}
{{- if and $one.tells .address .username }}
- {secret: {{ .existingSecret }}, key: smtp-password, file: smtp-password}
{{- end }}
{{- end }}
{{- with $root.Values.attachments }}
{{- if and $one.files .bucket .existingSecret }}
- {secret: {{ .existingSecret }}, key: access-key, file: s3-access-key}
- {secret: {{ .existingSecret }}, key: secret-key, file: s3-secret-key}
{{- end }}
{{- end }}
{{- if and $one.langfuse $root.Values.langfuse.baseUrl }}
- {secret: {{ $root.Values.langfuse.existingSecret }}, key: secret-key, file: langfuse-secret-key}
{{- end }}
{{- if and $one.temporal $root.Values.temporal.payloads.existingSecret }}
- {secret: {{ $root.Values.temporal.payloads.existingSecret }}, key: payload-keys, file: payload-keys}
{{- end }}
{{- if and $one.temporal (not $isEvaluation) $root.Values.temporal.apiKeySecret }}
- {secret: {{ $root.Values.temporal.apiKeySecret }}, key: api-key, file: temporal-api-key}
{{- end }}
{{- end }}

{{/* The certificates of one process as name: Secret. */}}
{{- define "orkestra.certificates" -}}
{{- $root := index . 0 }}
{{- $one := index . 1 }}
{{- $values := $root.Values }}
{{- if not $values.evaluation.enabled }}
{{- if and $one.schema $values.postgresql.tls.existingSecret }}
postgresql: {{ $values.postgresql.tls.existingSecret }}
{{- end }}
{{- if and $one.events $values.nats.tls.existingSecret }}
nats: {{ $values.nats.tls.existingSecret }}
{{- end }}
{{- if and $one.temporal $values.temporal.tls.existingSecret }}
temporal: {{ $values.temporal.tls.existingSecret }}
{{- end }}
{{- end }}
{{- if and (eq $one.module "orkestra.identity_service") $values.signIn.providersSecret $values.signIn.caSecret }}
providers: {{ $values.signIn.caSecret }}
{{- end }}
{{- with $values.grpc.tls.existingSecret }}
grpc: {{ . }}
{{- end }}
{{- end }}
