# shellcheck shell=bash disable=SC2034,SC2154
# The reader's own sentences: in chapter 4 similarities and attention maps by the sentence encoder, in chapter 5 every
# way of looking at that encoder's attention, in chapter 7 their class and the words that tell it; in a folder beside the
# results of the chapter.

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

# need_a_text_chapter NAME...: --text is for one chapter, 04, 05 or 07.
need_a_text_chapter() {
  [[ $# == 1 && ($1 == 04_* || $1 == 05_* || $1 == 07_*) ]] ||
    die '--text is for chapter 04, 05 or 07 alone, as in ./course run 04 --text "How old are you?"'
}

# evidence_of_texts FOLDER ARGUMENTS...: chapter 7's classifier reads the texts too, into FOLDER, and leaves evidence about
# its answers in the file that this prints; nothing where no classifier is trained or the texts have no words for it, which
# is said.
evidence_of_texts() {
  local folder=$1 program log=$root/build/log/evidence.txt file
  shift
  program=$(chapter_names | grep '^07_')
  file=$folder/$program/text/texts.evidence.json
  mkdir -p -- "$root/build/log" 2>/dev/null
  if "$root/build/release/bin/$program" --results "$folder" "$@" >"$log" 2>&1 && [[ -f $file ]]; then
    printf '%s\n' "$file"
  else
    say run "no classifier's answers to explain: $(sed -n 's/^course: //p' "$log" | head -n 1)" >&2
  fi
}

# look_at_texts NAME TEXT...: the chapter's program on these sentences, and the figures.
look_at_texts() {
  local name=$1 input=/dev/null text status=0 folder evidence
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
  [[ $name == 04_* ]] || ensure_data
  if [[ $name == 05_* ]]; then
    build_preset release "$name" "$(chapter_names | grep '^07_')"
    folder=$(mktemp -d) || die 'cannot make a temporary folder; free some space'
    remove_later "$folder"
    evidence=$(evidence_of_texts "$folder" "${arguments[@]:2}" <"$input")
    [[ -z $evidence ]] || arguments+=(--evidence "$evidence")
  else
    build_preset release "$name"
  fi
  supervise with_input "$input" "$root/build/release/bin/$name" "${arguments[@]}" || status=$?
  [[ $status == 0 ]] || exit "$((status > 2 ? 1 : status))"
  case $name in
    04_*) draw_own 'your sentences' sentences.py "$results/$name/text/sentences.html" ;;
    05_*) draw_own 'your texts' attention_page.py "$results/$name/text/attention.html" ;;
    *) ;; # chapter 7's own page draws its texts with all else
  esac
}
