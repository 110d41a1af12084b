# shellcheck shell=bash disable=SC2034,SC2154
# The reader's own sentences: in chapter 4 similarities and attention maps by the sentence encoder, in chapter 7 their class and the words
# that tell it; in a folder beside the results of the chapter.

# need_text COUNT [VALUE]: COUNT is what is left of the command line, --text included. An empty text is one too.
need_text() {
  if [[ $1 -lt 2 || $2 == --* ]]; then
    die '--text needs a value, as in --text "How old are you?" (or --text=--like-this where it begins with two dashes)'
  fi
}

# with_input FILE COMMAND...: the command reads FILE as its standard input.
with_input() {
  local file=$1
  shift
  "$@" <"$file"
}

# need_a_text_chapter NAME...: --text is for one chapter, 04 or 07.
need_a_text_chapter() {
  [[ $# == 1 && ($1 == 04_* || $1 == 07_*) ]] ||
    die '--text is for chapter 04 or 07 alone, as in ./course run 04 --text "How old are you?"'
}

# look_at_texts NAME TEXT...: the chapter's program on these sentences, and the figures.
look_at_texts() {
  local name=$1 input=/dev/null text status=0
  shift
  local -a arguments=(--results "$results" --data "$data_folder")
  [[ -z $threads ]] || arguments+=(--threads "$threads")
  for text in "$@"; do
    # The program's reader of options takes what begins with a dash for one, and nothing after = for a value that follows.
    if [[ $text == -?* ]]; then arguments+=("--text=$text"); else arguments+=(--text "$text"); fi
    [[ $text != - || $input != /dev/null ]] || {
      # Read here, since what is started in the background has no standard input.
      input=$(mktemp) || die 'cannot make a temporary file; free some space'
      remove_later "$input"
      cat >"$input" || die 'cannot keep standard input in a temporary file; free some space'
    }
  done
  ensure_model sentence_encoder || exit 2
  # Chapter 7's words have the numbers that WordNet gave them.
  [[ $name != 07_* ]] || ensure_data
  build_preset release "$name"
  supervise with_input "$input" "$root/build/release/bin/$name" "${arguments[@]}" || status=$?
  [[ $status == 0 ]] || exit "$((status > 2 ? 1 : status))"
  # Chapter 7's own page draws its texts with all else.
  [[ $name == 07_* ]] || draw_own 'your sentences' sentences.py "$results/$name/text/sentences.html"
}
