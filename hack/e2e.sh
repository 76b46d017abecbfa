#!/usr/bin/env bash
# e2e.sh [KUBECONFIG]: the tests of test/e2e on a real cluster. Without a kubeconfig a cluster is
# made for them and taken down again, whatever happens; on Linux it is then proved that nothing of
# it is left on this machine.
#
#   FOCUS=TEXT     only tests whose names match
#   NODES=1|2      nodes of the local cluster (default 2; with 1, what needs two is left out)
#   IMAGE, RELAY_IMAGE   images that the cluster can pull, for clusters that no local one can be loaded into
#   PREVIOUS_IMAGE   likewise, of the previous release (hack/images.sh previous); none: version skew is not
#                  tested, which is the default with IMAGE
#   E2E_LB_CIDR    load balancer addresses that this machine can reach and that nobody else uses
#   E2E_SHARED_CLASS   a StorageClass of volumes that several nodes can mount
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=hack/cluster.sh
. hack/cluster.sh

LAB=e2e
GIVEN_KUBECONFIG=${1-}
CLUSTER_KIND=
before=
failures= # the file in which this run writes what failed

finish() {
	local status=$?
	trap - EXIT INT TERM HUP
	[[ -z $CLUSTER_KIND ]] || end_cluster $LAB || status=1
	if [[ -n $before ]]; then
		if [[ $CLUSTER_KIND == lab ]] && ! hack/lab/leftovers.sh compare "$before"; then
			status=1
		fi
		rm -f "$before"
	fi
	if [[ -s $failures ]]; then
		say "what failed and why"
		cat "$failures"
	fi
	exit "$status"
}

say "end-to-end tests: a real cluster, the operator's image and chart, and FTP through all of it"
if [[ -z $GIVEN_KUBECONFIG && $(uname -s) == Linux && $(id -u) == 0 ]]; then
	hack/deps.sh lab e2e
	# Built beforehand, so that the snapshot is taken right before the cluster comes.
	hack/lab/build.sh all >/dev/null
	# What an earlier, killed run may have left.
	hack/lab/down.sh --name $LAB
	before=$(mktemp)
	hack/lab/leftovers.sh snapshot "$before"
fi
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

choose_cluster $LAB --nodes "${NODES:-2}"
find_tools
image=${IMAGE-} relay=${RELAY_IMAGE-}
if [[ -z $image ]]; then
	hack/images.sh operator
	load_image $LAB dist/ftp-operator.tar
	image=$(cat dist/ftp-operator.ref)
fi
if [[ -z $relay ]]; then
	hack/images.sh relay
	load_image $LAB dist/relay.tar
	relay=$(cat dist/relay.ref)
fi
previous=${PREVIOUS_IMAGE:-${IMAGE:+none}}
untested=
if [[ $previous != none ]] && ! hack/images.sh previous-chart; then
	# The other tests run all the same.
	untested="NOT TESTED: version skew, for the reason above"
	previous=none
fi
if [[ $previous != none ]]; then
	export E2E_PREVIOUS_CHART=$PWD/dist/previous-chart
	if [[ -z $previous ]]; then
		hack/images.sh previous
		load_image $LAB dist/previous.tar
		previous=$(cat dist/previous.ref)
	fi
	export E2E_PREVIOUS_IMAGE=$previous
fi

export E2E_KUBECONFIG=$KUBECONFIG E2E_KUBECTL=$KUBECTL E2E_HELM=$HELM E2E_IMAGE=$image E2E_RELAY_IMAGE=$relay
# What can be done to a lab's machines; another cluster's are left in peace.
lab=$(given_lab)
if [[ -n $lab && $(id -u) == 0 ]]; then
	export E2E_NODE="$PWD/hack/lab/node.sh --name $lab" E2E_APISERVER="$PWD/hack/lab/apiserver.sh --name $lab"
fi
export E2E_LB_CIDR=${E2E_LB_CIDR:-$LB_CIDR} E2E_SHARED_CLASS=${E2E_SHARED_CLASS:-$SHARED_CLASS}
export E2E_ARTIFACTS=${E2E_ARTIFACTS:-$PWD/dist/e2e}
rm -rf "$E2E_ARTIFACTS"
failures=$E2E_ARTIFACTS/failures.txt
arguments=()
[[ -z ${FOCUS-} ]] || arguments+=("-ginkgo.focus=$FOCUS")
say "go test ./test/e2e"
go test -count=1 -timeout 60m ./test/e2e -v -ginkgo.v "${arguments[@]}"
[[ -z $untested ]] || say "$untested"
