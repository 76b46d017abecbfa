# shellcheck shell=bash
# cluster.sh: what the demo and the e2e tests share: which cluster to use, and how to get images
# into it. Sourced from the root of the repository, with set -euo pipefail.

# shellcheck source=hack/lab/lib/common.sh
. hack/lab/lib/common.sh

# choose_cluster LAB-NAME LAB-ARGUMENTS...: sets KUBECONFIG, CLUSTER_KIND (own, lab or kind), LB_CIDR
# (load balancer addresses that this machine reaches, or empty) and SHARED_CLASS (the class of volumes
# that several nodes can share, or empty).
#   own    the user named a kubeconfig: $GIVEN_KUBECONFIG
#   lab    the local Kubernetes of hack/lab, where this machine can run it
#   kind   kind, where docker works and the lab can't
choose_cluster() {
	local lab=$1
	shift
	LB_CIDR=
	SHARED_CLASS=
	if [[ -n $GIVEN_KUBECONFIG ]]; then
		[[ -f $GIVEN_KUBECONFIG ]] || die "KUBECONFIG=$GIVEN_KUBECONFIG: there is no such file"
		CLUSTER_KIND=own
		KUBECONFIG=$(realpath "$GIVEN_KUBECONFIG")
		[[ -z $(given_lab) ]] || lab_settings
	elif [[ $(uname -s) == Linux && $(id -u) == 0 ]]; then
		CLUSTER_KIND=lab
		hack/deps.sh lab
		KUBECONFIG=$(hack/lab/up.sh --name "$lab" "$@")
		lab_settings
	elif have_kind; then
		CLUSTER_KIND=kind
		start_kind "$lab"
	else
		die "no cluster to use. As root on Linux one is made for you; with docker and kind in the PATH, one is made there; or name your own: make ... KUBECONFIG=FILE"
	fi
	export KUBECONFIG LB_CIDR SHARED_CLASS
}

# given_lab: the name of the lab whose kubeconfig this is, if it is one's.
given_lab() {
	[[ $KUBECONFIG != "$STATE_DIR"/*/admin.kubeconfig ]] || basename "$(dirname "$KUBECONFIG")"
}

# lab_settings: what up.sh wrote beside the kubeconfig.
lab_settings() {
	LB_CIDR=$(lab_setting LB_CIDR)
	SHARED_CLASS=$(lab_setting SHARED_CLASS)
}
lab_setting() { sed -n "s/^$1=//p" "$(dirname "$KUBECONFIG")/env"; }

have_kind() { command -v kind >/dev/null 2>&1 && docker info >/dev/null 2>&1; }

kind_name() { echo "ftp-operator-$1"; }

start_kind() {
	local name
	name=$(kind_name "$1")
	mkdir -p "$CACHE_DIR"
	KUBECONFIG=$CACHE_DIR/$name.kubeconfig
	if ! kind get clusters 2>/dev/null | grep -qx "$name"; then
		say "starting a kind cluster \"$name\" (about a minute)"
		kind create cluster --name "$name" --kubeconfig "$KUBECONFIG" --wait 120s >&2
	fi
	export KUBECONFIG
	CLUSTER_KIND=kind
	find_tools
	kind_load_balancer "$1"
}

# kind_load_balancer LAB-NAME: kind has none. MetalLB's controller gives out one address, the node's
# own, for which kube-proxy answers; on Linux this machine reaches it.
kind_load_balancer() (
	# shellcheck source=hack/lab/lib/images.sh
	. hack/lab/lib/images.sh
	# shellcheck source=hack/lab/lib/addons.sh
	. hack/lab/lib/addons.sh
	lab=$1
	import_image() { load_image "$lab" "$1"; }
	METALLB=$(hack/lab/build.sh metallb)
	METALLB_CRDS=$(hack/lab/build.sh metallb-crds)
	node=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(kind_name "$lab")-control-plane")
	install_metallb "$node/32"
	kubectl -n metallb-system rollout status deployment/controller --timeout=90s >/dev/null
)

# end_cluster LAB-NAME: ends what choose_cluster started; a cluster of the user's own stays.
end_cluster() {
	case $CLUSTER_KIND in
	lab) hack/lab/down.sh --name "$1" ;;
	kind)
		kind delete cluster --name "$(kind_name "$1")" >&2
		rm -f "$CACHE_DIR/$(kind_name "$1").kubeconfig"
		;;
	esac
}

# load_image LAB-NAME TAR: makes the image's names known to the cluster's nodes.
load_image() {
	case $CLUSTER_KIND in
	lab) hack/lab/load.sh --name "$1" "$2" ;;
	kind) kind load image-archive --name "$(kind_name "$1")" "$2" >&2 ;;
	own)
		# A lab is known by its kubeconfig's place, a kind cluster of the user's by its context.
		local context name
		name=$(given_lab)
		if [[ -n $name ]]; then
			hack/lab/load.sh --name "$name" "$2"
			return
		fi
		context=$(kubectl config current-context)
		if [[ $context == kind-* ]] && have_kind; then
			kind load image-archive --name "${context#kind-}" "$2" >&2
			return
		fi
		die "how this cluster's nodes get a local image is unknown here. Push the image to a registry that they can pull from \
(docker load -i $2; docker tag; docker push) and name it: IMAGE=registry.example.com/ftp-operator:dev"
		;;
	esac
}

# kubectl and helm: those of the PATH, else our own builds.
find_tools() {
	KUBECTL=$(type -P kubectl || true)
	# The lab is newer than many a kubectl.
	if [[ -z $KUBECTL || $CLUSTER_KIND == lab ]]; then
		KUBECTL=$(hack/lab/build.sh kube-bin)/kubectl
	fi
	HELM=$(hack/tools.sh helm)
	export KUBECTL HELM
}
kubectl() { "$KUBECTL" "$@"; }
