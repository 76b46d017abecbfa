#!/usr/bin/env bash
# bench.sh [flags]: measures the daemon beside Debian's vsftpd, ProFTPD, Pure-FTPd and pyftpdlib on
# this machine, by turns, and writes docs/benchmarks.md. As root, on Linux. Flags go to test/bench;
# -h lists them.
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

if [[ $(id -u) != 0 ]]; then
	echo "error: run this as root: the peers need it to change to a user of their own, and cgroups count what each one uses" >&2
	exit 1
fi
if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg >/dev/null 2>&1; then
	echo "error: this needs Debian's apt-get and dpkg, for the servers to compare with" >&2
	exit 1
fi
hack/deps.sh bench
for peer in "${!packages[@]}"; do
	unpack "$peer" || {
		# The lists may be absent or too old; they are fetched only then.
		apt-get update -q >/dev/null
		unpack "$peer"
	}
done
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
chmod 755 "$bin" # the daemon runs as nobody
go build -trimpath -o "$bin/ftpd" ./cmd/ftpd
go build -trimpath -o "$bin/bench" ./test/bench
"$bin/bench" -peers "$cache" -ftpd "$bin/ftpd" "$@"
