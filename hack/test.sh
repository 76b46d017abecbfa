#!/usr/bin/env bash
# test.sh STEP...: runs `make STEP` for each step, in order, and every step even if an earlier one
# failed. A step written as beside:STEP runs beside the steps that follow it; its output comes when
# it has ended. The summary at the end names each step, how it ended and how long it took; the exit
# status is 1 if any step failed.
#
# An interrupt ends the run at once, with a summary of what had been run.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

(($# > 0)) || {
	sed -n '2,7s/^# \{0,1\}//p' "$0"
	exit 2
}
results=()
failed=0
beside='' beside_pid='' beside_out='' beside_started=0

summary() {
	echo "==> summary"
	printf '    %s\n' "${results[@]}"
	if ((failed > 0)); then
		echo "==> $failed of ${#results[@]} steps failed"
	else
		echo "==> all ${#results[@]} steps passed"
	fi
}

# ended STEP STATUS STARTED notes how a step ended.
ended() {
	local ending=passed
	if (($2 != 0)); then
		ending=FAILED
		failed=$((failed + 1))
	fi
	results+=("$(printf '%-12s %s in %s s' "$1" "$ending" "$((SECONDS - $3))")")
	echo "    ${results[-1]}"
}

# start_beside STEP starts a step in the background, in a process group of its own.
start_beside() {
	beside=$1 beside_out=$(mktemp) beside_started=$SECONDS
	echo "==> make $beside, beside the steps that follow; its output comes at the end"
	set -m
	make --no-print-directory "$beside" >"$beside_out" 2>&1 &
	beside_pid=$!
	set +m
}

# await_beside waits for that step, and shows its output.
await_beside() {
	[[ -n $beside_pid ]] || return 0
	local status=0 waited=0
	echo "==> waiting for make $beside"
	while kill -0 "$beside_pid" 2>/dev/null; do
		sleep 1
		if ((++waited % 60 == 0)); then
			echo "    make $beside has been running for $((SECONDS - beside_started)) s; its last line: $(tail -n 1 "$beside_out")"
		fi
	done
	wait "$beside_pid" || status=$?
	beside_pid=''
	echo "==> make $beside"
	cat "$beside_out"
	rm -f "$beside_out"
	ended "$beside" "$status" "$beside_started"
}

interrupted() {
	trap '' INT TERM
	if [[ -n $beside_pid ]]; then
		kill -INT -- "-$beside_pid" 2>/dev/null
		wait "$beside_pid"
		rm -f "$beside_out"
	fi
	echo "==> interrupted"
	summary
	exit 130
}
trap interrupted INT TERM

for step; do
	if [[ $step == beside:* ]]; then
		await_beside # one at a time
		start_beside "${step#beside:}"
		continue
	fi
	started=$SECONDS status=0
	echo "==> make $step"
	make --no-print-directory "$step" || status=$?
	ended "$step" "$status" "$started"
done
await_beside
summary
((failed == 0))
