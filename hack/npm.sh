#!/usr/bin/env bash
# npm.sh: installs the npm packages that test/clients/scripts/package-lock.json pins, into a cache outside the tree, from
# where test/clients uses them. Nothing of them runs at installation.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../test/clients/scripts"

cache=${FTP_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ftp-operator}/npm
if cmp -s package-lock.json "$cache/installed.json"; then
	exit 0
fi
echo "==> npm ci: $(grep -c '"node_modules/' package-lock.json) package(s), into $cache" >&2
mkdir -p "$cache"
cp package.json package-lock.json "$cache"
npm ci --prefix "$cache" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
cp package-lock.json "$cache/installed.json"
