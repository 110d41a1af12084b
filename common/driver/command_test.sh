# shellcheck shell=bash disable=SC2034,SC2154
# summary 20: build and run all tests

command_help() {
  cat <<END
usage: ./course test [--sanitize address|thread] [--preset NAME] [--no-setup] [-- CTEST ARGUMENTS]

Installs what is missing, fetches the data, builds and runs every test; the status is not 0 when one fails.

  --sanitize KIND   address (with undefined behaviour), or thread (Clang 14)
  --preset NAME     $(preset_names | paste -s -d ' ' | sed 's/ /, /g') (default release)
  --no-setup        install nothing
  -- ARGUMENTS      for ctest, as in -- -R ladder
END
}

command_main() {
  local preset='' sanitize='' setup=yes
  local -a groups=(build figures book browser) arguments=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      -h | --help) command_help && exit 0 ;;
      --no-setup) setup=no ;;
      --preset)
        need_value "$1" $# "${2:-}" release
        need_preset "$2"
        preset=$2
        shift
        ;;
      --sanitize)
        need_value "$1" $# "${2:-}" address
        [[ $2 == address || $2 == thread ]] || die "--sanitize takes address or thread, not '$2'"
        sanitize=$2
        shift
        ;;
      --)
        shift
        arguments=("$@")
        break
        ;;
      *) unknown_argument test "$1" ;;
    esac
    shift
  done
  [[ -z $preset || -z $sanitize || $preset == "$sanitize" ]] ||
    die "--preset $preset and --sanitize $sanitize contradict each other; give one of them"
  preset=${preset:-${sanitize:-release}}
  [[ $preset != thread ]] || groups+=(thread)

  [[ $setup == no ]] || ensure_packages "${groups[@]}"
  ensure_data
  build_preset "$preset"
  command -v ctest >/dev/null || die 'no ctest; it comes with CMake 3.25 or newer, or run ./course setup'
  say test "$preset"
  # The tests choose their threads themselves.
  unset "${!OMP_@}" "${!GOMP_@}" "${!KMP_@}"
  supervise run_ctest "$preset" ${arguments[@]+"${arguments[@]}"} || exit 1
}

run_ctest() {
  local preset=$1
  shift
  cd "$root" && exec ctest --preset "$preset" --output-on-failure --no-tests=error "$@"
}
