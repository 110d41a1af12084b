# shellcheck shell=bash disable=SC2034,SC2154
# Child processes that end with the driver, and temporary files that never outlive it.

child=''
child_reach=group
temporary_paths=()

# remove_later PATH: removed when the driver ends, however it ends.
remove_later() { temporary_paths+=("$1"); }

clean_up() {
  clear_progress
  local path
  for path in ${temporary_paths[@]+"${temporary_paths[@]}"}; do
    [[ -z $path ]] || rm -rf -- "$path"
  done
}

# stop SIGNAL STATUS: passes the signal on, waits for the child to tidy up after itself, then ends.
stop() {
  trap '' INT TERM HUP
  if [[ -n $child ]]; then
    if [[ $child_reach == group ]]; then
      kill -s TERM -- "-$child" 2>/dev/null
    else
      warn 'stopping; packages that apt has begun to install are finished first'
      kill -s INT "$child" 2>/dev/null
    fi
    wait "$child" 2>/dev/null
  fi
  fail_with "$2" "stopped by $1; nothing half-written is left, the same command goes on from here"
}

trap clean_up EXIT
trap 'stop Ctrl-C 130' INT
trap 'stop SIGTERM 143' TERM
trap 'stop SIGHUP 129' HUP

# start COMMAND...: starts it in the background in a process group of its own, so that a signal to the driver is handled
# at once (bash would otherwise wait for a foreground child first) and reaches everything that the command started.
start() {
  set -m
  "$@" </dev/null &
  child=$!
  set +m
}

# start_logged LOG COMMAND...: the same with all output in LOG.
start_logged() {
  local log=$1
  shift
  set -m
  "$@" </dev/null >"$log" 2>&1 &
  child=$!
  set +m
}

# finish: waits for what was started and returns its status.
finish() {
  local status=0
  wait "$child" 2>/dev/null || status=$?
  child=''
  return "$status"
}

# supervise COMMAND...: start and finish.
supervise() {
  start "$@"
  finish
}

# supervise_logged LABEL LOG COMMAND...: output to LOG, its newest line on the terminal meanwhile.
supervise_logged() {
  local label=$1 log=$2 newest=''
  shift 2
  start_logged "$log" "$@"
  while [[ $can_redraw == yes ]] && kill -0 "$child" 2>/dev/null; do
    newest=$(tail -n 1 "$log" 2>/dev/null | tr '\r' ' ')
    show_progress "$label ($SECONDS s)  $newest"
    sleep 0.2
  done
  local status=0
  finish || status=$?
  clear_progress
  return "$status"
}

# write_atomically FILE TEXT: under a temporary name, then renamed.
write_atomically() {
  local temporary="$1.tmp.$$"
  if ! printf '%s\n' "$2" 2>/dev/null >"$temporary" || ! mv -f -- "$temporary" "$1" 2>/dev/null; then
    rm -f -- "$temporary"
    return 1
  fi
}
