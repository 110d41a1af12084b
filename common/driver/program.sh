# shellcheck shell=bash disable=SC2034,SC2154
# Hands over to a program on the ladders; its output alone is on standard output, everything of the driver on standard error.

# exec_program NAME ARGUMENTS...: in the caller's folder, so that paths mean what he typed.
exec_program() {
  build_preset release "$1" >&2
  exec "$root/build/release/bin/$1" "${@:2}"
}

# asks_for_help ARGUMENTS...
asks_for_help() {
  local word
  for word in "$@"; do
    case $word in -h | --help) return 0 ;; esac
  done
  return 1
}

# show_program_help NAME ARGUMENTS...: the program's own list of options, where it is built.
show_program_help() {
  local program=$root/build/release/bin/$1
  if [[ -x $program ]]; then
    printf '\n'
    "$program" "${@:2}" --help
  else
    printf '\nThe whole list of options is shown here once %s is built (./course build %s).\n' "$1" "$1"
  fi
}
