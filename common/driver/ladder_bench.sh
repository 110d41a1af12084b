# shellcheck shell=bash disable=SC2034,SC2154
# Hands over to ladder_bench; its output alone is on standard output, everything of the driver on standard error.

# exec_ladder_bench SUBCOMMAND ARGUMENTS...: in the caller's folder, so that paths mean what he typed.
exec_ladder_bench() {
  build_preset release ladder_bench >&2
  exec "$root/build/release/bin/ladder_bench" "$@"
}

# asks_for_help ARGUMENTS...
asks_for_help() {
  local word
  for word in "$@"; do
    case $word in -h | --help) return 0 ;; esac
  done
  return 1
}

# show_program_help SUBCOMMAND: the program's own list of options, where it is built.
show_program_help() {
  local program=$root/build/release/bin/ladder_bench
  if [[ -x $program ]]; then
    printf '\n'
    "$program" "$1" --help
  else
    printf '\nThe whole list of options is shown here once ladder_bench is built (./course build ladder_bench).\n'
  fi
}
