#!/usr/bin/env bash
# Fetches and checks the data sets: nothing is committed, nothing unchecked is kept.
#
#   bash datasets/fetch.sh [--check] [--to DIR] [NAME...]
#
# A data set is a Debian package. Where the package is installed its files are linked; elsewhere it is downloaded with
# apt-get (no root needed) and unpacked. datasets/NAME.sha256 describes it: in comments its title, the package, its size and
# the folder that the files lie in inside the package; then the sum and the place of every file under DIR (default
# datasets/data). A new data set is one such file. --check only looks.
#
# "registry: npm" says that the package is npm's; "place" is then the folder under DIR that takes the files. What is "fetched:
# when asked for" is left alone unless it is named.
# Exit status: 0 all files are there and right; 3 they cannot be had here; 2 a file is not what it should be.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 2
destination=$here/data
mapfile -t all_names < <(cd "$here" && printf '%s\n' *.sha256 | sed 's/\.sha256$//' | LC_ALL=C sort)
mapfile -t usual_names < <(cd "$here" && grep -L '^# fetched: when asked for' -- *.sha256 | sed 's/\.sha256$//' | LC_ALL=C sort)

# field NAME KEY: what the description of a data set says of "title", "package", "size" or "folder".
field() { sed -n "s/^# $2: //p" "$here/$1.sha256"; }

# describe NAME: sets what the messages say, the package, and the folder that the files lie in inside the package.
describe() {
  [[ -f $here/$1.sha256 ]] || fail "unknown data set '$1'; there are: ${all_names[*]}"
  title=$(field "$1" title)
  package=$(field "$1" package)
  size=$(field "$1" size)
  source_folder=$(field "$1" folder)
  registry=$(field "$1" registry)
  place=$(field "$1" place)
}

note() { printf 'data: %s\n' "$1"; }
warn() { printf 'course: %s\n' "$1" >&2; }
fail() {
  warn "$1"
  exit 2
}

temporary=''
clean_up() { [[ -z $temporary ]] || rm -rf -- "$temporary"; }
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# make_temporary: a folder beside the data, so that the files can be renamed into place; what a killed call left goes.
make_temporary() {
  local old
  for old in "$destination"/.fetch.*; do
    [[ ! -d $old ]] || kill -0 "${old##*.}" 2>/dev/null || rm -rf -- "$old"
  done
  if ! mkdir -p -- "$destination" 2>/dev/null || ! mkdir -- "$destination/.fetch.$$" 2>/dev/null; then
    warn "cannot write to $destination; make it writable, a small generated stand-in is used until then"
    return 1
  fi
  temporary=$destination/.fetch.$$
}

# sums NAME: "sum  path" for every file.
sums() { grep -E '^[0-9a-f]{64}  ' "$here/$1.sha256"; }

# sum_of FILE
sum_of() { sha256sum <"$1" 2>/dev/null | cut -d ' ' -f 1; }

# all_right NAME FOLDER: every file is under FOLDER with the right sum. A file with a wrong one is named in wrong_file.
wrong_file=''
all_right() {
  local expected file found status=0
  wrong_file=''
  while read -r expected file; do
    if [[ ! -e $2/$file ]]; then
      status=1
      continue
    fi
    found=$(sum_of "$2/$file")
    if [[ $found != "$expected" ]]; then
      wrong_file=$2/$file
      wrong_sums="SHA-256 is $found, should be $expected"
      return 1
    fi
  done < <(sums "$1")
  return "$status"
}

# link_installed NAME: links to the files of the installed package, if they are right.
link_installed() {
  local file
  [[ -z $registry ]] || return 1
  all_right "$1" "/$source_folder"
  local status=$?
  if [[ -n $wrong_file ]]; then
    warn "$wrong_file: $wrong_sums; not used, reinstall $package"
    return 1
  fi
  [[ $status == 0 ]] || return 1
  while read -r _ file; do
    mkdir -p -- "$(dirname "$destination/$file")" || return 1
    ln -s -- "/$source_folder/$file" "$temporary/link" || return 1
    mv -fT -- "$temporary/link" "$destination/$file" || return 1
  done < <(sums "$1")
  note "$title: linked from the installed package $package, sums right"
}

# download_debian: the package file into $temporary. Package lists that are missing or old are fetched into it too, so that
# neither root nor a change to the system is needed.
download_debian() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    reason='there is no apt-get here to fetch it'
    return 1
  fi
  local -a options=(-q -o Acquire::Retries=1 -o Acquire::http::Timeout=30 -o APT::Sandbox::User=)
  local log=$temporary/log
  (cd "$temporary" && LC_ALL=C apt-get "${options[@]}" download "$package") >"$log" 2>&1 && return 0
  mkdir -p -- "$temporary/lists/partial" "$temporary/cache/archives/partial"
  options+=(-o "Dir::State::lists=$temporary/lists" -o "Dir::Cache=$temporary/cache")
  (
    cd "$temporary" && LC_ALL=C apt-get "${options[@]}" update && LC_ALL=C apt-get "${options[@]}" download "$package"
  ) >"$log" 2>&1 && return 0
  reason=$(grep -m 1 -E '^[EW]: Failed to fetch' "$log" || grep -m 1 -E '^E: ' "$log")
  reason=$(tr -s ' ' <<<"${reason#[EW]: }" | cut -c 1-160)
  if grep -q 'No space left on device' "$log"; then reason='no space left on the disk'; fi
  reason="apt-get cannot download it${reason:+ ($reason)}"
  return 1
}

# download_npm: the same with npm. No script of the package is run.
download_npm() {
  if ! command -v npm >/dev/null; then
    reason='there is no npm here to fetch it'
    return 1
  fi
  local log=$temporary/log
  npm pack "$package" --pack-destination "$temporary" --ignore-scripts --loglevel error >"$log" 2>&1 && return 0
  reason=$(grep -m 1 -i 'error' "$log" | tr -s ' ' | cut -c 1-160)
  if grep -q -i 'no space left' "$log"; then reason='no space left on the disk'; fi
  reason="npm cannot download it${reason:+ ($reason)}"
  return 1
}

# unpack_debian: the package file into $temporary/unpacked.
unpack_debian() {
  local -a archives=("$temporary/${package}"_*.deb)
  dpkg-deb -x "${archives[0]}" "$temporary/unpacked" 2>"$temporary/log"
}

# unpack_npm: npm's package file into $temporary/unpacked, its files under the folder that they are meant for.
unpack_npm() {
  local -a archives=("$temporary"/*.tgz)
  mkdir -p -- "$temporary/npm" "$temporary/unpacked/placed" &&
    tar -xzf "${archives[0]}" -C "$temporary/npm" 2>"$temporary/log" &&
    mv -T -- "$temporary/npm/$source_folder" "$temporary/unpacked/placed/$place" || return 1
  cp -- "$temporary/npm/package/LICENSE" "$temporary/unpacked/placed/$place/copyright" 2>/dev/null
  chmod -R u+rw,go+r -- "$temporary/unpacked"
  source_folder=placed
}

# unpack NAME: from the package file into place, each file renamed when all are checked.
unpack() {
  local file folder
  if ! "unpack_${registry:-debian}"; then
    reason="the package cannot be unpacked ($(tail -n 1 "$temporary/log" | cut -c 1-160))"
    return 1
  fi
  if ! all_right "$1" "$temporary/unpacked/$source_folder"; then
    if [[ -n $wrong_file ]]; then
      fail "$(basename "$wrong_file") from the package $package: $wrong_sums; the file is not kept, try again later"
    fi
    reason="the package does not hold the files of datasets/$1.sha256"
    return 1
  fi
  while read -r _ file; do
    folder=$(dirname "$destination/$file")
    if ! mkdir -p -- "$folder" || ! mv -fT -- "$temporary/unpacked/$source_folder/$file" "$destination/$file"; then
      reason="cannot write $destination/$file"
      return 1
    fi
  done < <(sums "$1")
  local licence=$temporary/unpacked/usr/share/doc/$package/copyright
  [[ -z $registry ]] || licence=$temporary/unpacked/placed/$place/copyright
  [[ ! -f $licence ]] || cp -- "$licence" "$folder/copyright"
  note "$title: fetched from the package $package, sums right"
}

# have NAME: looks only, and names what is wrong.
have() {
  all_right "$1" "$destination" && return 0
  if [[ -n $wrong_file ]]; then
    warn "$wrong_file: $wrong_sums; ./course data fetches it again"
    return 2
  fi
  return 3
}

# fetch NAME: does nothing where all is in place.
fetch() {
  all_right "$1" "$destination" && return 0
  while [[ -n $wrong_file ]]; do
    warn "$wrong_file: $wrong_sums; the file is not kept"
    rm -f -- "$wrong_file" 2>/dev/null || fail "cannot remove $wrong_file, whose sum is wrong; remove it by hand"
    all_right "$1" "$destination"
  done
  make_temporary || return 3
  link_installed "$1" && return 0
  note "$title: fetching the package $package ($size)"
  reason=''
  "download_${registry:-debian}" && unpack "$1" && return 0
  local instead='without it a small generated stand-in is used. To have it: install'
  [[ -z $registry ]] || instead="to have it: install $registry, fetch"
  warn "$title: $reason; $instead $package, or put the files of datasets/$1.sha256 under $destination"
  return 3
}

names=()
action=fetch
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help)
      sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --check) action=have ;;
    --to)
      [[ $# -ge 2 && -n $2 ]] || fail '--to needs a folder, as in --to DIR'
      destination=$(realpath -m -- "$2")
      shift
      ;;
    -*) fail "unknown option '$1' of datasets/fetch.sh; --help lists the options" ;;
    *) names+=("$1") ;;
  esac
  shift
done
[[ ${#names[@]} -gt 0 ]] || names=("${usual_names[@]}")

worst=0
for name in "${names[@]}"; do
  describe "$name"
  status=0
  case $action in
    fetch) fetch "$name" || status=$? ;;
    have) have "$name" || status=$? ;;
  esac
  clean_up
  [[ $status == 0 || $worst == 2 ]] || worst=$status
done
exit "$worst"
