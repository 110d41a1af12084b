# shellcheck shell=bash disable=SC2034,SC2154
# summary 33: other libraries beside our rungs: the table and the figures of a benchmark with --peers

command_help() {
  cat <<'END'
usage: ./course peers FILE.json [--markdown FILE|-] [--json FILE|-] [--figures DIR]

Reads what a benchmark with --peers has written, and makes one table over all shapes (shares of the measured roof, and how
many times faster our fastest rung is than the best of the others) and a figure for each shape.

  ./course setup --peers                                    # once
  ./course bench dot_product --peers --threads 1,2 --json peers.json
  ./course peers peers.json --markdown - --figures figures

  --markdown FILE|-   the table; without any of these options it is printed
  --json FILE|-       the same as JSON, with versions, kernels and reasons
  --figures DIR       a figure for each shape, as SVG and PNG
END
}

command_main() {
  if asks_for_help "$@"; then
    command_help
    exit 0
  fi
  local python no_figures results=$root/results mode=full
  find_python || die "the table is made by Python with matplotlib: $no_figures; ./course setup installs it"
  run_python "$root/notebooks/peers.py" "$@"
  exit $?
}
