#!/usr/bin/env bash
# ./course exercise as a reader meets it: what it refuses, and one exercise from its beginning to its verdict.
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit 2
# shellcheck source=tests/shell_checks.sh
source "$root/tests/shell_checks.sh"
exercise=("$root/course" exercise)
mine=(--folder "$scratch/mine")

# says STATUS TEXT COMMAND…
says() {
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
  [[ $status == "$wanted" ]] || fault "$* exits with $status, not $wanted: $(head -c 300 "$scratch/err")"
  cat "$scratch/out" "$scratch/err" | grep -qF -- "$text" || fault "$* does not say '$text' but: $(cat "$scratch/out" "$scratch/err" | head -c 400)"
}

refuses 'exercise needs a chapter' "${exercise[@]}"
refuses "unknown chapter '99'" "${exercise[@]}" 99
refuses "has no exercise 'bla'" "${exercise[@]}" 02 start bla "${mine[@]}"
refuses "does not know 'solve'" "${exercise[@]}" 02 solve formula
refuses "does not take 'more'" "${exercise[@]}" 02 check formula more
refuses '--sanitize takes address or thread' "${exercise[@]}" 02 check formula --sanitize memory
refuses '--again is for start alone' "${exercise[@]}" 02 check formula --again
refuses 'start formula puts its beginning there' "${exercise[@]}" 02 check formula "${mine[@]}"
refuses 'no exercise of chapter 02 is begun' "${exercise[@]}" 02 check "${mine[@]}"
refuses 'cannot write to' "${exercise[@]}" 02 start formula --folder /proc/nothing

# Every chapter with exercises: listed, with hint and solution for each, and a beginning.
for readme in "$root"/chapters/*/exercises/README.md; do
  chapter=$(basename "$(dirname "$(dirname "$readme")")")
  works "${exercise[@]}" "$chapter"
  [[ $(grep -c '^  [1-9] ' "$scratch/out") -ge 4 ]] || fault "$chapter lists fewer than four exercises"
  for folder in "$(dirname "$readme")"/[1-9]_*; do
    works "${exercise[@]}" "$chapter" hint "$(basename "$folder")"
    [[ $(wc -w <"$scratch/out") -gt 20 ]] || fault "$folder has no hint"
    works "${exercise[@]}" "$chapter" solution "$(basename "$folder")"
    cmp -s "$scratch/out" "$folder/solution.cpp" || fault "$folder: another solution is shown"
  done
done

says 0 '1_formula.cpp' "${exercise[@]}" 02 start "${mine[@]}"
cmp -s "$scratch/mine/1_formula.cpp" "$root/chapters/02_dot_product_attention/exercises/1_formula/stub.cpp" || fault 'start puts something else there'
echo '// mine' >>"$scratch/mine/1_formula.cpp"
refuses 'is there already' "${exercise[@]}" 02 start formula "${mine[@]}"
says 0 '1_formula.cpp' "${exercise[@]}" 02 start formula --again "${mine[@]}"
grep -q mine "$scratch/mine/1_formula.cpp.old" || fault 'start --again loses what was written'
refuses 'no C++ compiler' env CXX=/nothing "${exercise[@]}" 02 check formula "${mine[@]}"
says 1 'nothing_written' "${exercise[@]}" 02 check formula "${mine[@]}"
echo 'this is no C++' >>"$scratch/mine/1_formula.cpp"
says 1 'does not compile' "${exercise[@]}" 02 check formula "${mine[@]}"

exit $((faults > 0))
