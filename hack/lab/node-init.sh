#!/usr/bin/env bash
# node-init.sh: the first process of a node, started by lib/node.sh in namespaces of its own.
# It makes the node's file system view and network, then keeps containerd, kubelet, kube-proxy
# and the NetworkPolicy enforcer running until it is killed, and they with it.
# Environment: NAME, SLOT, NODES, NODE (1, 2), KUBE_BIN, NETWORKPOLICY (the enforcer's binary).
set -euo pipefail
# shellcheck source=hack/lab/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=hack/lab/lib/layout.sh
. "$LAB_DIR/lib/layout.sh"

# shellcheck disable=SC2153 # all three come by the environment
use_lab "$NAME"
use_slot "$SLOT"
# shellcheck disable=SC2153
DIR=$(node_dir "$NODE")
IP=$(node_ip "$NODE")
CGROUP=/$(node_link "$NODE")
CONTAINERD_SOCKET=/run/containerd/containerd.sock
# Seen from inside, below the /run that is the node's own.
IN=/run/lab

# The node's own /run, /var/lib and /var/log, over the host's: every program keeps its default
# paths, two nodes do not meet, and nothing is made on the host. What the node needs of the host
# is bound to /run/lab first, wherever it lies there.
make_mounts() {
	local i
	mount --make-rshared /
	mount -t tmpfs tmpfs /run
	mkdir -p $IN/bin $IN/pki $IN/log $IN/dir $IN/shared /run/containerd /run/netns /run/lock
	mount --bind "$KUBE_BIN/.." $IN/bin
	mount --bind "$PKI" $IN/pki
	mount --bind "$LOGS" $IN/log
	mount --bind "$DIR" $IN/dir
	mount --bind "$SHARED" $IN/shared
	mkdir -p $IN/dir/{var-lib/kubelet,var-lib/containerd,var-lib/cni,var-log/pods,var-log/containers}
	for i in $(seq "$VOLUMES"); do
		mkdir -p "$IN/dir/var-lib/lab-volumes/$i"
	done
	for i in $(seq "$SHARED_VOLUMES"); do
		mkdir -p "$IN/shared/$i"
	done
	mkdir -p $IN/dir/var-lib/lab-shared
	mount --bind $IN/dir/var-lib /var/lib
	mount --bind $IN/shared /var/lib/lab-shared
	mount --bind $IN/dir/var-log /var/log
}

make_network() {
	local n
	hostname "n$NODE"
	ip link set lo up
	poll 10 "the node's link" ip link show eth0
	ip addr add "$IP/24" dev eth0
	ip link set eth0 up
	ip route add default via "$HOST_IP"
	for n in $(seq "$NODES"); do
		[[ $n == "$NODE" ]] || ip route add "$(node_pod_cidr "$n")" via "$(node_ip "$n")"
	done
	sysctl --quiet --write net.ipv4.ip_forward=1
}

# The ptp plugin routes all pod traffic, so that kube-proxy and the policy rules see all of it.
write_cni_config() {
	mkdir -p $IN/cni
	cat >$IN/cni/10-lab.conflist <<-END
		{"cniVersion": "0.4.0", "name": "lab", "plugins": [
		  {"type": "ptp", "ipMasq": false, "mtu": 1400,
		   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$(node_pod_cidr "$NODE")"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
		  {"type": "portmap", "capabilities": {"portMappings": true}}]}
	END
}

# cni_bin_dir: where the distribution puts the CNI plugins.
cni_bin_dir() {
	local dir
	for dir in /usr/lib/cni /opt/cni/bin /usr/libexec/cni; do
		if [[ -x $dir/ptp ]]; then
			echo "$dir"
			return 0
		fi
	done
	die "the CNI plugins (ptp, portmap, host-local) are not installed: run hack/deps.sh as root"
}

write_containerd_config() {
	local snapshotter=overlayfs
	# An overlay can't lie on another one, as in a container.
	[[ $(stat --file-system --format %T /var/lib/containerd) != overlayfs ]] || snapshotter=native
	# restrict_oom_score_adj: without CAP_SYS_RESOURCE runc can't lower it, and dies.
	cat >$IN/containerd.toml <<-END
		version = 2
		[plugins."io.containerd.internal.v1.opt"]
		  path = "/var/lib/containerd/opt"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "localhost/pause:lab"
		  disable_apparmor = true
		  restrict_oom_score_adj = true
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "$(cni_bin_dir)"
		    conf_dir = "$IN/cni"
		  [plugins."io.containerd.grpc.v1.cri".containerd]
		    snapshotter = "$snapshotter"
		    default_runtime_name = "runc"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		      runtime_type = "io.containerd.runc.v2"
		      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
		        SystemdCgroup = false
	END
}

# failCgroupV1: false, since 1.35 the kubelet refuses cgroup v1 unless told not to.
write_kubelet_config() {
	cat >$IN/kubelet.yaml <<-END
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		cgroupDriver: cgroupfs
		cgroupRoot: $CGROUP
		failCgroupV1: false
		failSwapOn: false
		containerRuntimeEndpoint: unix://$CONTAINERD_SOCKET
		address: $IP
		healthzBindAddress: 127.0.0.1
		authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $IN/pki/ca.crt}}
		authorization: {mode: Webhook}
		tlsCertFile: $IN/pki/n$NODE.crt
		tlsPrivateKeyFile: $IN/pki/n$NODE.key
		clusterDNS: [$DNS_IP]
		clusterDomain: cluster.local
		resolvConf: ""
		volumePluginDir: /var/lib/kubelet/volume-plugins
		imageGCHighThresholdPercent: 100
		evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
	END
}

write_kube_proxy_config() {
	cat >$IN/kube-proxy.yaml <<-END
		apiVersion: kubeproxy.config.k8s.io/v1alpha1
		kind: KubeProxyConfiguration
		mode: nftables
		clientConnection: {kubeconfig: $IN/pki/kube-proxy.kubeconfig}
		clusterCIDR: $POD_CIDR
		conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
	END
}

# keep NAME COMMAND...: runs it, again whenever it ends; its output goes to a log of the lab's.
keep() {
	local name=$1
	shift
	while :; do
		"$@" >>"$IN/log/$name-n$NODE.log" 2>&1 </dev/null || true
		echo "$name ended; again in a second"
		sleep 1
	done &
}

# can_queue_in_nftables: whether this kernel has CONFIG_NFT_QUEUE.
can_queue_in_nftables() {
	nft -f - 2>/dev/null <<-END
		table inet lab-probe { chain c { queue num 100 bypass; }; }
		delete table inet lab-probe
	END
}

enforcer_table_has_owner() { nft list table inet kube-network-policies 2>/dev/null | grep -q "flags owner"; }

# run_network_policies starts the enforcer, which decides over the first packet of each
# connection in user space. Its own rules need CONFIG_NFT_QUEUE; on a kernel without it the same
# packets are led to it by xtables' NFQUEUE, and its complaints about nftables, one a second, are
# left out of the log. As in its own rules, what root sends on the node itself (the kubelet's
# probes) passes.
#
# There the enforcer tries its own rules every second in vain, and each try that adds a chain and takes
# it back makes the kernel drop the packets that wait in the queue. A SYN is sent again after a second, too,
# so it may be dropped time and again. So its table gets an owner: no other process can change it, and its
# tries fail before they add anything.
run_network_policies() {
	local enforcer=("$IN/bin/$(basename "$NETWORKPOLICY")" --kubeconfig="$IN/pki/networkpolicy.kubeconfig" --hostname-override="n$NODE"
		--disable-nri --fail-open=false --metrics-bind-address=127.0.0.1:9080)
	if can_queue_in_nftables; then
		keep networkpolicy "${enforcer[@]}"
		return
	fi
	local chain=LAB-NETPOL direction
	iptables -t mangle -N $chain
	iptables -t mangle -A $chain -m owner --uid-owner 0 -j RETURN
	for direction in -s -d; do
		iptables -t mangle -A $chain -p tcp -m conntrack --ctstate NEW $direction "$(node_pod_cidr "$NODE")" -j NFQUEUE --queue-num 100
	done
	iptables -t mangle -A POSTROUTING -j $chain
	keep nft-owner bash -c '{ echo "add table inet kube-network-policies { flags owner; }"; exec sleep infinity; } | nft -i'
	poll 10 "the owner of the enforcer's nftables table" enforcer_table_has_owner
	keep networkpolicy bash -c '"$@" --strict-mode=false 2>&1 | grep --line-buffered -v "nftables"' - "${enforcer[@]}"
}

main() {
	make_mounts
	make_network
	write_cni_config
	write_containerd_config
	write_kubelet_config
	write_kube_proxy_config

	keep containerd containerd --config $IN/containerd.toml
	poll 30 "containerd on node n$NODE" ctr version
	# Pods need the pause image from the first; the others come by `load.sh`.
	ctr --namespace k8s.io images import - <"$IN/dir/pause.tar"

	local kube=$IN/bin/${KUBE_BIN##*/}
	keep kubelet "$kube/kubelet" --config=$IN/kubelet.yaml --kubeconfig="$IN/pki/n$NODE.kubeconfig" \
		--hostname-override="n$NODE" --node-ip="$IP"
	keep kube-proxy "$kube/kube-proxy" --config=$IN/kube-proxy.yaml --hostname-override="n$NODE"
	run_network_policies

	# As the first process of its pid namespace it inherits orphans; the wait reaps them.
	trap : TERM
	while :; do
		wait || true
		sleep 1
	done
}

main
