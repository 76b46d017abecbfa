#!/usr/bin/env bash
# Proves that the generated files are current: generates them anew in a copy of the tree and
# compares. The tree itself is left alone. Exits 1, with the difference, if one is stale.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What hack/generate.sh writes; keep the two in step.
generated=(
  api/v1alpha1/zz_generated.deepcopy.go
  api/v1alpha1/applyconfiguration
  config/crd/bases
  config/rbac/role.yaml
  charts/ftp-operator/generated
  docs/api.md
  docs/daemon-configuration.md
)

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# The tree as it is on disk, uncommitted changes and new files too, without what git ignores.
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  if [ -e "$file" ]; then printf '%s\0' "$file"; fi
done | tar --create --null --files-from=- | tar --extract --directory="$copy"

"$copy/hack/generate.sh"

stale=0
for path in "${generated[@]}"; do
  diff --unified --recursive --new-file "$path" "$copy/$path" || stale=1
done
if [ "$stale" -ne 0 ]; then
  echo "generated files are not current (- is the tree, + is what the types say): run 'make generate' and commit the result" >&2
  exit 1
fi
echo "generated files are current"
