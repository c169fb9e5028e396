{{/*
What the services are: the one place that the templates range over.
`calls` are the arrows of the house, `addresses` what the process is told; both end at Services of this release.
*/}}
{{- define "orkestra.catalog" -}}
identity-service:
  module: orkestra.identity_service
  schema: identity
  extraRoles: [lookup]
  port: {name: grpc, number: 9001}
  health: 9101
  events: true
  keys: [token-signing-key, key-pepper, service-key, worker-key]
  calls: []
task-service:
  module: orkestra.task_service
  schema: task
  port: {name: grpc, number: 9002}
  health: 9102
  events: true
  keys: [service-key, receipt-signing-key]
  files: true
  addresses: {IDENTITY: identity-service}
  calls: [identity-service]
workflow-worker:
  module: orkestra.workflow_worker
  schema: workflow
  port: {name: grpc, number: 9003}
  health: 9103
  events: true
  temporal: true
  env: {ORKESTRA_ROLE: api}
  keys: [service-key]
  entrance: {host: codec, port: 9013}
  addresses: {IDENTITY: identity-service, TASK: task-service, NOTIFICATION: notification-service}
  calls: [identity-service, task-service, notification-service]
notification-service:
  module: orkestra.notification_service
  schema: notification
  port: {name: grpc, number: 9004}
  health: 9108
  events: true
  langfuse: true
  tells: true
  keys: [service-key]
  addresses: {IDENTITY: identity-service, TASK: task-service}
  calls: [identity-service, task-service]
api-gateway:
  module: orkestra.api_gateway
  schema: gateway
  door: api
  port: {name: http, number: 8000}
  health: 9105
  events: true
  addresses: {IDENTITY: identity-service, TASK: task-service, WORKFLOW: workflow-worker, NOTIFICATION: notification-service}
  calls: [identity-service, task-service, workflow-worker, notification-service]
mcp-gateway:
  module: orkestra.mcp_gateway
  schema: mcp
  door: mcp
  port: {name: http, number: 8001}
  health: 9106
  events: true
  keys: [mcp-state-key]
  addresses: {IDENTITY: identity-service, TASK: task-service, WORKFLOW: workflow-worker}
  calls: [identity-service, task-service, workflow-worker]
dashboard:
  module: orkestra.dashboard
  schema: dashboard
  door: dashboard
  port: {name: http, number: 8080}
  health: 9107
  events: true
  keys: [csrf-key]
  addresses: {IDENTITY: identity-service, TASK: task-service, WORKFLOW: workflow-worker, NOTIFICATION: notification-service}
  calls: [identity-service, task-service, workflow-worker, notification-service]
{{- end }}

{{/* What each worker is, ours and the authors'. */}}
{{- define "orkestra.workerKind" -}}
module: orkestra.workflow_worker
worker: true
health: 9104
temporal: true
keys: [worker-key]
addresses: {IDENTITY: identity-service, TASK: task-service, WORKFLOW: workflow-worker}
calls: [identity-service, task-service, workflow-worker]
{{- end }}

{{/* What the Deployment of a build before is called. */}}
{{- define "orkestra.earlierName" -}}
{{- printf "%s-%s" (index . 0) (regexReplaceAll "[^a-z0-9]+" (lower (index . 1)) "-") | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Every Deployment: name, kind as above, and `settings`, the defaults with its own values over them. */}}
{{- define "orkestra.workloads" -}}
{{- $workloads := dict }}
{{- range $name, $kind := include "orkestra.catalog" . | fromYaml }}
{{- $own := index $.Values.services $name | default dict }}
{{- $settings := mergeOverwrite (deepCopy $.Values.defaults) (deepCopy $own) }}
{{- $_ := set $workloads $name (merge (dict "settings" $settings "image" (include "orkestra.image" (list $ $name))) $kind) }}
{{- end }}
{{- $workers := deepCopy .Values.workers }}
{{- if .Values.worker.enabled }}
{{- $workers = prepend $workers (merge (dict "name" "worker") (omit .Values.worker "enabled")) }}
{{- end }}
{{- if and .Values.evaluation.enabled .Values.evaluation.demo }}
{{- $example := dict "name" "worker-examples" "image" (include "orkestra.image" (list . "evaluation")) "modules" (list "customer_support.workflows" "customer_support.quick") }}
{{- $workers = append $workers $example }}
{{- end }}
{{- range $worker := $workers }}
{{- $kind := include "orkestra.workerKind" $ | fromYaml }}
{{- $env := dict "ORKESTRA_ROLE" "worker" "ORKESTRA_WORKFLOW_MODULES" (join "," (default list $worker.modules)) "ORKESTRA_TASK_QUEUE" (default "orkestra" $worker.taskQueue) }}
{{- $own := omit $worker "name" "image" "modules" "taskQueue" "keda" "versioning" "build" "promote" "earlier" }}
{{- $settings := mergeOverwrite (deepCopy $.Values.defaults) (deepCopy $own) }}
{{- $image := default (include "orkestra.image" (list $ "workflow-worker")) $worker.image }}
{{- $told := dict "settings" $settings "image" $image "env" $env "keda" $worker.keda }}
{{- if eq (toString $worker.versioning) "pinned" }}
{{- $_ := set $env "ORKESTRA_BUILD" (default (default $.Chart.AppVersion $.Values.global.image.tag) $worker.build) }}
{{- $_ := set $told "promotes" (ne (toString $worker.promote) "false") }}
{{- range $before := $worker.earlier }}
{{- $fewer := mergeOverwrite (deepCopy $settings) (dict "replicas" (default 1 $before.replicas) "autoscaling" (dict "enabled" false)) }}
{{- $same := mergeOverwrite (deepCopy $env) (dict "ORKESTRA_BUILD" $before.build) }}
{{- $one := merge (dict "settings" $fewer "image" $before.image "env" $same) (deepCopy $kind) }}
{{- $_ := set $workloads (include "orkestra.earlierName" (list $worker.name $before.build)) $one }}
{{- end }}
{{- end }}
{{- $_ := set $workloads $worker.name (merge $told $kind) }}
{{- end }}
{{- toYaml $workloads }}
{{- end }}
