{{/* One way out: to the release's own server with the evaluation profile, else to where the values say. */}}
{{- define "orkestra.egress" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $port := index . 2 }}
{{- if $root.Values.evaluation.enabled }}
- to:
    - podSelector:
        matchLabels: {{- include "orkestra.selector" (list $root $name) | nindent 10 }}
  ports: [{port: {{ (index (include "orkestra.evaluationServers" $root | fromYaml) $name).port }}}]
{{- else }}
- ports: [{port: {{ $port }}}]
  {{- with index $root.Values.networkPolicy (printf "%sTo" $name) }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Where a process is reached from outside, as {host, port}; nothing where it is not. */}}
{{- define "orkestra.entrance" -}}
{{- $root := index . 0 }}
{{- $one := index . 1 }}
{{- $way := default dict $one.entrance }}
{{- if $one.door }}{{ $way = dict "host" $one.door "port" $one.port.number }}{{ end }}
{{- with index $root.Values.hosts (default "" $way.host) }}
{{- toYaml (dict "host" . "port" $way.port) }}
{{- end }}
{{- end }}

{{/* The port in an address, or the usual one. */}}
{{- define "orkestra.portOf" -}}
{{- regexFind ":[0-9]+" (regexReplaceAll "^[a-z]+://" (index . 0) "") | trimPrefix ":" | default (index . 1) }}
{{- end }}

{{/* The small servers of the evaluation profile, and the key of a workload that says that it uses one. */}}
{{- define "orkestra.evaluationServers" -}}
postgresql: {port: 5432, usedBy: schema, memory: 512Mi}
nats: {port: 4222, usedBy: events, memory: 256Mi}
temporal: {port: 7233, usedBy: temporal, memory: 512Mi}
{{- end }}
