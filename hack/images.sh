#!/usr/bin/env bash
# images.sh [operator] [relay] [previous] [previous-chart]: builds container images without a container
# engine, into dist/:
#
#   operator   dist/ftp-operator.tar   localhost/ftp-operator:dev, with /manager and /ftpd
#   relay      dist/relay.tar          localhost/ftp-operator-relay:dev, which the e2e tests run in a pod
#   previous   dist/previous.tar       localhost/ftp-operator-previous:dev, the operator's image of the previous
#                                      release, which the e2e tests run beside this one
#   previous-chart  dist/previous-chart, the previous release's chart
#
# Each also has a tag made from its content, which is written to dist/NAME.ref, so that a
# Deployment that names it rolls exactly when the image changed. Without an argument: operator and relay.
# VERSION (default: the chart's appVersion) is the version that the binaries report.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=hack/lab/lib/common.sh
. hack/lab/lib/common.sh
# shellcheck source=hack/lab/lib/progress.sh
. hack/lab/lib/progress.sh

app_version=$(sed -n 's/^appVersion: *"\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' charts/ftp-operator/Chart.yaml)
version=${VERSION:-v$app_version-dev}

# The previous release: the last commit whose daemon refuses a configuration with a key that it does not
# know. Any release since then is an easier neighbour. test/cel has the keys that it knows.
PREVIOUS=6daaef0601d2ba64fc85f365ff499ce4c28f7b1e

need_previous() {
	git cat-file -e "$PREVIOUS^{commit}" 2>/dev/null ||
		die "the history here does not have the commit $PREVIOUS, of which the previous release is built: run git fetch --unshallow, \
or, to leave the tests of version skew out, set PREVIOUS_IMAGE=none"
}

binary() { # OUT PACKAGE
	with_progress "${1##*/}" 0 env CGO_ENABLED=0 GOOS=linux go build -v -trimpath -buildvcs=false \
		-ldflags "-s -w -X github.com/ftp-operator/ftp-operator/internal/version.version=$version" -o "$1" "$2"
}

image() { # NAME REF ARGUMENTS...
	local name=$1 ref=$2
	shift 2
	with_progress image 0 go build -v -o dist/image ./hack/image
	dist/image --out "dist/$name.tar" --ref "$ref" "$@" | tail -n 1 >"dist/$name.ref"
	note "dist/$name.tar: $ref, $(cat "dist/$name.ref")"
}

mkdir -p dist
(($# > 0)) || set -- operator relay
for what; do
	case $what in
	operator)
		say "building the operator's image ($version; a minute or two the first time)"
		binary dist/manager ./cmd/manager
		binary dist/ftpd ./cmd/ftpd
		image ftp-operator localhost/ftp-operator:dev --entrypoint /manager \
			--binary /manager=dist/manager --binary /ftpd=dist/ftpd
		;;
	relay)
		say "building the image of the tests' relay"
		binary dist/relay ./test/e2e/relay
		image relay localhost/ftp-operator-relay:dev --entrypoint /relay,pause --binary /relay=dist/relay
		;;
	previous)
		# Always the same, so that it is built once.
		[[ ! -s dist/previous.tar || $(cat dist/previous.commit 2>/dev/null) != "$PREVIOUS" ]] || continue
		need_previous
		say "building the operator's image of the previous release (${PREVIOUS:0:7}; a minute or two)"
		(
			out=$PWD/dist
			sources=$(mktemp -d)
			trap 'rm -rf "$sources"' EXIT
			git archive "$PREVIOUS" | tar -x -C "$sources"
			cd "$sources"
			version=v$app_version-previous
			binary "$out/previous-manager" ./cmd/manager
			binary "$out/previous-ftpd" ./cmd/ftpd
		)
		image previous localhost/ftp-operator-previous:dev --entrypoint /manager \
			--binary /manager=dist/previous-manager --binary /ftpd=dist/previous-ftpd
		echo "$PREVIOUS" >dist/previous.commit
		;;
	previous-chart)
		need_previous
		rm -rf dist/previous-chart
		mkdir dist/previous-chart
		git archive "$PREVIOUS:charts/ftp-operator" | tar -x -C dist/previous-chart
		;;
	*)
		sed -n '2,13s/^# \{0,1\}//p' "$0"
		exit 2
		;;
	esac
done
