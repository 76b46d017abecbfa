#!/usr/bin/env bash
# Lints the Go code with golangci-lint and .golangci.yml.
#
#   hack/lint.sh [ARGUMENT ...]     arguments go to `golangci-lint run`: packages, or --fix
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
golangci_lint=$(hack/tools.sh golangci-lint)
exec "$golangci_lint" run "$@"
