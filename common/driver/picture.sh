# shellcheck shell=bash disable=SC2034,SC2154
# The reader's own pictures: what trained networks say they show and where they look, beside the results of chapter 6.

# need_chapter_of_pictures NAME...: --image is for one chapter and no other.
need_chapter_of_pictures() {
  [[ $# == 1 && $1 == 06_* ]] || die '--image is for chapter 06 alone, as in ./course run 06 --image shoe.png'
}

# look_at_pictures NAME FILE...: the chapter's program on these pictures, and the figures.
look_at_pictures() {
  local name=$1 file status=0
  shift
  local -a arguments=(--results "$results" --data "$data_folder")
  [[ -z $threads ]] || arguments+=(--threads "$threads")
  for file in "$@"; do arguments+=("--image=$file"); done
  build_preset release "$name"
  supervise "$root/build/release/bin/$name" "${arguments[@]}" || status=$?
  [[ $status == 0 ]] || exit "$((status > 2 ? 1 : status))"
  draw_own 'your pictures' pictures.py "$results/$name/image/pictures.html"
}
