# shellcheck shell=bash disable=SC2034,SC2154
# summary 46: a notebook of your own with the course's kernels and models, in Jupyter

command_help() {
  cat <<END
usage: ./course notebook [CHAPTER] [--no-setup]

Opens a notebook in Jupyter, in which the Python module \`attention\` is there: change the scale, see the weights move. It is a
copy of yours under $root/results/notebooks; a copy that is there already is opened as you left it.

  CHAPTER      the notebook with that chapter's figures, from your results; without it: notebooks/play.ipynb
  --no-setup   install nothing

Ctrl-C ends it. Without a screen, Jupyter prints the address to open; to a machine far away that you reach by ssh, the address
leads after ssh -L 8888:localhost:8888 MACHINE, with the port that the address has.
END
}

command_main() {
  local chapter='' setup=yes python copy original=$root/notebooks/play.ipynb
  while [[ $# -gt 0 ]]; do
    case $1 in
      -h | --help) command_help && exit 0 ;;
      --no-setup) setup=no ;;
      -*) unknown_argument notebook "$1" ;;
      *)
        [[ -z $chapter ]] || unknown_argument notebook "$1"
        chapter=$(find_chapter "$1") || exit
        ;;
    esac
    shift
  done
  if [[ -n $chapter ]]; then
    original=$root/notebooks/$chapter.ipynb
    [[ -f $original ]] || die "there is no notebook of $chapter"
  fi
  [[ $setup == no ]] || ensure_packages build figures notebook
  need_module
  "$python" -c 'import notebook' 2>/dev/null || die "$python lacks Jupyter's notebook; ./course notebook without --no-setup installs it"
  copy=$root/results/notebooks/$(basename "$original")
  mkdir -p -- "$root/results/notebooks" 2>/dev/null || die "cannot write to $root/results"
  [[ -f $copy ]] || cp -- "$original" "$copy" || die "cannot write $copy"
  say notebook "$copy"
  local -a arguments=("$copy")
  # Jupyter looks for a browser as soon as it is given a file, even with --no-browser.
  [[ -n ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]] ||
    arguments=(--no-browser --notebook-dir="${copy%/*}" --NotebookApp.default_url="/notebooks/${copy##*/}")
  [[ $(id -u) != 0 ]] || arguments+=(--allow-root)
  with_module "$python" -m notebook "${arguments[@]}"
}
