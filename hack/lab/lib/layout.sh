# shellcheck shell=bash
# layout.sh: one lab's name, files and addresses. Several labs can run side by side: each has a
# slot (0-7), and every address, link name and port follows from the slot. Sourced.

MAX_SLOT=7
# How many local volumes a node has.
VOLUMES=16
# How many volumes there are that every node has, and the class of claims for them.
SHARED_VOLUMES=16
SHARED_CLASS=shared
# The labs share one lock, held while a slot or the machine's sysctls are taken or given back.
LOCK_FILE=$STATE_DIR/.lock

# use_lab NAME: sets the variables that follow from the name alone.
use_lab() {
	[[ $1 =~ ^[a-z][a-z0-9-]{0,30}$ ]] || die "--name \"$1\": use lower-case letters, digits and -, beginning with a letter"
	NAME=$1
	RUN=$STATE_DIR/$NAME
	PKI=$RUN/pki
	LOGS=$RUN/log
	SHARED=$RUN/shared
	ADMIN_KUBECONFIG=$RUN/admin.kubeconfig
}

# use_running_lab NAME: sets all variables of a lab that is up.
use_running_lab() {
	use_lab "$1"
	[[ -f $RUN/ready ]] || die "there is no lab \"$NAME\": run $LAB_DIR/up.sh --name $NAME"
	use_slot "$(cat "$RUN/slot")"
	NODES=$(cat "$RUN/nodes")
}

# use_slot SLOT: sets the variables that follow from the slot.
use_slot() {
	SLOT=$1
	# Interface names are at most 15 characters.
	BRIDGE=ftplab$SLOT
	HOST_IP=10.88.$SLOT.1
	NODE_CIDR=10.88.$SLOT.0/24
	LB_CIDR=10.89.$SLOT.0/24
	POD_CIDR=10.244.$((16 * SLOT)).0/20
	SERVICE_CIDR=10.96.$((16 * SLOT)).0/20
	API_IP=10.96.$((16 * SLOT)).1
	DNS_IP=10.96.$((16 * SLOT)).10
	# The routing tables of single ports, 16 of them, and the priority of the rules that lead to them; see router.
	TABLES=$((18800 + 16 * SLOT))
	ETCD_PORT=$((23790 + 2 * SLOT))
}

node_ip() { echo "10.88.$SLOT.$((10 + $1))"; }
node_pod_cidr() { echo "10.244.$((16 * SLOT + $1)).0/24"; }
# The host's end of a node's link, and the node's cgroup.
node_link() { echo "ftplab$SLOT-n$1"; }
node_dir() { echo "$RUN/n$1"; }

# slot_is_free SLOT: no lab has claimed it, and the machine uses none of its networks and ports.
slot_is_free() (
	use_slot "$1"
	local cidr
	if grep -qxs "$1" "$STATE_DIR"/*/slot; then return 1; fi
	if ip link show "$BRIDGE" >/dev/null 2>&1; then return 1; fi
	for cidr in "$NODE_CIDR" "$LB_CIDR" "$POD_CIDR" "$SERVICE_CIDR"; do
		[[ -z $(ip route show table all root "$cidr") ]] || return 1
	done
	# A connection that is made means that somebody listens.
	for port in "$ETCD_PORT" "$((ETCD_PORT + 1))"; do
		if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 1; fi
	done
)

# claim_slot: takes the first free slot for this lab. Called with the lock held.
claim_slot() {
	local slot
	for slot in $(seq 0 $MAX_SLOT); do
		if slot_is_free "$slot"; then
			mkdir -p "$RUN"
			echo "$slot" >"$RUN/slot"
			use_slot "$slot"
			return 0
		fi
	done
	die "no free network for a lab: 10.88.0-$MAX_SLOT.0/24, 10.89.0-$MAX_SLOT.0/24, 10.96.0.0/17 or 10.244.0.0/17 are in use by this machine, or $((MAX_SLOT + 1)) labs run (see $STATE_DIR)"
}

with_lock() {
	mkdir -p "$STATE_DIR"
	(
		flock 9
		"$@"
	) 9>"$LOCK_FILE"
}
