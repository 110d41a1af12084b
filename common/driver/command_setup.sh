# shellcheck shell=bash disable=SC2034,SC2154
# summary 50: install the packages that are missing

command_help() {
  cat <<END
usage: ./course setup [--no-figures] [--sanitize thread] [--peers]

Names the packages that are missing and installs them with apt (as root, or with sudo). Without apt, or without the
right to use it, it says exactly what to install. 'run' and 'test' do this by themselves.

  --no-figures        leave out Python and Jupyter, which draw the figures, and what binds and checks the book
  --sanitize KIND     also what ./course test --sanitize KIND needs (address or thread)
  --peers             also the libraries that ./course bench dot_product --peers puts beside the rungs. What cannot be
                      had is one line; the others are there all the same. ONNX Runtime comes from npm, into build/peers

build    $(group_packages build | paste -s -d ' ')
figures  $(group_packages figures | paste -s -d ' ')
book     $(group_packages book | paste -s -d ' ')
browser  $(group_packages browser | paste -s -d ' ')
notebook $(group_packages notebook | paste -s -d ' ')
thread   $(group_packages thread | paste -s -d ' ')
peers    $(group_packages peers | paste -s -d ' '), onnxruntime-node from npm
END
}

command_main() {
  local -a groups=(build)
  local figures=yes peers=no missing
  while [[ $# -gt 0 ]]; do
    case $1 in
      -h | --help) command_help && exit 0 ;;
      --no-figures) figures=no ;;
      --peers) peers=yes ;;
      --sanitize)
        need_value "$1" $# "${2:-}" thread
        case $2 in
          address) ;;
          thread) groups+=(thread) ;;
          *) die "--sanitize takes address or thread, not '$2'" ;;
        esac
        shift
        ;;
      *) unknown_argument setup "$1" ;;
    esac
    shift
  done
  [[ $figures == no ]] || groups+=(figures book browser)
  ensure_packages "${groups[@]}"
  missing=$(missing_packages "${groups[@]}" | paste -s -d ' ')
  if [[ -n $missing ]]; then
    say setup "the essentials are there; the course goes on without: $missing"
  else
    say setup 'all packages are there'
  fi
  [[ $peers == no ]] || ensure_peers
}
