#!/usr/bin/env bash
# node.sh [--name NAME] stop|start NODE
# node.sh [--name NAME] exec NODE COMMAND...
#
# What happens to machines, done to a node (n1, n2) of a running lab (default "lab"):
#
#   stop    as by power loss: its link goes first, so that nobody is told, then every process in it
#   start   it boots: kubelet and containers come back from what is on its disk
#   exec    runs a command in it, as in `node.sh exec n2 ctr --namespace k8s.io tasks list`
set -euo pipefail
# shellcheck source=hack/lab/lib/all.sh
. "$(dirname "$0")/lib/all.sh"

usage() {
	sed -n '2,9s/^# \{0,1\}//p' "$0"
	exit "${1:-2}"
}

main() {
	local lab=lab action n
	while (($# > 0)); do
		case $1 in
		--name) lab=${2:?--name needs a value} && shift 2 ;;
		-h | --help) usage 0 ;;
		*) break ;;
		esac
	done
	(($# >= 2)) || usage
	need_root node.sh
	action=$1 n=${2#n}
	shift 2
	use_running_lab "$lab"
	[[ $n == [12] && $n -le $NODES ]] || die "there is no node \"$n\": the lab \"$NAME\" has $(seq -s ' ' -f 'n%.0f' "$NODES")"
	case $action in
	stop)
		say "node n$n of the lab \"$NAME\" loses its power"
		ip link del "$(node_link "$n")" 2>/dev/null || true
		stop_node "$n"
		;;
	start)
		! running "n$n-init" >/dev/null || die "node n$n runs"
		say "node n$n of the lab \"$NAME\" boots"
		KUBE_BIN=$("$LAB_DIR/build.sh" kube-bin)
		NETWORKPOLICY=$("$LAB_DIR/build.sh" networkpolicy)
		start_node "$n"
		;;
	exec) in_node "$n" "$@" ;;
	*) usage ;;
	esac
}

main "$@"
