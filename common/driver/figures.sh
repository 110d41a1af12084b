# shellcheck shell=bash disable=SC2034,SC2154
# Executes the notebooks of a chapter on its results, and renders the lessons with the reader's own figures.

python_modules='nbconvert nbclient ipykernel matplotlib'

# missing_modules PYTHON: those of python_modules that it lacks, on one line.
missing_modules() {
  # shellcheck disable=SC2086
  "$1" -c 'import importlib.util, sys
print(*[name for name in sys.argv[1:] if importlib.util.find_spec(name) is None])' $python_modules 2>/dev/null
}

# show_end LOG: its last lines, without colours.
show_end() { tail -n 8 "$1" | sed -e 's/\x1b\[[0-9;]*m//g' -e '/^ *$/d' | cut -c 1-240 | sed 's/^/  /' >&2; }

# find_python: sets python, the system's own before any other that comes first in PATH; returns 1, with the reason in
# no_figures, where none can draw.
find_python() {
  local candidate missing
  python=''
  no_figures='there is no python3'
  for candidate in /usr/bin/python3 "$(command -v python3)"; do
    [[ -x $candidate ]] || continue
    missing=$(missing_modules "$candidate") || missing='a working python3'
    if [[ -z $missing ]]; then
      python=$candidate
      return 0
    fi
    no_figures="$candidate lacks $missing"
  done
  return 1
}

# run_python ARGUMENTS...: away from the user's own Jupyter and Python settings, which would change the figures.
run_python() {
  local settings=$root/build/jupyter
  env -u PYTHONPATH -u PYTHONHOME PATH="$(dirname "$python"):/usr/bin:/bin" PYTHONNOUSERSITE=1 PYTHONDONTWRITEBYTECODE=1 \
    LC_ALL=C.UTF-8 MPLBACKEND=agg IPYTHONDIR="$settings/ipython" JUPYTER_CONFIG_DIR="$settings/config" \
    JUPYTER_DATA_DIR="$settings/data" JUPYTER_RUNTIME_DIR="$settings/runtime" MPLCONFIGDIR="$settings/matplotlib" \
    ATTENTION_RESULTS="$results" ATTENTION_MODE="$mode" "$python" "$@"
}

# drawing_signature FILE...: changes with the notebooks, the plotting modules, the results and these files; the book draws nothing.
drawing_signature() {
  {
    find "$root/notebooks" -type f \( -name '*.py' -o -name '*.ipynb' -o -path '*/viewer/*' \) ! -path '*/.*' ! -path '*/notebooks/book*' -exec sha256sum {} + 2>/dev/null |
      LC_ALL=C sort
    sha256sum -- "$@" 2>/dev/null
    stat -c '%n %s %.Y' -- "$@" 2>/dev/null
  } | sha256sum | cut -d ' ' -f 1
}

# draw_chapters NAME...: pages and figures of their notebooks, several at a time; nothing where they are up to date.
draw_chapters() {
  local name folder notebook signature log=$root/build/log/figures.txt
  local -a work=()
  for name in "$@"; do
    folder=$(chapter_folder "$name")
    # The page of chapter 4 draws the reader's own sentences too.
    signature=$(drawing_signature "$folder/summary.json" "$results/$name/text/summary.json")
    [[ $(cat "$folder/.drawn" 2>/dev/null) == "$signature" ]] && continue
    for notebook in "$root/notebooks/${name%%_*}_"*.ipynb; do
      [[ ! -f $notebook ]] || work+=("$notebook" "$folder" "$signature")
    done
  done
  [[ ${#work[@]} -gt 0 ]] || return 0
  mkdir -p -- "$root/build/jupyter" "$root/build/log" 2>/dev/null || {
    warn "cannot write to $root/build; no figures"
    return 1
  }
  say figures "$((${#work[@]} / 3)) notebooks"
  SECONDS=0
  supervise_logged figures "$log" run_python "$root/notebooks/draw_notebooks.py" "${work[@]}" && return 0
  show_end "$log"
  warn "a notebook failed; the whole log is $log"
  return 1
}

# render_lessons SUMMARY...: the lessons with the figures of these results.
render_lessons() {
  local script=$root/notebooks/measured_blocks.py signature log=$root/build/log/lessons.txt
  [[ -f $script ]] || return 0
  signature=$(drawing_signature "$@" "$root/README.md" "$root"/chapters/*/*.md)
  if [[ $(cat "$results/.rendered" 2>/dev/null) == "$signature" ]]; then
    return 0
  fi
  mkdir -p -- "$root/build/log" 2>/dev/null
  if ! supervise_logged 'figures: lessons' "$log" run_python "$script" --results "$results" --render; then
    show_end "$log"
    warn "the lessons could not be rendered; the whole log is $log"
    return 1
  fi
  write_atomically "$results/.rendered" "$signature"
}

# draw_overview SUMMARY...: the page with all ladders side by side.
draw_overview() {
  local signature log=$root/build/log/overview.txt part=''
  # A chapter that only trains climbs no ladder: where no other has run, there is none to show.
  [[ $mode != quick ]] || part=quick/
  grep -q -s '"headline"' "$results"/[0-9][0-9]_*/"$part"ladder.json || return 0
  signature="$mode $(drawing_signature "$@")"
  if [[ -f $results/ladders.html && $(cat "$results/.overview" 2>/dev/null) == "$signature" ]]; then
    return 0
  fi
  mkdir -p -- "$root/build/log" 2>/dev/null
  if ! supervise_logged 'figures: all ladders' "$log" run_python "$root/notebooks/overview.py" --results "$results" --mode "$mode"; then
    show_end "$log"
    warn "the page with all ladders could not be drawn; the whole log is $log"
    return 1
  fi
  write_atomically "$results/.overview" "$signature"
}

# draw_own WHAT SCRIPT PAGE: where figures are wanted, the page of the reader's own words or sentences, by a script of notebooks/.
draw_own() {
  local log=$root/build/log/own.txt
  [[ $draw == yes ]] || return 0
  find_python || {
    warn "no figures: $no_figures; ./course setup installs what they need"
    return 0
  }
  mkdir -p -- "$root/build/jupyter" "$root/build/log" 2>/dev/null
  SECONDS=0
  if ! supervise_logged "figures: $1" "$log" run_python "$root/notebooks/$2" --results "$results"; then
    show_end "$log"
    warn "the figures of $1 could not be drawn; the whole log is $log"
    exit 1
  fi
  say figures "$3"
}
