#!/usr/bin/env bash
# load.sh [--name NAME] TAR...: loads image tars into every node of a lab (default "lab").
set -euo pipefail
# shellcheck source=hack/lab/lib/all.sh
. "$(dirname "$0")/lib/all.sh"

lab=lab
if [[ ${1-} == --name ]]; then
	lab=${2:?--name needs a value}
	shift 2
fi
(($# > 0)) || die "usage: load.sh [--name NAME] TAR..."
need_root load.sh
use_running_lab "$lab"
for tar; do
	import_image "$tar"
done
