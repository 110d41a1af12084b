# shellcheck shell=bash disable=SC2034,SC2154
# summary 35: hold two runs of bench against each other: what is faster, what is slower, what is noise

command_help() {
  cat <<'END'
usage: ./course compare A.json B.json [--markdown FILE|-] [--json FILE|-] [--figure FILE.png|FILE.svg]
                               [--fail-above FACTOR] [--relative-to RUNG]

  ./course bench dot_product --json before.json
  (change something)
  ./course bench dot_product --json after.json
  ./course compare before.json after.json

For each mechanism, rung, shape and number of threads that is in both: the time in B over the time in A (below 1 is faster),
its 95 % interval, and "faster" or "slower" where the interval excludes 1 and the ratio is larger than what either run shows
against itself (A/A). Before the table stands, a line each, what else differs (machine, compiler, flags, thread pinning,
settings, roofs), and what is in one file only. A and B may also be two ladder.json of a chapter.

  --markdown FILE       the same as Markdown; - is standard output, in place of the table
  --json FILE           the same as one JSON document
  --figure FILE         the same as a picture, .png or .svg (needs matplotlib; the table does not)
  --fail-above FACTOR   exit status 1 where a rung is slower and its whole interval lies above FACTOR, as 1.05
  --relative-to RUNG    ratios over that of a rung that did not change, as openblas: what slowed the whole machine down cancels

A run differs from the next by more than its own noise where the machine is busy: compare two runs of the same program first,
and see what is marked there, also with --relative-to. Rungs with fewer than four single times are not judged; bench
--seconds 5 makes more of them.
Exit status: 0 fine; 1 --fail-above found something; 2 something to put right first (one line says what).
END
}

command_main() {
  if asks_for_help "$@"; then
    command_help
    exit 0
  fi
  local python results='' mode=''
  find_any_python "$@" || die 'compare needs Python 3.9 or newer, and there is none; install python3, or run ./course setup'
  run_python "$root/notebooks/compare.py" "$@"
}

# find_any_python ARGUMENTS...: sets python. Where a figure is asked for, one that can draw comes first.
find_any_python() {
  local candidate word
  for word in "$@"; do
    if [[ $word == --figure* ]] && find_python; then return 0; fi
  done
  for candidate in /usr/bin/python3 "$(command -v python3)"; do
    [[ -x $candidate ]] || continue
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || continue
    python=$candidate
    return 0
  done
  return 1
}
