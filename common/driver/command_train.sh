# shellcheck shell=bash disable=SC2034,SC2154
# summary 42: the models of a chapter, trained on this machine

command_help() {
  cat <<END
usage: ./course train CHAPTER [MODEL...] [--seed N] [--again] [--publish] [--results DIR] [--threads N] [--no-setup]

Trains the models that are named, or all of the chapter: with a bar that shows loss, rate and the time left. Stopped at any moment
(Ctrl-C, kill), the same command goes on from the last checkpoint and ends with the same weights, whatever the number of threads.

  MODEL           its name; a wrong one lists them
  --seed N        another beginning and another order (default 1)
  --again         from the first step, though a checkpoint or a finished training is there
  --publish       put the weights of seed 1, and the record, into datasets/weights, where ./course run finds them in a new clone
  --results DIR   where checkpoint, weights and curve go: DIR/NN_name/training (default $root/results)
  --threads N     at most N threads (default: all cores)
  --no-setup      install nothing

Exit status: 0 trained; 130 stopped before its end; 1 the loss was not a number; 2 something to put right first.
END
}

# chapters_that_train: their numbers, of those that are built.
chapters_that_train() {
  local program
  for program in "$root"/build/release/bin/[0-9][0-9]_*; do
    if "$program" --help | grep -q -e '--train'; then basename "$program" | cut -c 1-2; fi
  done | paste -s -d ' ' | sed 's/ /, /g'
}

command_main() {
  local folder=$root/results threads='' setup=yes name='' results status=0
  local -a models=() options=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      -h | --help) command_help && exit 0 ;;
      --again) options+=(--again) ;;
      --publish) options+=(--publish "$root/datasets/weights") ;;
      --no-setup) setup=no ;;
      --seed)
        need_value "$1" $# "${2:-}" 2
        need_whole_number "$1" "$2"
        options+=(--seed "$2")
        shift
        ;;
      --results)
        need_value "$1" $# "${2:-}" DIR
        folder=$2
        shift
        ;;
      --threads)
        need_value "$1" $# "${2:-}" 2
        need_whole_number "$1" "$2"
        options+=(--threads "$2")
        shift
        ;;
      -*) unknown_argument train "$1" ;;
      *)
        if [[ -z $name ]]; then name=$(find_chapter "$1") || exit; else models+=("$1"); fi
        ;;
    esac
    shift
  done
  [[ -n $name ]] || die 'train needs a chapter, as in ./course train 07; ./course train --help says more'
  open_results "$folder"
  [[ $setup == no ]] || ensure_packages build
  ensure_data
  ensure_models "$name"
  build_preset release "$name"
  "$root/build/release/bin/$name" --help | grep -q -e '--train' || die "chapter ${name%%_*} trains no model; there are some in $(chapters_that_train)"
  supervise "$root/build/release/bin/$name" --results "$results" --data "$data_folder" "${options[@]}" --train "${models[@]}" || status=$?
  exit "$status"
}
