#!/usr/bin/env bash
# fuzz.sh [MINUTES]: runs every fuzz target of the repository for so many minutes (default 1) each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
minutes=${1:-1}

targets=$(grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's|/[^/]*:func |:|' | sort)
echo "==> fuzzing $(wc -l <<<"$targets") targets, $minutes min each" >&2
while IFS=: read -r package target; do
	echo "==> $package $target" >&2
	go test -run '^$' -fuzz "^$target\$" -fuzztime "${minutes}m" "$package"
done <<<"$targets"
