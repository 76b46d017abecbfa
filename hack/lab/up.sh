#!/usr/bin/env bash
# up.sh [--name NAME] [--nodes 1|2] [--fresh]: starts a real Kubernetes on this machine, without
# a container engine and without a registry, and prints the path of its kubeconfig.
#
#   --name NAME   which lab (default "lab"); up to 8 run side by side
#   --nodes N     1 (default) or 2
#   --fresh       end a running lab of that name first, instead of using it
#
# It has DNS, NetworkPolicy, and load balancer addresses that the host reaches. Its state lies in
# /var/lib/ftp-operator-lab/NAME (FTP_OPERATOR_LAB_STATE says otherwise), and down.sh leaves
# nothing of it. If the start fails or is interrupted, everything is taken down again; the logs
# are then kept in the cache, and their place is told.
set -euo pipefail
# shellcheck source=hack/lab/lib/all.sh
. "$(dirname "$0")/lib/all.sh"

usage() {
	sed -n '2,13s/^# \{0,1\}//p' "$0"
	exit "${1:-2}"
}

NODES=1
FRESH=false
lab=lab
while (($# > 0)); do
	case $1 in
	--name) lab=${2:?--name needs a value} && shift 2 ;;
	--nodes) NODES=${2:?--nodes needs a value} && shift 2 ;;
	--fresh) FRESH=true && shift ;;
	-h | --help) usage 0 ;;
	*) usage ;;
	esac
done
[[ $NODES == [12] ]] || die "--nodes $NODES: a lab has 1 or 2 nodes"
use_lab "$lab"

check_machine() {
	need_root up.sh
	need_commands go ip iptables nft conntrack containerd ctr runc unshare nsenter openssl sysctl flock mount
	case $STATE_DIR in
	/run | /run/* | /var/log/*) die "FTP_OPERATOR_LAB_STATE=$STATE_DIR: choose a folder on a disk, not below /run or /var/log" ;;
	esac
	[[ -w /proc/sys/kernel/panic ]] || die "/proc/sys is read-only: the kubelet can't work here. In a container, run it privileged."
}

# used_as_it_is: whether a lab of this name runs, is well, and has the nodes asked for.
used_as_it_is() {
	[[ -f $RUN/ready && $(cat "$RUN/nodes") == "$NODES" ]] || return 1
	use_slot "$(cat "$RUN/slot")"
	local n
	for n in $(seq "$NODES"); do
		running "n$n-init" >/dev/null || return 1
		node_is_ready "$n" 2>/dev/null || return 1
	done
}

claim() {
	[[ ! -e $RUN ]] || die "a lab \"$NAME\" is being started by somebody else, or was left over: run $LAB_DIR/down.sh --name $NAME"
	save_sysctls
	claim_slot
	echo "$NODES" >"$RUN/nodes"
	echo "$$" >"$RUN/owner"
}

# undo: runs at every exit before the lab is complete.
undo() {
	local status=$?
	trap - EXIT INT TERM HUP
	# Not somebody else's lab of the same name.
	[[ -f $RUN/owner && $(<"$RUN/owner") == "$$" ]] || exit "$status"
	say "the start of the lab did not complete: taking it down"
	if [[ -d $LOGS ]]; then
		rm -rf "$CACHE_DIR/failed-lab-logs"
		mkdir -p "$CACHE_DIR"
		cp -r "$LOGS" "$CACHE_DIR/failed-lab-logs"
		note "its logs are in $CACHE_DIR/failed-lab-logs"
	fi
	"$LAB_DIR/down.sh" --name "$NAME" || true
	((status != 0)) || status=1
	exit "$status"
}

main() {
	local n began_at
	check_machine
	# Built before anything is started, so that an interrupted build leaves nothing to take down.
	KUBE_BIN=$("$LAB_DIR/build.sh" kube-bin)
	COREDNS=$("$LAB_DIR/build.sh" coredns)
	METALLB=$("$LAB_DIR/build.sh" metallb)
	METALLB_CRDS=$("$LAB_DIR/build.sh" metallb-crds)
	NETWORKPOLICY=$("$LAB_DIR/build.sh" networkpolicy)
	pause=$(pause_image)
	ROUTER=
	((NODES == 1)) || ROUTER=$(own_binary router)

	if [[ -e $RUN ]]; then
		if ! $FRESH && used_as_it_is; then
			say "the lab \"$NAME\" is already up"
			echo "$ADMIN_KUBECONFIG"
			return 0
		fi
		"$LAB_DIR/down.sh" --name "$NAME"
	fi

	say "starting the lab \"$NAME\": Kubernetes $("$KUBE_BIN/kubelet" --version | cut -d' ' -f2), $NODES node(s)"
	began_at=$SECONDS
	trap undo EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	with_lock claim
	use_slot "$(cat "$RUN/slot")"
	mkdir -p "$LOGS"
	make_pki
	make_bridge
	for n in $(seq "$NODES"); do
		mkdir -p "$(node_dir "$n")"
		cp "$pause" "$(node_dir "$n")/pause.tar"
	done
	start_control_plane
	note "control plane ready after $((SECONDS - began_at)) s"
	for n in $(seq "$NODES"); do
		start_node "$n"
	done
	route_services
	wait_for_nodes
	note "nodes ready after $((SECONDS - began_at)) s"
	install_volumes
	install_coredns
	install_metallb "$LB_CIDR"
	wait_for_addons
	{
		echo "KUBECONFIG=$ADMIN_KUBECONFIG"
		echo "LB_CIDR=$LB_CIDR"
		echo "NODES=$NODES"
		echo "SHARED_CLASS=$SHARED_CLASS"
	} >"$RUN/env"
	touch "$RUN/ready"
	trap - EXIT INT TERM HUP
	note "DNS and load balancer ready after $((SECONDS - began_at)) s; addresses come from $LB_CIDR"
	echo "$ADMIN_KUBECONFIG"
}

main
