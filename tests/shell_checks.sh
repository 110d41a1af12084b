# shellcheck shell=bash disable=SC2034
# For tests of commands: a scratch folder that goes with the test, and what a command must say and how it must end.
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
faults=0

fault() {
  printf 'FAULT: %s\n' "$*"
  faults=$((faults + 1))
}

# refuses TEXT COMMAND…: exit status 2, nothing on standard output, one line on standard error that holds TEXT.
refuses() {
  local text=$1
  shift
  "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
  local status=$?
  [[ $status == 2 ]] || fault "$* exits with $status, not 2"
  [[ ! -s $scratch/out ]] || fault "$* prints on standard output: $(head -c 200 "$scratch/out")"
  [[ $(wc -l <"$scratch/err") == 1 ]] || fault "$* says $(wc -l <"$scratch/err") lines: $(head -c 400 "$scratch/err")"
  grep -qF -- "$text" "$scratch/err" || fault "$* does not say '$text' but: $(head -c 300 "$scratch/err")"
}

# works COMMAND…: exit status 0, and nothing on standard error (no terminal, no progress).
works() {
  "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
  local status=$?
  [[ $status == 0 ]] || fault "$* exits with $status: $(head -c 300 "$scratch/err")"
  [[ ! -s $scratch/err ]] || fault "$* says on standard error: $(head -c 300 "$scratch/err")"
}
