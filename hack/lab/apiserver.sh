#!/usr/bin/env bash
# apiserver.sh [--name NAME] stop|start: kills the API server of a running lab (default "lab"), or
# starts it again and waits until it is ready. Its store goes on.
set -euo pipefail
# shellcheck source=hack/lab/lib/all.sh
. "$(dirname "$0")/lib/all.sh"

usage() {
	sed -n '2,3s/^# \{0,1\}//p' "$0"
	exit "${1:-2}"
}

main() {
	local lab=lab
	while (($# > 0)); do
		case $1 in
		--name) lab=${2:?--name needs a value} && shift 2 ;;
		-h | --help) usage 0 ;;
		*) break ;;
		esac
	done
	(($# == 1)) || usage
	need_root apiserver.sh
	use_running_lab "$lab"
	KUBE_BIN=$("$LAB_DIR/build.sh" kube-bin)
	case $1 in
	stop)
		say "the API server of the lab \"$NAME\" is killed"
		stop kube-apiserver KILL 10
		;;
	start)
		! running kube-apiserver >/dev/null || die "the API server runs"
		say "the API server of the lab \"$NAME\" starts"
		start_api_server
		;;
	*) usage ;;
	esac
}

main "$@"
