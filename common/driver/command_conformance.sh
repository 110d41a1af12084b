# shellcheck shell=bash disable=SC2034,SC2154
# summary 36: hold the standard operators against cases: attention, rotary embedding, linear attention, …

command_help() {
  cat <<'END'
usage: ./course conformance DIR

Runs every case below DIR, at any depth: a folder with a case.json (operator, attributes, inputs and outputs) and one .npy
for each tensor. One line a case says whether it passed, failed or was skipped, the worst error, and the rungs that computed
it; the last line is `N passed, M failed, K skipped`. bench/conformance/README.md describes the cases.

Exit status: 0 fine; 1 a case failed, damaged ones among them; 2 DIR is not there or holds no case.
END
}

command_main() {
  local -a folders=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      -h | --help) command_help && exit 0 ;;
      --)
        shift
        folders+=("$@")
        break
        ;;
      -*) unknown_argument conformance "$1" ;;
      *) folders+=("$1") ;;
    esac
    shift
  done
  [[ ${#folders[@]} -gt 0 ]] || die 'conformance needs the folder of the cases: ./course conformance DIR'
  [[ ${#folders[@]} -eq 1 ]] || unknown_argument conformance "${folders[1]}"
  [[ -d ${folders[0]} ]] || die "there is no folder '${folders[0]}'; give the folder that holds the cases"
  build_preset release conformance >&2
  exec "$root/build/release/bin/conformance" -- "${folders[0]}"
}
