# shellcheck shell=bash
# progress.sh: long steps that say that they move, and keep their output in a file. Sourced; the caller
# has set -euo pipefail and sources common.sh, or sets CACHE_DIR.

# with_progress NAME OF COMMAND...: runs the command. Its output, both streams, goes to
# $CACHE_DIR/logs/NAME.log. Every 15 seconds a line on standard error says how far it is: how many
# modules Go has fetched and, of about OF, how many packages it has compiled (0: unknown). If the command fails,
# the end of its output and the file's name are printed, and its exit status is returned.
with_progress() {
	local name=$1 of=$2 log status=0
	shift 2
	log=$CACHE_DIR/logs/$name.log
	mkdir -p "$CACHE_DIR/logs"
	{ "$@" 2>&1 || status=$?; } > >(show_progress "$name" "$of" "$log") || true
	wait $! || true
	if ((status != 0)); then
		tail -n 30 "$log" >&2
		printf 'error: %s failed (exit status %s). Its whole output is in %s\n' "$name" "$status" "$log" >&2
	fi
	return "$status"
}

# show_progress NAME OF LOG: see with_progress. Reads the command's output.
show_progress() {
	local name=$1 of=$2 log=$3 downloads=0 packages=0 began=$SECONDS last=$SECONDS line status
	exec 3>"$log"
	while true; do
		status=0
		IFS= read -r -t 5 line || status=$?
		# Over 128: nothing came in time. Else: the output has ended.
		if ((status == 0)); then
			printf '%s\n' "$line" >&3
			case $line in
			"go: downloading "*) downloads=$((downloads + 1)) ;;
			*" "*) ;;
			*) packages=$((packages + 1)) ;;
			esac
		elif ((status <= 128)); then
			[[ -z $line ]] || printf '%s\n' "$line" >&3
			break
		fi
		if ((SECONDS - last >= 15)); then
			last=$SECONDS
			printf '    %s: %s%s s\n' "$name" "$(amounts "$downloads" "$packages" "$of")" "$((SECONDS - began))" >&2
		fi
	done
	exec 3>&-
}

# amounts DOWNLOADS PACKAGES OF: as text, each with a comma after it; what is 0 is left out.
amounts() {
	local text=
	(($1 == 0)) || text+="$1 modules fetched, "
	if (($2 > 0)); then
		text+=$2
		(($3 == 0)) || text+=" of up to $3"
		text+=" packages compiled, "
	fi
	printf '%s' "$text"
}
