# shellcheck shell=bash disable=SC2034,SC2154
# summary 12: exercises: write a rung of your own, have it checked, and see where it stands on the ladder

command_help() {
  cat <<END
usage: ./course exercise CHAPTER [--folder DIR]          the chapter's exercises
       ./course exercise CHAPTER start [NAME] [--again]  put the beginning of one in place; with --again anew, yours is kept as *.old
       ./course exercise CHAPTER check [NAME] [--sanitize address|thread] [--no-place]
       ./course exercise CHAPTER hint [NAME]
       ./course exercise CHAPTER solution [NAME]

  ./course exercise 02 start formula     # chapters/02_…/exercises/mine/1_formula.cpp
  ./course exercise 02 check formula     # on awkward sizes; names the mistake, or puts your rung on the ladder

NAME is a name or a number; left out, the first exercise that is not begun (start), or the one that you changed last.
check compiles that one file, runs it in a process of its own with a time limit, and holds its answers against the reference and
against what the usual mistakes give. A right rung is timed beside the chapter's own; its share of the roof earns bronze, silver
or gold. --no-place leaves the timing out. --sanitize looks for writes out of bounds, or for threads that share memory, line by
line; the first time, what the check stands on is built for it, which takes minutes. --folder DIR is where your files are; without
it they are in chapters/NN_name/exercises/mine, which git ignores.

Exit status: 0 right; 1 wrong, or it does not compile; 2 something to put right first.
END
}

# exercise_lines NAME: "NUMBER NAME TITLE" of each exercise of a chapter, from the headings of its texts.
exercise_lines() {
  sed -n 's/^## \([0-9]\) \([a-z_]*\): \(.*\)/\1 \2 \3/p' "$root/chapters/$1/exercises/README.md" 2>/dev/null
}

# chapters_with_exercises: their names, one a line.
chapters_with_exercises() {
  local name
  chapter_names | while read -r name; do
    [[ ! -f $root/chapters/$name/exercises/README.md ]] || echo "$name"
  done
}

# find_exercise CHAPTER WORD: NUMBER_NAME; ends the driver where there is none.
find_exercise() {
  local number name
  while read -r number name _; do
    [[ $2 != "$number" && $2 != "$name" && $2 != "${number}_$name" ]] || { echo "${number}_$name" && return; }
  done < <(exercise_lines "$1")
  die "chapter ${1%%_*} has no exercise '$2'; there are: $(exercise_lines "$1" | cut -d ' ' -f 2 | paste -s -d ' ' | sed 's/ /, /g')"
}

# exercise_at_hand CHAPTER: the one whose file was changed last; ends the driver where none is begun.
exercise_at_hand() {
  local newest
  # shellcheck disable=SC2012
  newest=$(ls -t "$mine/"[0-9]_*.cpp 2>/dev/null | head -n 1)
  [[ -n $newest ]] || die "no exercise of chapter ${1%%_*} is begun; ./course exercise ${1%%_*} start begins the first"
  newest=$(basename "$newest" .cpp)
  find_exercise "$1" "$newest"
}

# first_not_begun CHAPTER
first_not_begun() {
  local number name
  while read -r number name _; do
    [[ -f $mine/${number}_$name.cpp ]] || { echo "${number}_$name" && return; }
  done < <(exercise_lines "$1")
  die "every exercise of chapter ${1%%_*} is begun; name one and give --again to begin it anew"
}

list_exercises() {
  local number name title state
  printf 'Exercises of chapter %s\n' "$(chapter_title "$1")"
  while read -r number name title; do
    state=''
    [[ ! -f $mine/${number}_$name.cpp ]] || state='  (begun)'
    printf '  %s %-20s %s%s\n' "$number" "$name" "$title" "$state"
  done < <(exercise_lines "$1")
  printf 'Texts: chapters/%s/exercises/README.md. Begin with ./course exercise %s start\n' "$1" "${1%%_*}"
}

start_exercise() {
  local chapter=$1 exercise=$2 again=$3
  local file=$mine/$exercise.cpp
  if [[ -e $file && $again == no ]]; then
    die "${file#"$root"/} is there already; --again begins anew and keeps yours as $exercise.cpp.old"
  fi
  local temporary=$file.tmp.$$
  remove_later "$temporary"
  if ! mkdir -p -- "$mine" 2>/dev/null || ! cp -- "$root/chapters/$chapter/exercises/$exercise/stub.cpp" "$temporary" 2>/dev/null; then
    die "cannot write to $mine; make it writable or clone the course into a folder of yours"
  fi
  if [[ -e $file ]]; then mv -f -- "$file" "$file.old" || die "cannot keep $file as $exercise.cpp.old"; fi
  mv -- "$temporary" "$file" || die "cannot write $file"
  say exercise "write my_${exercise#*_} in ${file#"$root"/}; what is asked: chapters/$chapter/exercises/README.md, $(exercise_text "$chapter" "$exercise" | sed -n '1s/^## //p')"
  say exercise "then: ./course exercise ${chapter%%_*} check ${exercise#*_}"
}

# exercise_text CHAPTER EXERCISE: its part of the texts.
exercise_text() {
  awk -v heading="## ${2%%_*} ${2#*_}:" 'index($0, "## ") == 1 { on = index($0, heading) == 1 } on' "$root/chapters/$1/exercises/README.md"
}

show_hint() { exercise_text "$1" "$2" | sed -n '/<details>/,/<\/details>/p' | sed -e '/details>/d' -e 's/<summary>\(.*\)<\/summary>/\1/' -e '/./,$!d'; }

# check_exercise CHAPTER EXERCISE SANITIZER ARGUMENTS...
check_exercise() {
  local chapter=$1 exercise=$2 sanitizer=$3 preset=release status=0 target chosen log
  local file=$mine/$2.cpp
  shift 3
  [[ -f $file ]] || die "${file#"$root"/} is not there; ./course exercise ${chapter%%_*} start ${exercise#*_} puts its beginning there"
  [[ -z $sanitizer ]] || preset=$sanitizer
  # What the rung stands on first: what fails after it is the reader's file.
  build_preset "$preset" "exercises_$chapter" >&2
  chosen=$root/build/$preset/exercise/$chapter/chosen.hpp
  target=exercise_${chapter%%_*}
  local text
  printf -v text '#define ATTENTION_EXERCISE "%s"\n#define ATTENTION_RUNG my_%s\n#include "%s"' "${exercise#*_}" "${exercise#*_}" "$file"
  if [[ $(cat "$chosen" 2>/dev/null) != "$text" ]]; then
    write_atomically "$chosen" "$text" || die "cannot write to $(dirname "$chosen"); make it writable"
  fi
  log=$root/build/$preset/log/exercise.txt
  supervise_logged "exercise: compiling ${exercise}.cpp" "$log" env LC_ALL=C cmake --build "$root/build/$preset" --target "$target" || {
    show_faults "$log"
    fail_with 1 "${file#"$root"/} does not compile, see above; the whole log is $log"
  }
  if [[ -n $sanitizer ]]; then
    set -- "$@" --sanitizer "$sanitizer"
    export TSAN_OPTIONS=ignore_noninstrumented_modules=1:die_after_fork=0
  fi
  "$root/build/$preset/bin/$target" "$@" || status=$?
  return "$status"
}

command_main() {
  local chapter='' action='' name='' again=no sanitizer='' mine='' arguments=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      -h | --help) command_help && exit 0 ;;
      --again) again=yes ;;
      --folder)
        need_value "$1" $# "${2:-}" DIR
        mine=$(realpath -m -- "$2") || die "'$2' is not a folder's name"
        shift
        ;;
      --no-place) arguments+=(--no-place) ;;
      --sanitize)
        need_value "$1" $# "${2:-}" address
        [[ $2 == address || $2 == thread ]] || die "--sanitize takes address or thread, not '$2'"
        sanitizer=$2
        shift
        ;;
      -*) unknown_argument exercise "$1" ;;
      *)
        if [[ -z $chapter ]]; then
          chapter=$(find_chapter "$1") || exit
        elif [[ -z $action ]]; then
          action=$1
        elif [[ -z $name ]]; then
          name=$1
        else
          unknown_argument exercise "$1"
        fi
        ;;
    esac
    shift
  done
  local with
  with=$(chapters_with_exercises | cut -c 1-2 | paste -s -d ' ' | sed 's/ /, /g')
  [[ -n $chapter ]] || die "exercise needs a chapter, as in ./course exercise 02; there are exercises to $with"
  [[ -n $(exercise_lines "$chapter") ]] || die "chapter ${chapter%%_*} has no exercises; there are some to $with"
  mine=${mine:-$root/chapters/$chapter/exercises/mine}
  case $action in
    '' | start | check | hint | solution) ;;
    *) die "'exercise' does not know '$action'; it takes start, check, hint and solution" ;;
  esac
  [[ $again == no || $action == start ]] || die "--again is for start alone"
  [[ ${#arguments[@]} == 0 && -z $sanitizer || $action == check ]] || die "--sanitize and --no-place are for check alone"
  if [[ -z $action ]]; then
    list_exercises "$chapter"
    return
  fi
  if [[ -n $name ]]; then
    name=$(find_exercise "$chapter" "$name") || exit
  elif [[ $action == start ]]; then
    name=$(first_not_begun "$chapter") || exit
  else
    name=$(exercise_at_hand "$chapter") || exit
  fi
  case $action in
    start) start_exercise "$chapter" "$name" "$again" ;;
    check) check_exercise "$chapter" "$name" "$sanitizer" ${arguments[@]+"${arguments[@]}"} ;;
    hint) show_hint "$chapter" "$name" ;;
    solution) cat -- "$root/chapters/$chapter/exercises/$name/solution.cpp" ;;
  esac
}
