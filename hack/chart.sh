#!/usr/bin/env bash
# Lints the Helm chart and renders it with each of its values files. What the renderings hold is
# tested by test/chart.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

helm=${HELM:-$(hack/tools.sh helm)}
chart=charts/ftp-operator
for values in "$chart"/ci/*-values.yaml; do
  "$helm" lint --strict --quiet "$chart" --values "$values"
  objects=$("$helm" template ftp-operator "$chart" --namespace ftp-operator-system --values "$values" | grep -c '^kind: ')
  echo "$values: $objects objects"
done
