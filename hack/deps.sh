#!/usr/bin/env bash
# deps.sh [lab] [e2e] [chart] [clients] [tools] [bench]: installs the programs that the local
# Kubernetes (lab), the tests on it (e2e), of the chart (chart) and with real FTP clients (clients),
# the checks (tools) and the benchmark (bench) need, from the distribution's packages: only what is
# missing, and without starting any service. No argument means all.
set -euo pipefail

# COMMAND:PACKAGE, where a command that is there, whoever installed it, spares the package.
LAB=(containerd:containerd ctr:containerd runc:runc iptables:iptables nft:nftables conntrack:conntrack
	ipset:ipset ebtables:ebtables socat:socat ethtool:ethtool openssl:openssl ip:iproute2
	sysctl:procps unshare:util-linux nsenter:util-linux flock:util-linux mount:mount)
E2E=(haproxy:haproxy curl:curl jq:jq prometheus:prometheus promtool:prometheus)
CHART=(promtool:prometheus)
CLIENTS=(curl:curl lftp:lftp ncftp:ncftp tnftp:tnftp wget:wget rclone:rclone python3:python3
	openssl:openssl strace:strace php:php8.2-cli ruby:ruby node:nodejs npm:npm aria2c:aria2 vsftpd:vsftpd)
# What the servers to compare with need of the system; they themselves are unpacked, see bench.sh.
BENCH=(python3:python3 openssl:openssl mount:mount mkfs.ext4:e2fsprogs curl:curl lftp:lftp strace:strace)
TOOLS=(shellcheck:shellcheck git:git make:make gcc:gcc)

missing_packages() {
	local pair
	for pair; do
		command -v "${pair%%:*}" >/dev/null 2>&1 || echo "${pair#*:}"
	done | sort -u
}

cni_missing() {
	local dir
	for dir in /usr/lib/cni /opt/cni/bin /usr/libexec/cni; do
		if [[ -x $dir/ptp ]]; then return 1; fi
	done
}

wanted=()
packages=()
(($# > 0)) || set -- lab e2e chart clients tools bench
for group; do
	case $group in
	lab)
		wanted+=("${LAB[@]}")
		! cni_missing || packages+=(containernetworking-plugins)
		;;
	e2e) wanted+=("${E2E[@]}") ;;
	chart) wanted+=("${CHART[@]}") ;;
	clients) wanted+=("${CLIENTS[@]}") ;;
	bench) wanted+=("${BENCH[@]}") ;;
	tools)
		wanted+=("${TOOLS[@]}")
		# gcc and this are for the race detector.
		[[ -e /usr/include/stdlib.h ]] || packages+=(libc6-dev)
		;;
	*)
		sed -n '2,5s/^# \{0,1\}//p' "$0"
		exit 2
		;;
	esac
done
mapfile -t -O "${#packages[@]}" packages < <(missing_packages "${wanted[@]}")
if ((${#packages[@]} == 0)); then
	exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
	echo "error: missing, and there is no apt-get here to install them with; install what these Debian packages hold: ${packages[*]}" >&2
	exit 1
fi
if [[ $(id -u) != 0 ]]; then
	echo "error: missing: ${packages[*]}. Run as root: apt-get install --no-install-recommends ${packages[*]}" >&2
	exit 1
fi

# Debian starts a service when its package is installed, unless this file says no.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
	trap 'rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi
echo "==> installing ${packages[*]} (Debian packages; half a minute or so)" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
install() { apt-get install -y --no-install-recommends "${packages[@]}" >"$log" 2>&1; }
# The lists may be absent or too old; they are fetched only then.
if ! install && ! { apt-get update >"$log" 2>&1 && install; }; then
	tail -n 20 "$log" >&2
	rm -f "$log"
	echo "error: apt-get could not install ${packages[*]} (see above)" >&2
	exit 1
fi
rm -f "$log"
