# shellcheck shell=bash disable=SC2034,SC2154
# The chapters: folders chapters/NN_name, each with a program NN_name.

# chapter_names: all of them, one a line, in order.
chapter_names() {
  local list
  for list in "$root"/chapters/[0-9][0-9]_*/CMakeLists.txt; do
    [[ ! -f $list ]] || basename "$(dirname "$list")"
  done | LC_ALL=C sort
}

# sources_of NAME: the numbers of the chapters whose results it reads, as its CMakeLists.txt says in a line
# "# results of: ...", one a line.
sources_of() { sed -n 's/^# results of: //p' "$root/chapters/$1/CMakeLists.txt" 2>/dev/null | tr ' ' '\n'; }

# readers_last NAME...: the same chapters, one a line, those that read the results of others behind them.
readers_last() {
  local name
  local -a last=()
  for name in "$@"; do
    if [[ -n $(sources_of "$name") ]]; then last+=("$name"); else echo "$name"; fi
  done
  [[ ${#last[@]} == 0 ]] || printf '%s\n' "${last[@]}"
}

# chapter_title NAME: "02 dot product attention".
chapter_title() { echo "${1//_/ }"; }

# find_chapter WORD: the name for 02, 2, 02_name or name; ends the driver where there is none.
find_chapter() {
  local name
  while read -r name; do
    case $1 in
      "$name" | "${name%%_*}" | "${name#*_}") echo "$name" && return ;;
    esac
    [[ ! $1 =~ ^[0-9]$ || $name != "0$1"_* ]] || { echo "$name" && return; }
  done < <(chapter_names)
  die "unknown chapter '$1'; there are: $(chapter_names | paste -s -d ' ' | sed 's/ /, /g')"
}
