#!/usr/bin/env bash
# build.sh NAME...: builds programs that the local Kubernetes is made of, each from its own Go
# module below modules/, and prints the path of each. NAME is kube, coredns, metallb,
# networkpolicy or all.
#
# Results are cached outside the tree under a name that holds a hash of the module's files, so a
# changed pin is rebuilt and nothing else is. kube is every part of Kubernetes in one binary,
# chosen by the name it is called by; `build.sh kube-bin` prints a folder of such names, which
# also serves as KUBEBUILDER_ASSETS.
set -euo pipefail
# shellcheck source=hack/lab/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=hack/lab/lib/progress.sh
. "$LAB_DIR/lib/progress.sh"

KUBE_PARTS=(etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl)

usage() {
	sed -n '2,10s/^# \{0,1\}//p' "$0"
	exit "${1:-2}"
}

# package NAME: what to build in the module.
package() {
	case $1 in
	kube | coredns) echo . ;;
	metallb) echo go.universe.tf/metallb/controller ;;
	networkpolicy) echo sigs.k8s.io/kube-network-policies/cmd/kube-network-policies/standard ;;
	*) die "build.sh: no program is called \"$1\"; there are kube, coredns, metallb and networkpolicy" ;;
	esac
}

# duration NAME: how long a first build takes on two cores.
duration() {
	case $1 in
	kube) echo "about 6 minutes" ;;
	*) echo "1 to 3 minutes" ;;
	esac
}

# size NAME: about how many packages are compiled if none is in Go's cache, for the progress lines.
size() {
	case $1 in
	kube) echo 2800 ;;
	coredns) echo 550 ;;
	metallb) echo 600 ;;
	networkpolicy) echo 500 ;;
	esac
}

# ldflags NAME: kube reports the version that is pinned in its go.mod.
ldflags() {
	local flags="-s -w" version p
	if [[ $1 == kube ]]; then
		version=$(awk '$1 == "k8s.io/kubernetes" {print $2; exit}' "$LAB_DIR/modules/kube/go.mod")
		for p in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
			flags+=" -X $p.gitVersion=$version -X $p.gitMajor=1 -X $p.gitMinor=$(cut -d. -f2 <<<"$version")"
			flags+=" -X $p.gitCommit=0000000000000000000000000000000000000000 -X $p.gitTreeState=clean"
		done
	fi
	echo "$flags"
}

module_hash() {
	# main.go is there only where the module has a program of its own.
	(cd "$LAB_DIR/modules/$1" && find . -maxdepth 1 -type f \( -name 'go.*' -o -name '*.go' \) -print0 |
		sort -z | xargs -0 cat) | sha256sum | cut -c1-12
}

# build NAME: builds it unless it is there, and prints its path.
build() {
	local name=$1 pkg flags out
	pkg=$(package "$name")
	mkdir -p "$CACHE_DIR/bin"
	out=$CACHE_DIR/bin/$name-$(module_hash "$name")
	(
		flock 9
		if [[ ! -x $out ]]; then
			need_commands go
			flags=$(ldflags "$name")
			say "building $name for the local Kubernetes (${out##*/}; $(duration "$name") the first time)"
			SECONDS=0
			# The kept flags are the point of the build cache: with others everything is compiled anew.
			with_progress "$name" "$(size "$name")" env GOWORK=off GOFLAGS=-buildvcs=false CGO_ENABLED=0 \
				go build -C "$LAB_DIR/modules/$name" -v -trimpath -ldflags "$flags" -o "$out.part" "$pkg"
			mv "$out.part" "$out"
			note "$name built in $SECONDS s"
		fi
	) 9>"$CACHE_DIR/bin/.$name.lock" >&2
	echo "$out"
}

# kube_bin: a folder with a symlink for each part of Kubernetes.
kube_bin() {
	local kube folder part
	kube=$(build kube)
	folder=$kube.bin
	mkdir -p "$folder"
	for part in "${KUBE_PARTS[@]}"; do
		ln -sfn "../${kube##*/}" "$folder/$part"
	done
	echo "$folder"
}

# metallb_crds: a folder with the CRDs of the very version that was built.
metallb_crds() {
	local folder module
	folder=$CACHE_DIR/bin/metallb-$(module_hash metallb).crds
	if [[ ! -d $folder ]]; then
		module=$(cd "$LAB_DIR/modules/metallb" && GOWORK=off go list -m -f '{{.Dir}}' go.universe.tf/metallb)
		rm -rf "$folder.part"
		mkdir -p "$folder.part"
		cp "$module"/config/crd/bases/*.yaml "$folder.part/"
		chmod -R u+w "$folder.part"
		mv "$folder.part" "$folder"
	fi
	echo "$folder"
}

main() {
	(($# > 0)) || usage
	local name
	for name; do
		case $name in
		-h | --help) usage 0 ;;
		all) main kube coredns metallb networkpolicy ;;
		kube-bin) kube_bin ;;
		metallb-crds) metallb_crds ;;
		*) build "$name" ;;
		esac
	done
}

main "$@"
