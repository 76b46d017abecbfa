#!/usr/bin/env bash
# Writes every generated file of the repository from the Go types and their markers:
#
#   api/v1alpha1/zz_generated.deepcopy.go    deep copies
#   api/v1alpha1/applyconfiguration/         typed builders for server-side apply
#   config/crd/bases/                        the CRDs
#   config/rbac/role.yaml                    the manager's rules, from the markers in controllers/
#   charts/ftp-operator/generated/           the CRDs and rules as the chart takes them in
#   docs/api.md                              the reference of the API
#   docs/daemon-configuration.md             the reference of the daemon's configuration file
#
# Run it by `make generate` after changing a type, a comment or a marker.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

controller_gen=$(hack/tools.sh controller-gen)

"$controller_gen" object paths=./api/...

rm -rf api/v1alpha1/applyconfiguration
"$controller_gen" applyconfiguration:omitToolVersion=true paths=./api/v1alpha1

"$controller_gen" crd paths=./api/... output:crd:dir=config/crd/bases

"$controller_gen" rbac:roleName=manager-role paths=./controllers/... output:rbac:dir=config/rbac

generated=charts/ftp-operator/generated
rm -rf "$generated"
mkdir -p "$generated/crds"
for crd in config/crd/bases/*.yaml; do
  # The chart's nodePortRange takes the place of the default node port range; everything else,
  # doubled braces above all, must come through the template engine as it is.
  sed -z -e 's/^---\n//' \
    -e 's/{{/{{ "{{" }}/g' \
    -e 's/\b30000\([ \n]\+<=\)/{{ .Values.nodePortRange.start }}\1/g' \
    -e 's/\(<=[ \n]\+\)32767\b/\1{{ .Values.nodePortRange.end }}/g' \
    -e 's/\b30000-32767\b/{{ .Values.nodePortRange.start }}-{{ .Values.nodePortRange.end }}/g' \
    "$crd" > "$generated/crds/$(basename "$crd")"
done
# role.yaml holds a ClusterRole with the manager's rules, and a Role with those of leader election.
rules_of() {
  awk -v want="$1" '/^---/ {kind = ""; inside = 0}
    /^kind: / {kind = $2}
    inside {print}
    /^rules:/ && kind == want {inside = 1}' config/rbac/role.yaml
}
rules_of ClusterRole > "$generated/manager-rules.yaml"
rules_of Role > "$generated/leader-election-rules.yaml"

go run ./hack/apidocs -crds config/crd/bases -out docs/api.md
go run ./hack/configdocs -source ftpd/config -out docs/daemon-configuration.md
