# shellcheck shell=bash
# node.sh: a node is a process tree in mount, pid, network, uts and ipc namespaces of its own,
# joined to the lab's bridge. Killing its first process ends every container and mount in it,
# and the host's packet filter is never touched. Sourced.

# start_node N: starts it; wait_for_nodes waits.
start_node() {
	local n=$1 link init
	link=$(node_link "$n")
	make_cgroup "$link"
	mkdir -p "$(node_dir "$n")" "$SHARED"
	# Not `ip netns exec`: it remounts /sys and so hides the cgroups.
	SLOT=$SLOT NODES=$NODES NAME=$NAME NODE=$n KUBE_BIN=$KUBE_BIN NETWORKPOLICY=$NETWORKPOLICY \
		start "n$n" unshare --mount --pid --net --uts --ipc --fork --kill-child --mount-proc --propagation private \
		"$LAB_DIR/node-init.sh"
	poll 10 "node n$n: its first process" node_init "$n"
	init=$(node_init "$n")
	record_pid "n$n-init" "$init"
	ip link add "$link" type veth peer name eth0 netns "$init"
	ip link set "$link" master "$BRIDGE" up
	ip route replace "$(node_pod_cidr "$n")" via "$(node_ip "$n")"
}

# node_init N: the pid, on the host, of the node's first process, once it is in its own namespaces.
node_init() {
	local outer child
	outer=$(running "n$1") || return 1
	child=$(cat "/proc/$outer/task/$outer/children")
	child=${child%% *}
	[[ -n $child && $(readlink "/proc/$child/ns/net") != "$(readlink /proc/self/ns/net)" ]] || return 1
	echo "$child"
}

# route_services: the host reaches Services by the first node. Load balancer addresses it reaches by
# the one node, or by the nodes that say they serve an address, which the router finds out. Of those
# the address and the port choose one, so that an FTP session's data connections come by another
# node than its control connection, as with most load balancers. The client's port must not have a say:
# Linux lets chance choose while a socket has none, and leads the connection elsewhere, which
# cuts it, when any route of the machine has changed.
route_services() {
	ip route replace "$SERVICE_CIDR" via "$(node_ip 1)"
	ip route replace "$LB_CIDR" via "$(node_ip 1)"
	if ((NODES > 1)); then
		# Source and destination address, protocol, destination port.
		sysctl --quiet --write net.ipv4.fib_multipath_hash_fields=$((0x01 | 0x02 | 0x04 | 0x20)) net.ipv4.fib_multipath_hash_policy=3
		start router "$ROUTER" --kubeconfig "$ADMIN_KUBECONFIG" --cidr "$LB_CIDR" --tables "$TABLES"
	fi
}

# unroute_ports: takes away the rules and tables of the router, which ends without doing it.
unroute_ports() {
	local table
	while ip rule del priority "$TABLES" 2>/dev/null; do :; done
	for table in $(seq "$TABLES" $((TABLES + 15))); do
		ip route flush table "$table" 2>/dev/null || true
	done
}

wait_for_nodes() {
	local n
	for n in $(seq "$NODES"); do
		if ! poll 90 "node n$n ready" node_is_ready "$n"; then
			tail -n 5 "$LOGS/n$n.log" "$LOGS/containerd-n$n.log" "$LOGS/kubelet-n$n.log" >&2
			return 1
		fi
	done
	poll 60 "default ServiceAccount" kubectl get serviceaccount default
}

node_is_ready() {
	[[ $(kubectl get node "n$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]]
}

# in_node N COMMAND...: runs it in the node's namespaces.
in_node() {
	local init
	init=$(running "n$1-init") || die "node n$1 does not run; see $LOGS/n$1.log"
	shift
	nsenter --mount --net --pid --uts --ipc --target "$init" -- "$@"
}

# import_image TAR: into every node.
import_image() {
	local n
	for n in $(seq "$NODES"); do
		# The unpacking of one image is announced on stdout.
		in_node "$n" ctr --namespace k8s.io images import - <"$1" >/dev/null
	done
}

# stop_node N: kills it, and takes away its link and its cgroups.
stop_node() {
	local link
	link=$(node_link "$1")
	stop "n$1-init" KILL 10
	stop "n$1" KILL 10
	# The link goes with the node's network namespace, but only a moment later.
	ip link del "$link" 2>/dev/null || true
	remove_cgroup "$link"
}
