# shellcheck shell=bash disable=SC2034,SC2154
# Binds the book from the results: one website below them.

# book_lacks: what is missing to bind it, on one line; nothing where all is there. Sets python.
book_lacks() {
  local lacking
  find_python || {
    echo "$no_figures"
    return
  }
  lacking=$("$python" -c 'import importlib.util, sys
print(*[package for module, package in (pair.split("=") for pair in sys.argv[1:]) if importlib.util.find_spec(module) is None])' \
    sphinx=python3-sphinx myst_parser=python3-myst-parser furo=furo 2>/dev/null)
  [[ -z $lacking ]] || echo "$python lacks $lacking"
}

# need_book: ends the driver where the book cannot be bound.
need_book() {
  local lacking
  # Not in a shell of its own: it sets python.
  find_python || true
  lacking=$(book_lacks)
  [[ -z $lacking ]] || die "the book cannot be bound: $lacking; ./course setup installs what it needs"
}

# book_signature LIST: changes with all that the book is made of.
book_signature() {
  {
    echo "$mode $results"
    command -v doxygen
    sha256sum <"$1"
    find "$root/chapters" "$root/common" "$root/notebooks" "$root/datasets" "$root/bench" "$root/README.md" -type f \
      ! -path '*/.*' ! -path '*/__pycache__/*' ! -path "$root/datasets/data/*" -printf '%p %s %T@\n' | LC_ALL=C sort
    find "$results" -mindepth 1 -type f ! -path "$results/book/*" ! -path "$results/notebooks/*" ! -path "$results/.*" \
      \( -name '*.json' -o -name '*.ipynb' -o -name '*.html' -o -name '*.png' -o -name '*.svg' -o -name .version \) \
      -printf '%p %s %T@\n' | LC_ALL=C sort
  } | sha256sum | cut -d ' ' -f 1
}

# bind_book: nothing where it is up to date. Returns 1 where Sphinx found faults, 2 where something has to be put right first.
bind_book() {
  local list=$root/build/book/mechanisms.json log=$root/build/log/book.txt signature status=0
  mkdir -p -- "$root/build/book" "$root/build/log" "$root/build/jupyter" 2>/dev/null || die "cannot write to $root/build"
  build_preset release ladder_list
  remove_later "$list.tmp.$$"
  if ! "$root/build/release/bin/ladder_list" --json >"$list.tmp.$$" 2>/dev/null || ! mv -f -- "$list.tmp.$$" "$list"; then
    die "ladder_list cannot list the mechanisms; ./course list says why"
  fi
  signature=$(book_signature "$list")
  if [[ -f $results/book/index.html && $(cat "$results/.book" 2>/dev/null) == "$signature" ]]; then
    say book "up to date: $results/book/index.html"
    return 0
  fi
  rm -f -- "$results/.book"
  SECONDS=0
  supervise_logged book "$log" run_python "$root/notebooks/book.py" --results "$results" --mode "$mode" --mechanisms "$list" \
    --work "$root/build/book" || status=$?
  if [[ $status != 0 ]]; then
    grep -a '^course: ' "$log" | head -n 20 >&2 || show_end "$log"
    [[ $status != 1 ]] || warn "the book has faults, see above; it is in $results/book, the whole log is $log"
    [[ $status == 1 ]] || grep -q -a '^course: ' "$log" || warn "the book could not be bound; the whole log is $log"
    return "$((status > 2 ? 1 : status))"
  fi
  write_atomically "$results/.book" "$signature" || warn "cannot write to $results; the next call binds the book again"
  say book "$results/book/index.html, in $SECONDS s"
}

# bind_book_too: the same at the end of a run, which goes on without it.
bind_book_too() {
  local lacking
  lacking=$(book_lacks)
  if [[ -n $lacking ]]; then
    warn "no book: $lacking; ./course setup installs what it needs"
    return 0
  fi
  # In a shell of its own: what ends it is not the end of the run.
  (bind_book)
}

# check_book: every page in a browser. Returns 1 where something is wrong, 2 where there is no browser.
check_book() {
  local status=0
  supervise run_python "$root/notebooks/check_book.py" "$results/book" || status=$?
  # 77 is how a test says that it was left out.
  [[ $status != 77 ]] || die 'no browser, so the book was not checked; ./course book --check without --no-setup installs Chromium'
  return "$status"
}
