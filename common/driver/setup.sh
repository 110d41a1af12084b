# shellcheck shell=bash disable=SC2034,SC2154
# Installs what is missing, where that is possible; elsewhere says exactly what to install.

# package_command WORDS...: how the user would install them himself.
package_command() { printf 'apt-get install --no-install-recommends %s' "$*"; }

# choose_privilege: sets as_root to the words that go before apt-get, or returns 1 with the reason in problem.
choose_privilege() {
  as_root=()
  problem=''
  if ! command -v apt-get >/dev/null; then
    problem='there is no apt here'
  elif [[ $(id -u) != 0 ]]; then
    if ! command -v sudo >/dev/null; then
      problem='installing needs root or sudo'
    elif ! sudo -n true 2>/dev/null && ! { [[ -t 0 && -t 2 ]] && sudo -v; }; then
      problem='sudo asks for a password and there is none'
    fi
    as_root=(sudo -n)
  fi
  [[ -z $problem ]]
}

# run_apt LABEL LOG ARGUMENTS...: apt-get without questions. It is interrupted only where apt allows it: packages are
# never left half-configured.
run_apt() {
  local label=$1 log=$2 status=0
  shift 2
  child_reach=alone
  supervise_logged "$label" "$log" ${as_root[@]+"${as_root[@]}"} \
    env DEBIAN_FRONTEND=noninteractive LC_ALL=C TERM=dumb \
    apt-get -q -y -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 -o Acquire::http::Timeout=30 \
    -o Dpkg::Use-Pty=0 "$@" || status=$?
  child_reach=group
  return "$status"
}

# apt_reason LOG: the line of the log that says why.
apt_reason() {
  if grep -q 'No space left on device' "$1"; then
    echo 'no space left on the disk'
    return
  fi
  local line
  line=$(grep -m 1 -E '^[EW]: (Failed to fetch|Could not)' "$1" || grep -m 1 -E '^E: ' "$1" || tail -n 1 "$1")
  tr -s ' ' <<<"${line#[EW]: }" | cut -c 1-200
}

# known_packages PACKAGE...: those that apt could install, one a line. To apt, g++ is a pattern too where no package has
# that name, so what it answers is compared with what was asked.
known_packages() {
  LC_ALL=C apt-cache policy "$@" 2>/dev/null | sed -n '/^[^ ]*:$/{s/:$//;h;};/^  Candidate: [^(]/{x;p;}' |
    grep -xF -f <(printf '%s\n' "$@")
}

# install_packages PACKAGE...: returns 1 with the reason in problem when some cannot be had.
install_packages() {
  local log=$log_folder/setup.txt
  local -a known
  say setup "installing with apt: $*"
  # A failed update is not the end: the lists may be there already.
  run_apt 'setup: package lists' "$log" update || true
  mapfile -t known < <(known_packages "$@")
  if [[ ${#known[@]} -lt $# ]]; then
    # One unknown name makes apt refuse all of them, so they are left out.
    problem="apt has no package $(printf '%s\n' "$@" | grep -vxF -f <(printf '%s\n' "${known[@]}") | paste -s -d ' ')"
    if grep -q -E '^[EW]: ' "$log"; then problem="apt cannot fetch its package lists ($(apt_reason "$log"))"; fi
  fi
  [[ ${#known[@]} -gt 0 ]] || return 1
  if ! run_apt "setup: ${#known[@]} packages" "$log" install --no-install-recommends "${known[@]}"; then
    problem="apt failed ($(apt_reason "$log"); log: $log)"
    return 1
  fi
  # What was not found before may be found now.
  rm -f -- "$root"/build/*/log/configured
  say setup "installed in $SECONDS s"
  [[ ${#known[@]} -eq $# ]]
}

# ensure_packages GROUP...: nothing where all is installed. One line, and the end of the driver, when the course cannot be
# built without what is missing; one line and on with what is there otherwise.
ensure_packages() {
  local -a missing essential
  local package as_root=() problem='' log_folder
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  SECONDS=0
  log_folder=$root/build/log
  if ! mkdir -p -- "$log_folder" 2>/dev/null || ! [[ -w $log_folder ]]; then
    log_folder=$(mktemp -d) || die "cannot write to $root/build nor to a temporary folder; free some space or make one writable"
    remove_later "$log_folder"
  fi
  if choose_privilege && install_packages "${missing[@]}"; then
    return 0
  fi
  mapfile -t missing < <(missing_packages "$@")
  mapfile -t essential < <(missing_essentials "$@")
  if ! command -v apt-get >/dev/null; then
    say setup 'not installed, by their Debian names:'
    for package in "${missing[@]}"; do printf '  %s\n' "$(describe_package "$package")"; done
  fi
  if [[ ${#essential[@]} -gt 0 ]]; then
    die "$problem, and the course cannot be built without ${essential[*]}; install: $(package_command "${missing[@]}")"
  fi
  warn "$problem; going on without ${missing[*]}; to install: $(package_command "${missing[@]}")"
}
