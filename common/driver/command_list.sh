# shellcheck shell=bash disable=SC2034,SC2154
# summary 40: every mechanism with its rungs, shape keys and defaults

command_help() {
  cat <<'END'
usage: ./course list [--json]

Lists the mechanisms that can be measured, with their rungs, shape keys and defaults.
END
  show_program_help ladder_list
}

command_main() {
  if asks_for_help "$@"; then
    command_help
    exit 0
  fi
  exec_program ladder_list "$@"
}
