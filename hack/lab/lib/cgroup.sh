# shellcheck shell=bash
# cgroup.sh: the cgroup below which a node's kubelet makes its own. Sourced.
# On cgroup v1 it is made in every hierarchy; on v2 in the one tree, with its controllers passed down.

V2_CONTROLLERS="cpuset cpu io memory pids hugetlb"

cgroup_mounts() { awk -v type="$1" '$3 == type {print $2}' /proc/self/mounts; }

# make_cgroup NAME
make_cgroup() {
	local mount
	for mount in $(cgroup_mounts cgroup); do
		mkdir -p "$mount/$1"
		# A new v1 cpuset is empty, and nothing can run in it until it is not.
		if [[ -e $mount/cpuset.cpus ]]; then
			cat "$mount/cpuset.cpus" >"$mount/$1/cpuset.cpus"
			cat "$mount/cpuset.mems" >"$mount/$1/cpuset.mems"
		fi
	done
	[[ -n $(cgroup_mounts cgroup) ]] || make_cgroup_v2 "$1"
}

make_cgroup_v2() {
	local root controller
	root=$(cgroup_mounts cgroup2 | head -n 1)
	[[ -n $root ]] || die "no cgroup file system is mounted: the kubelet can't work here"
	[[ -f $RUN/cgroup.subtree_control ]] || cat "$root/cgroup.subtree_control" >"$RUN/cgroup.subtree_control"
	for controller in $V2_CONTROLLERS; do
		grep -qw "$controller" "$root/cgroup.controllers" || continue
		echo "+$controller" >"$root/cgroup.subtree_control" 2>/dev/null || true
	done
	for controller in cpu memory pids; do
		grep -qw "$controller" "$root/cgroup.subtree_control" || die "cgroup v2: the controller \"$controller\" can't be enabled in $root/cgroup.subtree_control. \
In a container, give it a cgroup tree of its own whose root holds no process, or run the lab on the host."
	done
	mkdir -p "$root/$1"
	for controller in $(<"$root/cgroup.subtree_control"); do
		echo "+$controller" >"$root/$1/cgroup.subtree_control"
	done
}

# remove_cgroup NAME: every hierarchy's, with what the kubelet made below it. The processes in it
# have been killed; the kernel may need a moment to let go.
remove_cgroup() {
	local mount
	for mount in $(cgroup_mounts cgroup) $(cgroup_mounts cgroup2); do
		[[ -d $mount/$1 ]] || continue
		poll 10 "removal of the cgroup $mount/$1" remove_cgroup_tree "$mount/$1"
	done
}

remove_cgroup_tree() {
	find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null || true
	[[ ! -d $1 ]]
}

# restore_cgroup_controllers: on v2, takes back the controllers that make_cgroup_v2 enabled.
restore_cgroup_controllers() {
	local root controller
	[[ -f $RUN/cgroup.subtree_control ]] || return 0
	root=$(cgroup_mounts cgroup2 | head -n 1)
	for controller in $(<"$root/cgroup.subtree_control"); do
		grep -qw "$controller" "$RUN/cgroup.subtree_control" || echo "-$controller" >"$root/cgroup.subtree_control" 2>/dev/null || true
	done
}
