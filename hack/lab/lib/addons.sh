# shellcheck shell=bash
# addons.sh: what runs in the cluster itself: DNS, and load balancer addresses. Sourced.
# Needs a function `kubectl`; `import_image TAR` and DNS_IP for coredns.

# fill FILE NAME=VALUE...: prints the file with every @NAME@ replaced.
fill() {
	local text pair
	text=$(cat "$1")
	shift
	for pair; do
		text=${text//"@${pair%%=*}@"/${pair#*=}}
	done
	printf '%s\n' "$text"
}

install_coredns() {
	import_image "$(make_image coredns "$COREDNS" /coredns 65532:65532)"
	fill "$LAB_DIR/manifests/coredns.yaml" "COREDNS_IMAGE=localhost/coredns:lab" "DNS_IP=$DNS_IP" | kubectl apply -f - >/dev/null
}

# install_metallb CIDR
install_metallb() {
	import_image "$(make_image metallb "$METALLB" /controller 65532:65532)"
	kubectl apply --server-side -f "$METALLB_CRDS" >/dev/null
	fill "$LAB_DIR/manifests/metallb.yaml" "METALLB_IMAGE=localhost/metallb:lab" | kubectl apply -f - >/dev/null
	kubectl wait --for=condition=Established --timeout=30s -f "$METALLB_CRDS" >/dev/null
	fill "$LAB_DIR/manifests/metallb-pool.yaml" "LB_CIDR=$1" | kubectl apply -f - >/dev/null
}

# install_volumes: the storage classes, and the volumes that node-init.sh made folders for: local
# ones, and those that all nodes share.
install_volumes() {
	local n i all
	{
		fill "$LAB_DIR/manifests/storageclass.yaml" "SHARED_CLASS=$SHARED_CLASS"
		for n in $(seq "$NODES"); do
			for i in $(seq "$VOLUMES"); do
				fill "$LAB_DIR/manifests/volume.yaml" "NAME=n$n-$i" CLASS=standard "PATH=/var/lib/lab-volumes/$i" "NODES=n$n"
			done
		done
		all=$(seq --separator=, --format='n%g' "$NODES")
		for i in $(seq "$SHARED_VOLUMES"); do
			fill "$LAB_DIR/manifests/volume.yaml" "NAME=shared-$i" "CLASS=$SHARED_CLASS" "PATH=/var/lib/lab-shared/$i" "NODES=$all"
		done
	} | kubectl apply -f - >/dev/null
}

wait_for_addons() {
	kubectl -n kube-system rollout status deployment/coredns --timeout=90s >/dev/null
	kubectl -n metallb-system rollout status deployment/controller --timeout=90s >/dev/null
}
