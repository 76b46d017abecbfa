#!/usr/bin/env bash
# test.sh STEP...: runs `make STEP` for each step, in order, and every step even if an earlier one
# failed. The summary at the end names each step, how it ended and how long it took; the exit status is
# 1 if any step failed.
#
# An interrupt ends the run at once, with a summary of what had been run.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

(($# > 0)) || {
	sed -n '2,6s/^# \{0,1\}//p' "$0"
	exit 2
}
results=()
failed=0

summary() {
	echo "==> summary"
	printf '    %s\n' "${results[@]}"
	if ((failed > 0)); then
		echo "==> $failed of ${#results[@]} steps failed"
	else
		echo "==> all ${#results[@]} steps passed"
	fi
}

interrupted() {
	echo "==> interrupted"
	summary
	exit 130
}
trap interrupted INT TERM

for step; do
	started=$SECONDS
	echo "==> make $step"
	if make --no-print-directory "$step"; then
		ending=passed
	else
		ending=FAILED
		failed=$((failed + 1))
	fi
	results+=("$(printf '%-12s %s in %s s' "$step" "$ending" "$((SECONDS - started))")")
	echo "    ${results[-1]}"
done
summary
((failed == 0))
