#!/usr/bin/env bash
# bench.sh [flags]: measures the daemon beside Debian's vsftpd, ProFTPD, Pure-FTPd and pyftpdlib on
# this machine, by turns, and writes docs/benchmarks.md. As root, on Linux. Flags go to test/bench;
# -h lists them.
#
#   BASE=COMMIT   measures the daemon of that commit, too, and compares the two pair by pair
#   DIR=FOLDER    where the files lie. Default: on a new ext4 with a journal, in an image of its own. (On ext4
#                 without a journal, which some machines have, creating a file takes ten times as long once many
#                 were deleted, and a benchmark would measure that.)
#
# The peers' packages conflict, so they are not installed: they are unpacked, with the libraries
# that are missing here, into a cache from which they run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache=${FTP_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ftp-operator}/bench
declare -A packages=(
	[vsftpd]=vsftpd
	[proftpd]="proftpd-core proftpd-mod-crypto"
	[pure-ftpd]="pure-ftpd pure-ftpd-common"
	[pyftpdlib]="python3-pyftpdlib python3-openssl"
)

# needed PACKAGE ...: they, and what has to be installed for them here.
needed() {
	{
		printf '%s\n' "$@"
		apt-get -s install --no-install-recommends "$@" | awk '/^Inst/ {print $2}'
	} | sort -u
}

# unpack PEER: fetches and unpacks what it consists of, unless that is there.
unpack() {
	local peer=$1 dir=$cache/$1 temp list
	[[ ! -e $dir/complete ]] || return 0
	echo "==> fetching and unpacking $peer" >&2
	temp=$(mktemp -d)
	chmod 755 "$temp"
	# shellcheck disable=SC2086 # a list
	mapfile -t list < <(needed ${packages[$peer]})
	(cd "$temp" && apt-get download -q "${list[@]}" >log 2>&1) || {
		cat "$temp/log" >&2
		rm -rf "$temp"
		return 1
	}
	rm -rf "$dir"
	mkdir -p "$dir"
	for deb in "$temp"/*.deb; do
		dpkg -x "$deb" "$dir"
	done
	rm -rf "$temp"
	touch "$dir/complete"
}

commit=
if [[ -n ${BASE-} ]]; then
	commit=$(git rev-parse --verify --quiet --short "$BASE^{commit}") || {
		echo "error: BASE=$BASE: there is no such commit here; git log lists those there are" >&2
		exit 2
	}
fi
if [[ $(id -u) != 0 ]]; then
	echo "error: run this as root: the peers need it to change to a user of their own, and cgroups count what each one uses" >&2
	exit 1
fi
if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg >/dev/null 2>&1; then
	echo "error: this needs Debian's apt-get and dpkg, for the servers to compare with" >&2
	exit 1
fi
bin=$(mktemp -d)
finish() {
	local status=$?
	trap - EXIT INT TERM HUP
	if mountpoint -q "$bin/files"; then umount "$bin/files"; fi
	rm -rf "$bin"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
chmod 755 "$bin" # the daemon runs as nobody
hack/deps.sh bench
go build -trimpath -o "$bin/bench" ./test/bench
# What can't work is told before anything is fetched; with an image of its own, the space is that of the image.
"$bin/bench" -check -dir "${DIR:-$bin}" "$@"
for peer in "${!packages[@]}"; do
	unpack "$peer" || {
		# The lists may be absent or too old; they are fetched only then.
		apt-get update -q >/dev/null
		unpack "$peer"
	}
done
flags=()
if [[ -n $commit ]]; then
	mkdir "$bin/base"
	git archive "$commit" | tar -x -C "$bin/base"
	(cd "$bin/base" && go build -trimpath -buildvcs=false -o "$bin/ftpd-base" ./cmd/ftpd) || {
		echo "error: BASE=$BASE: the daemon of that commit does not build (see above); name another one" >&2
		exit 2
	}
	rm -rf "$bin/base"
	flags+=(-base "$bin/ftpd-base" -base-name "$commit")
fi
go build -trimpath -o "$bin/ftpd" ./cmd/ftpd
dir=${DIR-}
if [[ -z $dir ]]; then
	dir=$bin/files
	mkdir "$dir"
	truncate -s 24G "$bin/image" # it takes the space of what is written
	mkfs.ext4 -q -F -i 8192 -E lazy_itable_init=0,lazy_journal_init=0 "$bin/image" >/dev/null
	mount -o loop "$bin/image" "$dir"
	flags+=(-image "$bin")
	chmod 755 "$dir"
fi
"$bin/bench" -peers "$cache" -ftpd "$bin/ftpd" -dir "$dir" "${flags[@]}" "$@"
