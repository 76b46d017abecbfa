# shellcheck shell=bash
# controlplane.sh: etcd, API server, controller manager and scheduler, as processes of the host
# that listen on the bridge's address (the API server) and on loopback (etcd) only. Sourced.

make_bridge() {
	ip link add "$BRIDGE" type bridge
	ip addr add "$HOST_IP/24" dev "$BRIDGE"
	ip link set "$BRIDGE" up
}

start_control_plane() {
	local etcd=https://127.0.0.1:$ETCD_PORT etcd_peers=https://127.0.0.1:$((ETCD_PORT + 1))
	# Losing the data when the machine crashes is no loss here, and waiting for the disk is. Both ports
	# ask for a client certificate, so that no other program on this machine reads or changes the store.
	start etcd "$KUBE_BIN/etcd" --name=lab --data-dir="$RUN/etcd" --unsafe-no-fsync --log-level=warn \
		--listen-client-urls="$etcd" --advertise-client-urls="$etcd" \
		--client-cert-auth --trusted-ca-file="$PKI/etcd-ca.crt" --cert-file="$PKI/etcd.crt" --key-file="$PKI/etcd.key" \
		--listen-peer-urls="$etcd_peers" --initial-advertise-peer-urls="$etcd_peers" --initial-cluster="lab=$etcd_peers" \
		--peer-client-cert-auth --peer-trusted-ca-file="$PKI/etcd-ca.crt" --peer-cert-file="$PKI/etcd.crt" --peer-key-file="$PKI/etcd.key"

	start_api_server

	start kube-controller-manager "$KUBE_BIN/kube-controller-manager" --kubeconfig="$PKI/kube-controller-manager.kubeconfig" \
		--leader-elect=false --secure-port=0 --root-ca-file="$PKI/ca.crt" \
		--service-account-private-key-file="$PKI/sa.key" --use-service-account-credentials \
		--allocate-node-cidrs=false --node-monitor-grace-period=20s --pvclaimbinder-sync-period=1s \
		--flex-volume-plugin-dir="$RUN/volume-plugins"
	start kube-scheduler "$KUBE_BIN/kube-scheduler" --kubeconfig="$PKI/kube-scheduler.kubeconfig" \
		--leader-elect=false --secure-port=0
}

# start_api_server: starts it, and waits until it is ready.
start_api_server() {
	start kube-apiserver "$KUBE_BIN/kube-apiserver" --etcd-servers="https://127.0.0.1:$ETCD_PORT" \
		--etcd-cafile="$PKI/etcd-ca.crt" --etcd-certfile="$PKI/etcd.crt" --etcd-keyfile="$PKI/etcd.key" \
		--bind-address="$HOST_IP" --advertise-address="$HOST_IP" --secure-port=6443 \
		--service-cluster-ip-range="$SERVICE_CIDR" --service-node-port-range=30000-32767 \
		--authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
		--client-ca-file="$PKI/ca.crt" --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
		--kubelet-client-certificate="$PKI/admin.crt" --kubelet-client-key="$PKI/admin.key" \
		--kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP \
		--service-account-issuer=https://kubernetes.default.svc \
		--service-account-key-file="$PKI/sa.key" --service-account-signing-key-file="$PKI/sa.key" \
		--endpoint-reconciler-type=lease --profiling=false
	wait_for_api
}

wait_for_api() {
	if ! poll 90 "API server at https://$HOST_IP:6443 ready" kubectl get --raw /readyz; then
		tail -n 5 "$LOGS/etcd.log" "$LOGS/kube-apiserver.log" >&2
		return 1
	fi
}

stop_control_plane() {
	local part
	# The API server last of the Kubernetes parts, then its store; none has anything worth saving.
	for part in router kube-scheduler kube-controller-manager kube-apiserver etcd; do
		stop $part KILL 1
	done
}

kubectl() { "$KUBE_BIN/kubectl" --kubeconfig="$ADMIN_KUBECONFIG" "$@"; }
