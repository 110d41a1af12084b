# shellcheck shell=bash disable=SC2034,SC2154
# The reader's own words: how a trained model says them and which letters it looks at, beside the results of chapter 8.

# need_chapter_of_words NAME...: --word is for one chapter and no other.
need_chapter_of_words() {
  [[ $# == 1 && $1 == 08_* ]] || die '--word is for chapter 08 alone, as in ./course run 08 --word attention'
}

# look_at_words NAME WORD...: the chapter's program on these words, and the figures.
look_at_words() {
  local name=$1 word status=0
  shift
  local -a arguments=(--results "$results" --data "$data_folder")
  [[ -z $threads ]] || arguments+=(--threads "$threads")
  for word in "$@"; do arguments+=("--word=$word"); done
  ensure_data
  build_preset release "$name"
  supervise "$root/build/release/bin/$name" "${arguments[@]}" || status=$?
  [[ $status == 0 ]] || exit "$((status > 2 ? 1 : status))"
  draw_own 'your words' words.py "$results/$name/word/words.html"
}
