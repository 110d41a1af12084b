# shellcheck shell=bash disable=SC2034,SC2154
# What the driver says, and how: lines on standard output, faults on standard error, one changing line on a terminal.

# A terminal that can be rewritten; never in a log, under CI or on a dumb terminal.
can_redraw=no
if [[ -t 2 && -z ${CI:-} && ${TERM:-dumb} != dumb ]]; then can_redraw=yes; fi

style_strong='' style_warning='' style_plain=''
if [[ -z ${NO_COLOR:-} && -t 1 && -t 2 && -z ${CI:-} && ${TERM:-dumb} != dumb ]]; then
  style_strong=$'\033[1m' style_warning=$'\033[33m' style_plain=$'\033[0m'
fi

# say STEP TEXT: what is being done or was done.
say() {
  clear_progress
  printf '%s%s:%s %s\n' "$style_strong" "$1" "$style_plain" "$2"
}

# warn TEXT: something is not as it should be, and the work goes on.
warn() {
  clear_progress
  printf '%scourse:%s %s\n' "$style_warning" "$style_plain" "$1" >&2
}

# fail_with STATUS TEXT: one line that says what is wrong and what to do, and the end.
fail_with() {
  warn "$2"
  exit "$1"
}

# die TEXT: the user, or the machine, has something to put right first.
die() { fail_with 2 "$1"; }

progress_shown=no

# show_progress TEXT: rewrites the last line of a terminal; nothing elsewhere.
show_progress() {
  [[ $can_redraw == yes ]] || return 0
  local width text=$1
  width=$(stty size 2>/dev/null <&2 | cut -d ' ' -f 2)
  [[ $width =~ ^[1-9][0-9]*$ ]] || width=80
  printf '\r\033[K%s' "${text:0:width-1}" >&2
  progress_shown=yes
}

clear_progress() {
  [[ $progress_shown == yes ]] || return 0
  printf '\r\033[K' >&2
  progress_shown=no
}
