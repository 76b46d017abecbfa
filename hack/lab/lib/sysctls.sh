# shellcheck shell=bash
# sysctls.sh: the machine-wide settings that a kubelet changes; they are in no namespace. They
# are saved when the first lab comes and put back when the last one goes. Sourced; both
# functions are called with the lock held.

KUBELET_SYSCTLS=(vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops
	kernel.keys.root_maxkeys kernel.keys.root_maxbytes)

save_sysctls() {
	[[ ! -f $STATE_DIR/sysctls ]] || return 0
	sysctl --ignore "${KUBELET_SYSCTLS[@]}" >"$STATE_DIR/sysctls.part" 2>/dev/null || true
	mv "$STATE_DIR/sysctls.part" "$STATE_DIR/sysctls"
}

restore_sysctls() {
	[[ -f $STATE_DIR/sysctls ]] || return 0
	if compgen -G "$STATE_DIR/*/slot" >/dev/null; then return 0; fi
	sysctl --quiet --ignore --load "$STATE_DIR/sysctls" >/dev/null
	rm -f "$STATE_DIR/sysctls"
}
