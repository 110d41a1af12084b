# shellcheck shell=bash disable=SC2034,SC2154
# summary 10: from a fresh machine to the results: packages, data, build, chapters, figures

command_help() {
  cat <<END
usage: ./course run [CHAPTER...] [--quick] [--again] [--results DIR] [--threads N] [--no-figures] [--no-setup]
       ./course run 04 --text "..." [--text "..."]
       ./course run 05 --text "..." [--text "..."]
       ./course run 06 --image FILE [--image FILE]
       ./course run 07 --text "..." [--text "..."]
       ./course run 08 --word attention [--word phonetics]

Installs what is missing, fetches the data, builds, runs the chapters and draws their figures; after all chapters it binds
the book. What is done is not done again: a second call ends at once.

  CHAPTER         02, or its name; all chapters when none is given
  --quick         small sizes, seconds instead of minutes; never overwrites the results of a full run
  --again         measure again although nothing changed
  --results DIR   where the results go (default $root/results)
  --threads N     at most N threads (default: all cores)
  --no-figures    no notebooks, and no Python
  --no-setup      install nothing
  --text TEXT     chapter 04: how similar a trained encoder finds these sentences, and what its heads look at in them;
                  chapter 05: that encoder's attention in every way, with a page to explore it;
                  chapter 07: what kind of thing each text describes, and which words tell it;
                  - is standard input, one sentence a line
  --image FILE    chapter 06: what trained networks say this picture (PNG, JPEG or PGM) shows, and where they look
  --word WORD     chapter 08: how a trained model says this word, and which letters it looks at

With --text, --image or --word, any number of them, nothing else is run. Their results have a folder of their own beside
those of the chapter: text, image or word. Each call replaces the last one's.

Chapter 05 draws what the others have found, and so comes last. Chapters 03, 05 and 07 fetch a model that others trained
(26 MB, with npm); where it cannot be had, what needs it is left out.

Chapters: $(chapter_names | paste -s -d ' ' | sed 's/ /, /g')
END
}

command_main() {
  local folder=$root/results mode=full again=no threads='' draw=yes setup=yes
  local -a chapters=() images=() texts=() words=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      -h | --help) command_help && exit 0 ;;
      --quick) mode=quick ;;
      --again) again=yes ;;
      --no-figures) draw=no ;;
      --no-setup) setup=no ;;
      --results)
        need_value "$1" $# "${2:-}" DIR
        folder=$2
        shift
        ;;
      --threads)
        need_value "$1" $# "${2:-}" 2
        need_whole_number "$1" "$2"
        threads=$2
        shift
        ;;
      --text)
        need_text $# "${2:-}"
        texts+=("$2")
        shift
        ;;
      --text=*) texts+=("${1#--text=}") ;;
      --image)
        need_value "$1" $# "${2:-}" shoe.png
        images+=("$2")
        shift
        ;;
      --word)
        need_value "$1" $# "${2:-}" attention
        words+=("$2")
        shift
        ;;
      -*) unknown_argument run "$1" ;;
      *)
        chapters+=("$(find_chapter "$1")") || exit
        ;;
    esac
    shift
  done
  [[ ${#chapters[@]} -gt 0 ]] || mapfile -t chapters < <(chapter_names)
  [[ ${#chapters[@]} -gt 0 ]] || die "there is no chapter under $root/chapters; is the clone complete?"
  mapfile -t chapters < <(printf '%s\n' "${chapters[@]}" | LC_ALL=C sort -u)

  local results data_state name status all worst=0 python no_figures
  local -a groups=(build) ran=() summaries=() targets=()
  if [[ ${#texts[@]} -gt 0 ]]; then need_a_text_chapter "${chapters[@]}"; fi
  if [[ ${#words[@]} -gt 0 ]]; then need_chapter_of_words "${chapters[@]}"; fi
  if [[ ${#images[@]} -gt 0 ]]; then need_chapter_of_pictures "${chapters[@]}"; fi
  open_results "$folder"
  [[ $draw == no ]] || groups+=(figures book)
  [[ $setup == no ]] || ensure_packages "${groups[@]}"
  if [[ ${#texts[@]} -gt 0 ]]; then
    look_at_texts "${chapters[0]}" "${texts[@]}"
    exit
  fi
  if [[ ${#images[@]} -gt 0 ]]; then
    look_at_pictures "${chapters[0]}" "${images[@]}"
    exit
  fi
  if [[ ${#words[@]} -gt 0 ]]; then
    look_at_words "${chapters[0]}" "${words[@]}"
    exit
  fi
  ensure_data
  ensure_models "${chapters[@]}"
  targets=("${chapters[@]}")
  all=$(chapter_names | grep -c .)
  # The book asks it for the ladders.
  if [[ $draw == yes && ${#chapters[@]} == "$all" ]]; then targets+=(ladder_list); fi
  build_preset release "${targets[@]}"

  data_state=$(data_signature)
  mapfile -t chapters < <(readers_last "${chapters[@]}")
  for name in "${chapters[@]}"; do
    status=0
    run_chapter "$name" || status=$?
    if [[ $status == 0 ]]; then ran+=("$name"); elif [[ $status -gt $worst ]]; then worst=$status; fi
  done

  if [[ $draw == yes && ${#ran[@]} -gt 0 ]]; then
    if find_python; then
      draw_chapters "${ran[@]}" || worst=$((worst > 1 ? worst : 1))
      for name in "${ran[@]}"; do summaries+=("$(chapter_folder "$name")/summary.json"); done
      render_lessons "${summaries[@]}" || worst=$((worst > 1 ? worst : 1))
      draw_overview "$results"/[0-9][0-9]_*/summary.json "${summaries[@]}" || worst=$((worst > 1 ? worst : 1))
      if [[ ${#ran[@]} == "$all" ]]; then bind_book_too || worst=$((worst > 1 ? worst : 1)); fi
    else
      warn "no figures: $no_figures; ./course setup installs what they need"
    fi
  fi
  [[ ${#ran[@]} -eq 0 ]] || show_results "${ran[@]}"
  exit "$worst"
}
