# shellcheck shell=bash disable=SC2034,SC2154
# summary 80: what is there, what is missing, and what this machine can do

command_help() {
  cat <<'END'
usage: ./course doctor

Shows packages, tools, data, builds, and the machine: caches, measured peak and bandwidth, compiler and flags.
Installs and fetches nothing. The status is 1 when something is missing that the course cannot be built without.
END
}

command_main() {
  while [[ $# -gt 0 ]]; do
    case $1 in
      -h | --help) command_help && exit 0 ;;
      *) unknown_argument doctor "$1" ;;
    esac
  done
  local essential python no_figures
  doctor_packages build 'Packages to build with'
  doctor_packages figures 'Packages for figures'
  doctor_packages book 'Packages for the book'
  doctor_packages browser 'Packages for checking the book in a browser'
  doctor_packages thread 'Packages for ./course test --sanitize thread'
  doctor_packages peers 'Packages for ./course bench dot_product --peers'
  doctor_onnxruntime
  doctor_tools
  doctor_data
  doctor_builds
  essential=$(missing_essentials build | paste -s -d ' ')
  if [[ -n $essential ]]; then
    warn "the course cannot be built without: $essential; ./course setup installs them"
    exit 1
  fi
  doctor_machine || exit 1
}
