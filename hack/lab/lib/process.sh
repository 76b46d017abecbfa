# shellcheck shell=bash
# process.sh: processes that outlive the script that started them. A pid file holds the pid and
# the time the process began, so that a pid that was given to somebody else is never killed.
# Sourced.

# began PID: when it began, in clock ticks since boot; fails if there is no such process.
began() {
	local stat fields
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# The command's name, in parentheses, may hold blanks; the 22nd field is the 20th after it.
	read -ra fields <<<"${stat##*) }"
	[[ ${fields[0]} != Z ]] || return 1
	echo "${fields[19]}"
}

# start NAME COMMAND...: starts it in a session of its own; its output goes to the log NAME.log.
start() {
	local name=$1
	shift
	mkdir -p "$RUN/pids"
	# 9 is the lock of the scripts: a daemon that inherited it would hold it for ever.
	setsid "$@" >>"$LOGS/$name.log" 2>&1 </dev/null 9>&- &
	record_pid "$name" $!
	# So that bash does not report its end.
	disown
}

# record_pid NAME PID
record_pid() { echo "$2 $(began "$2" || echo gone)" >"$RUN/pids/$1"; }

# running NAME: prints the pid if it still runs.
running() {
	local pid when
	[[ -f $RUN/pids/$1 ]] || return 1
	read -r pid when <"$RUN/pids/$1" || return 1
	[[ $(began "$pid") == "$when" ]] || return 1
	echo "$pid"
}

is_gone() { ! running "$1"; }

# stop NAME SIGNAL SECONDS: sends the signal, waits that long, then kills.
stop() {
	local pid
	pid=$(running "$1") || return 0
	kill "-$2" "$pid" 2>/dev/null || true
	if ! poll "$3" "end of $1 (pid $pid)" is_gone "$1" 2>/dev/null; then
		kill -KILL "$pid" 2>/dev/null || true
		poll 10 "end of $1 (pid $pid) after SIGKILL" is_gone "$1"
	fi
}
