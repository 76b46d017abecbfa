# shellcheck shell=bash
# common.sh: what every script of the lab shares: messages, paths, and waiting.
# Sourced; the caller has set -euo pipefail.

# Without it a failure inside $(...) would go unnoticed.
shopt -s inherit_errexit
set -o errtrace
trap 'printf "error: %s, line %s: %s\n" "${BASH_SOURCE[0]}" "$LINENO" "$BASH_COMMAND" >&2' ERR

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
REPO_DIR=$(cd "$LAB_DIR/../.." && pwd)

# The cache holds what is worth keeping between runs: binaries and images. It is outside the
# tree, so that `git clean` costs no minutes, and may be deleted at any time.
CACHE_DIR=${FTP_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ftp-operator}
# The state of running labs. It lies on a disk, not on a tmpfs: containerd's overlayfs needs one.
STATE_DIR=${FTP_OPERATOR_LAB_STATE:-/var/lib/ftp-operator-lab}

say() { printf '==> %s\n' "$*" >&2; }
note() { printf '    %s\n' "$*" >&2; }
die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# poll SECONDS WHAT COMMAND...: runs the command until it succeeds; after SECONDS it fails and
# says what did not come about.
poll() {
	local seconds=$1 what=$2 deadline
	shift 2
	deadline=$((SECONDS + seconds))
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS >= deadline)); then
			printf 'error: %s: not within %s s\n' "$what" "$seconds" >&2
			return 1
		fi
		sleep 0.1
	done
}

need_root() {
	[[ $(id -u) == 0 ]] || die "$1 needs root: it makes namespaces, links and cgroups. Run it with sudo."
}

# need_commands COMMAND...: names all that are missing at once.
need_commands() {
	local missing=() c
	for c in "$@"; do
		command -v "$c" >/dev/null 2>&1 || missing+=("$c")
	done
	((${#missing[@]} == 0)) || die "missing: ${missing[*]}. Run hack/deps.sh as root; it installs them from Debian's packages."
}
