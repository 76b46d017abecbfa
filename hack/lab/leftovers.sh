#!/usr/bin/env bash
# leftovers.sh snapshot FILE: writes down what a lab could leave behind on this machine:
#   processes, mounts, cgroups, links, addresses, routes, packet filter rules, sysctls, folders.
# leftovers.sh compare FILE: compares with now; prints what differs and fails if anything does.
set -euo pipefail
# shellcheck source=hack/lab/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=hack/lab/lib/cgroup.sh
. "$LAB_DIR/lib/cgroup.sh"

# Settings that change by themselves.
VOLATILE='^(fs\.(dentry-state|file-nr|inode-nr|inode-state|quota\.)|kernel\.(random\.|ns_last_pid|pty\.nr|sched_domain\.)|net\.netfilter\.nf_conntrack_count|vm\.stat_refresh|sunrpc\.)'

# A process of a lab: one that its cgroup, its command line, or (for a container runtime, of which
# every one counts) its name gives away. It is told by where it is, not by its pid, so that another
# lab, in which pods come and go, makes no difference.
processes() {
	local dir name line cgroup namespace
	for dir in /proc/[0-9]*; do
		{
			# cat, and not $(<file): bash 5.2 ends the script if that file is gone.
			name=$(cat "$dir/comm")
			line=$(tr '\0' ' ' <"$dir/cmdline")
			cgroup=$(cat "$dir/cgroup")
			namespace=$(readlink "$dir/ns/pid")
		} 2>/dev/null || continue
		if [[ $cgroup =~ /(ftplab[0-9]+-n[0-9]+) ]]; then
			echo "process in the cgroup ${BASH_REMATCH[1]}"
		elif [[ $line =~ $STATE_DIR/([^/ ]+) ]]; then
			echo "process $name of the lab ${BASH_REMATCH[1]}"
		elif [[ $name =~ ^(containerd.*|runc.*|unshare)$ || $line == *" /run/lab/"* || $line == *node-init.sh* ]]; then
			echo "process $name in $namespace"
		fi
	done
}

mounts() { awk '{print "mount " $3, $4, $5}' /proc/self/mountinfo; }

# Those of a lab only: others come and go with the services of the machine.
cgroups() {
	local mount
	for mount in $(cgroup_mounts cgroup) $(cgroup_mounts cgroup2); do
		find "$mount" -type d \( -name 'ftplab*' -o -name 'kubepods*' -o -name k8s.io \) -prune -printf 'cgroup %p\n'
	done
}

network() {
	ip -oneline link | awk '{print "link " $2}'
	ip -oneline addr | awk '{print "address " $2, $4}'
	ip route show table all | sed 's/^/route /'
	ip -6 route show table all | sed -E 's/ expires [0-9a-z]+//; s/^/route6 /'
	ip rule | sed 's/^/rule /'
	ip netns list | sed 's/^/netns /'
	! command -v nft >/dev/null || nft list ruleset | sed 's/^/nft /'
}

sysctls() { sysctl --all 2>/dev/null | grep -Ev "$VOLATILE" | sed 's/^/sysctl /'; }

folders() {
	local folder
	for folder in /var/lib/{kubelet,containerd,cni} /etc/{cni,kubernetes} /opt/{cni,containerd} /run/{containerd,netns,flannel} \
		/usr/libexec/kubernetes /var/log/{pods,containers} "$STATE_DIR"; do
		[[ ! -e $folder ]] || find "$folder" -maxdepth 2 -printf 'folder %p\n' 2>/dev/null
	done
}

snapshot() {
	# `ss -H` would also name clients that come and go; the listeners of the lab are processes of it.
	{ processes && mounts && cgroups && network && sysctls && folders; } | sort --unique
}

case ${1-} in
snapshot)
	snapshot >"${2:?snapshot needs a file name}"
	;;
compare)
	[[ -f ${2:?compare needs a file name} ]] || die "there is no snapshot $2"
	# What was killed a moment ago may take one more to vanish from the tables.
	same() { difference=$(diff --unchanged-line-format= --old-line-format='gone:  %L' --new-line-format='left:  %L' "$1" <(snapshot)); }
	if poll 10 "the state of before" same "$2" 2>/dev/null; then
		note "nothing was left behind: no process, mount, cgroup, link, route, rule, changed sysctl or folder"
	else
		printf '%s\n' "$difference" >&2
		die "the machine is not as it was before (see above)"
	fi
	;;
*)
	sed -n '2,4s/^# \{0,1\}//p' "$0"
	exit 2
	;;
esac
