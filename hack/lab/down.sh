#!/usr/bin/env bash
# down.sh [--name NAME | --all]: ends a lab (default "lab") and takes away everything that it
# made: processes, mounts, cgroups, links, routes, files; and puts back the sysctls that its
# kubelets changed. It may be run again, after a failure, and when there is no lab.
set -euo pipefail
# shellcheck source=hack/lab/lib/all.sh
. "$(dirname "$0")/lib/all.sh"

usage() {
	sed -n '2,4s/^# \{0,1\}//p' "$0"
	exit "${1:-2}"
}

end_lab() {
	use_lab "$1"
	if [[ ! -e $RUN ]]; then
		say "there is no lab \"$NAME\""
		return 0
	fi
	say "taking the lab \"$NAME\" down"
	if [[ -f $RUN/slot ]]; then
		use_slot "$(cat "$RUN/slot")"
		local n
		for n in $(seq "$(cat "$RUN/nodes" 2>/dev/null || echo 2)"); do
			stop_node "$n"
		done
		stop_control_plane
		# Its routes go with the bridge, but for those of the router that lead nowhere.
		ip link del "$BRIDGE" 2>/dev/null || true
		ip route flush root "$LB_CIDR" 2>/dev/null || true
		unroute_ports
		restore_cgroup_controllers
	fi
	with_lock forget
}

# forget: with the lock held, since it decides whether this was the last lab.
forget() {
	rm -rf "$RUN"
	restore_sysctls
	compgen -G "$STATE_DIR/*" >/dev/null || rm -rf "$STATE_DIR"
}

main() {
	local run lab=lab all=false
	while (($# > 0)); do
		case $1 in
		--name) lab=${2:?--name needs a value} && shift 2 ;;
		--all) all=true && shift ;;
		-h | --help) usage 0 ;;
		*) usage ;;
		esac
	done
	need_root down.sh
	need_commands ip sysctl flock
	if ! $all; then
		end_lab "$lab"
		return
	fi
	for run in "$STATE_DIR"/*/; do
		[[ ! -d $run ]] || end_lab "$(basename "$run")"
	done
}

main "$@"
