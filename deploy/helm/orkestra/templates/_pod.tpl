{{/* What every pod has: Pod Security `restricted`, a read-only root, its Secrets as files. */}}

{{- define "orkestra.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "orkestra.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "orkestra.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if include "orkestra.secretFiles" . | fromYamlArray }}
- {name: secrets, mountPath: /run/secrets/orkestra, readOnly: true}
{{- end }}
{{- range $name, $secret := include "orkestra.certificates" . | fromYaml }}
- {name: tls-{{ $name }}, mountPath: /run/tls/{{ $name }}, readOnly: true}
{{- end }}
{{- end }}

{{- define "orkestra.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- with include "orkestra.secretFiles" . | fromYamlArray }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
    {{- range . }}
      - secret: {name: {{ .secret }}, items: [{key: {{ .key }}, path: {{ .file }}}]}
    {{- end }}
{{- end }}
{{- range $name, $secret := include "orkestra.certificates" . | fromYaml }}
- name: tls-{{ $name }}
  secret: {secretName: {{ $secret }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{- define "orkestra.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: health}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: health}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}

{{- define "orkestra.placing" -}}
{{- $root := index . 0 }}
{{- $settings := (index . 2).settings }}
topologySpreadConstraints:
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: {{ $settings.spread.whenUnsatisfiable }}
    labelSelector:
      matchLabels: {{- include "orkestra.selector" (list $root (index $ 1)) | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- end }}
{{- $places := dict }}
{{- range $key, $value := pick $settings "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
{{- if $value }}{{ $_ := set $places $key $value }}{{ end }}
{{- end }}
{{- with $places }}
{{ toYaml . }}
{{- end }}
{{- end }}
