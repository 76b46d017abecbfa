#!/usr/bin/env bash
# Prints the path of a development tool, building it first if this machine has not yet done so.
#
#   hack/tools.sh NAME        NAME is a directory of hack/tools: a module of its own, whose go.mod
#                             names the tool and pins its version, so that no tool's dependencies
#                             meet another's or the project's
#
# Binaries lie outside the repository, in ${FTP_OPERATOR_CACHE:-~/.cache/ftp-operator}/bin, under
# the hash of the module's go.mod and go.sum: a changed version is another file.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
  echo "usage: hack/tools.sh NAME; NAME is one of: $(cd "$root/hack/tools" && echo *)" >&2
  exit 2
}
[ $# -eq 1 ] || usage
name=$1
module=$root/hack/tools/$name
case $name in */* | .*) usage ;; esac
[ -f "$module/go.mod" ] || usage

CACHE_DIR=${FTP_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ftp-operator}
# shellcheck source=hack/lab/lib/progress.sh
. "$root/hack/lab/lib/progress.sh"
cache=$CACHE_DIR/bin
hash=$(cat "$module/go.mod" "$module/go.sum" | sha256sum | cut -c1-12)
binary=$cache/$name-$hash

mkdir -p "$cache"
# Two runs at once would build the same tool twice; the second waits for the first.
exec 9> "$cache/.$name.lock"
if [ ! -x "$binary" ] && command -v flock > /dev/null; then flock 9; fi
if [ ! -x "$binary" ]; then
  package=$(sed -n 's/^tool //p' "$module/go.mod" | head -n 1)
  version=$(cd "$module" && GOFLAGS='' go list -f '{{.Module.Version}}' "$package")
  echo "==> building $name $version (once; some minutes)" >&2
  temporary=$(mktemp -d "$cache/.$name.XXXXXX")
  trap 'rm -rf "$temporary"' EXIT
  started=$SECONDS
  # GOFLAGS is emptied so that -mod and -race settings meant for the project don't apply.
  with_progress "$name" 0 env GOFLAGS='' GOWORK=off CGO_ENABLED=0 GOOS='' GOARCH='' \
    go build -C "$module" -v -trimpath -buildvcs=false -ldflags '-s -w' -o "$temporary/$name" "$package"
  mv "$temporary/$name" "$binary"
  echo "built $name $version in $((SECONDS - started)) s: $binary" >&2
fi
echo "$binary"
