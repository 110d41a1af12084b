# shellcheck shell=bash disable=SC2034,SC2154
# summary 70: configure and compile; installs nothing

command_help() {
  cat <<END
usage: ./course build [--preset NAME] [TARGET...]

Configures and compiles into build/NAME (default release) what changed since the last time; all targets, or those named.
Programs are in build/NAME/bin, the logs in build/NAME/log.

  --preset NAME   $(preset_names | paste -s -d ' ' | sed 's/ /, /g')

CXX, CXXFLAGS, LDFLAGS and CMAKE_PREFIX_PATH are honoured.
END
}

command_main() {
  local preset=release
  local -a targets=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      -h | --help) command_help && exit 0 ;;
      --preset)
        need_value "$1" $# "${2:-}" release
        preset=$2
        shift
        ;;
      -*) unknown_argument build "$1" ;;
      *) targets+=("$1") ;;
    esac
    shift
  done
  need_preset "$preset"
  build_preset "$preset" ${targets[@]+"${targets[@]}"}
  say build "$preset: programs are in $root/build/$preset/bin"
}
