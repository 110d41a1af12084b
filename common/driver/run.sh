# shellcheck shell=bash disable=SC2034,SC2154
# Runs chapters, each once for the same program, data, mode and machine.

# open_results DIR: sets results to the absolute folder; ends the driver where nothing can be written to it.
open_results() {
  results=$(realpath -m -- "$1") || die "'$1' is not a folder's name"
  local probe=$results/.probe.tmp.$$
  remove_later "$probe"
  if ! mkdir -p -- "$results" 2>/dev/null || ! (: >"$probe") 2>/dev/null; then
    die "cannot write to the results folder $results; make it writable or choose another with --results DIR"
  fi
  rm -f -- "$probe"
}

# trained_signature NAME: changes with the trainings of a chapter, the published and the reader's own. Each leaves a record, which tells
# its time: where weights are new the record is too.
trained_signature() {
  {
    grep -l -s -F "\"./course train ${1%%_*} " "$root"/datasets/weights/records/*.json | LC_ALL=C sort
    find "$results/$1/training" -name '*.json' 2>/dev/null | LC_ALL=C sort
  } | xargs -r -d '\n' sha256sum | sha256sum | cut -d ' ' -f 1
}

# records_signature NAME: changes with what it reads of other chapters' results; empty for a chapter that reads none.
records_signature() {
  local source
  while read -r source; do
    find "$results/$source"_*/ "$results/$source"_*/quick/ -maxdepth 1 -type f \
      \( -name '*.attention.*' -o -name '*.evidence.json' \) -printf '%p %s %T@\n' 2>/dev/null
  done < <(sources_of "$1") | LC_ALL=C sort | sha256sum | cut -d ' ' -f 1
}

# run_signature NAME: what the results of a chapter depend on.
run_signature() {
  printf 'program %s\n' "$(sha256sum <"$root/build/release/bin/$1" | cut -d ' ' -f 1)"
  printf 'data %s\n' "$data_state"
  model_signatures "$1"
  printf 'trained %s\n' "$(trained_signature "$1")"
  [[ -z $(sources_of "$1") ]] || printf 'records %s\n' "$(records_signature "$1")"
  printf 'mode %s\nthreads %s\n' "$mode" "${threads:-all}"
  printf 'machine %s, %s cores\n' "$(grep -m 1 -E '^model name' /proc/cpuinfo 2>/dev/null | sed 's/.*: //')" "$(nproc 2>/dev/null)"
}

# chapter_folder NAME: where its results of this mode are.
chapter_folder() {
  if [[ $mode == quick ]]; then echo "$results/$1/quick"; else echo "$results/$1"; fi
}

# note_version FOLDER: which version of the course measured what is there, where a clone can tell.
note_version() {
  local version
  version=$(git -C "$root" describe --always --dirty --tags 2>/dev/null)
  if [[ -n $version ]]; then write_atomically "$1/.version" "$version"; else rm -f -- "$1/.version"; fi
}

# run_chapter NAME: returns the program's status, 0 where its results are up to date.
run_chapter() {
  local name=$1 folder program=$root/build/release/bin/$1 signature status=0
  folder=$(chapter_folder "$name")
  [[ -x $program ]] || {
    warn "the build made no program $name; see chapters/$name/CMakeLists.txt"
    return 1
  }
  signature=$(run_signature "$name")
  if [[ $again == no && -f $folder/summary.json && $(cat "$folder/.run" 2>/dev/null) == "$signature" ]]; then
    say run "$(chapter_title "$name"): up to date ($mode, $folder); --again measures anew"
    return 0
  fi
  local -a arguments=(--results "$results" --data "$data_folder")
  [[ $mode == full ]] || arguments+=(--quick)
  [[ -z $threads ]] || arguments+=(--threads "$threads")
  say run "$(chapter_title "$name") ($mode)"
  rm -f -- "$folder/.run"
  SECONDS=0
  supervise "$program" "${arguments[@]}" || status=$?
  if [[ $status -gt 128 ]]; then
    warn "$name was ended by signal $((status - 128)); if memory was short, try --quick"
    return 1
  fi
  [[ $status == 0 ]] || {
    [[ $status == 2 ]] || warn "$name ended with status $status: a check failed, see above"
    return "$status"
  }
  say run "$(chapter_title "$name"): done in $SECONDS s"
  if [[ -f $folder/summary.json ]]; then
    write_atomically "$folder/.run" "$signature" || warn "cannot write to $folder; the next run measures again"
    note_version "$folder"
  else
    warn "$name wrote no $folder/summary.json; the next run measures again"
  fi
}

# show_results NAME...: where everything is.
show_results() {
  local name folder line file count
  printf '\n%sResults%s in %s\n' "$style_strong" "$style_plain" "$results"
  for name in "$@"; do
    folder=$(chapter_folder "$name")
    [[ -f $folder/summary.json ]] || continue
    line="  ${folder#"$results"/}/summary.json"
    for file in "$folder"/*.html; do [[ ! -f $file ]] || line+=", $(basename "$file")"; done
    count=$(find "$folder/figures" -maxdepth 1 -name '*.svg' 2>/dev/null | grep -c .)
    [[ $count == 0 ]] || line+=", figures/ ($count)"
    if grep -q '"data": *"stand_in"' "$folder/summary.json"; then
      line+='  (from the generated stand-in, not from real data)'
    fi
    printf '%s\n' "$line"
  done
  [[ ! -f $results/ladders.html ]] || printf '  ladders.html: all ladders side by side\n'
  [[ ! -f $results/book/index.html ]] || printf '  book/index.html: the book, all of it on one website\n'
}
