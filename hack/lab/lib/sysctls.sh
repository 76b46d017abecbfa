# shellcheck shell=bash
# sysctls.sh: the machine-wide settings that a lab changes: a kubelet those that are in no
# namespace, and route_services how the host spreads connections over nodes. They are saved when the first lab comes and put back when the last one goes. Sourced; both
# functions are called with the lock held.

LAB_SYSCTLS=(vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops
	kernel.keys.root_maxkeys kernel.keys.root_maxbytes
	net.ipv4.fib_multipath_hash_fields net.ipv4.fib_multipath_hash_policy)

save_sysctls() {
	[[ ! -f $STATE_DIR/sysctls ]] || return 0
	sysctl --ignore "${LAB_SYSCTLS[@]}" >"$STATE_DIR/sysctls.part" 2>/dev/null || true
	mv "$STATE_DIR/sysctls.part" "$STATE_DIR/sysctls"
}

restore_sysctls() {
	[[ -f $STATE_DIR/sysctls ]] || return 0
	if compgen -G "$STATE_DIR/*/slot" >/dev/null; then return 0; fi
	sysctl --quiet --ignore --load "$STATE_DIR/sysctls" >/dev/null
	rm -f "$STATE_DIR/sysctls"
}
