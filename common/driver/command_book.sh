# shellcheck shell=bash disable=SC2034,SC2154
# summary 15: bind the book: lessons, rungs, figures and the headers' reference as one website

command_help() {
  cat <<END
usage: ./course book [--results DIR] [--quick] [--check] [--no-setup]

Makes a website of the lessons, a page for each rung with what changed since the one before, the figures, and the reference
of the headers. Its tables hold what was measured on this machine; where a result is missing, the page says how to make
it. It needs no network: open DIR/book/index.html, from the disk or from a server. What is up to date is not made again;
'run' of all chapters ends with it.

  --results DIR   whose results, and where the book goes (default $root/results)
  --quick         a quick run's results before those of a full one
  --check         open every page in Chromium afterwards: no error, no missing file, links and search that work
  --no-setup      install nothing
END
}

command_main() {
  local folder=$root/results mode=full check=no setup=yes results python no_figures
  local -a groups=(figures book)
  while [[ $# -gt 0 ]]; do
    case $1 in
      -h | --help) command_help && exit 0 ;;
      --quick) mode=quick ;;
      --check) check=yes ;;
      --no-setup) setup=no ;;
      --results)
        need_value "$1" $# "${2:-}" DIR
        folder=$2
        shift
        ;;
      *) unknown_argument book "$1" ;;
    esac
    shift
  done
  open_results "$folder"
  [[ $check == no ]] || groups+=(browser)
  # What is missing is said below, where the book cannot do without.
  [[ $setup == no ]] || ensure_packages build "${groups[@]}"
  need_book
  bind_book || exit "$?"
  [[ $check == no ]] || check_book || exit "$?"
}
