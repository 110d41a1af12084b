# shellcheck shell=bash disable=SC2034,SC2154
# summary 60: fetch the data sets and check their sums

command_help() {
  cat <<'END'
usage: ./course data [--check]

Links or downloads the data sets into datasets/data and compares the SHA-256 of every file with the one in
datasets/*.sha256. A second call does nothing. Where a set cannot be had, the programs use a generated stand-in.

  --check   only look; fetch nothing

Exit status: 0 all there; 3 a set cannot be had here; 2 a file is not what it should be.
END
}

command_main() {
  local -a arguments=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      -h | --help) command_help && exit 0 ;;
      --check) arguments+=(--check) ;;
      *) unknown_argument data "$1" ;;
    esac
    shift
  done
  supervise bash "$root/datasets/fetch.sh" ${arguments[@]+"${arguments[@]}"} || exit
  say data "all sets are in $data_folder, sums right"
}
