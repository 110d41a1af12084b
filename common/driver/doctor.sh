# shellcheck shell=bash disable=SC2034,SC2154
# What is there and what is missing, without changing anything but the build folder.

# doctor_line STATE NAME TEXT
doctor_line() { printf '  %-8s %-24s %s\n' "$1" "$2" "$3"; }

# doctor_packages GROUP TITLE
doctor_packages() {
  local missing package probe what state
  missing=$(missing_packages "$1")
  printf '%s%s%s\n' "$style_strong" "$2" "$style_plain"
  while IFS='|' read -r package probe what; do
    state=ok
    if grep -qxF -- "$package" <<<"$missing"; then
      state=missing
      # Not as a package, but from somewhere else.
      if have_probe "$probe"; then state=other; fi
    fi
    doctor_line "$state" "$package" "$what"
  done < <(group_lines "$1")
}

# doctor_tool COMMAND: its version.
doctor_tool() {
  if command -v "$1" >/dev/null; then
    doctor_line ok "$1" "$("$1" --version 2>/dev/null | head -n 1)"
  else
    doctor_line missing "$1" ''
  fi
}

doctor_tools() {
  local tool
  printf '%sTools%s\n' "$style_strong" "$style_plain"
  for tool in "${CXX:-c++}" clang++-14 cmake ninja; do doctor_tool "$tool"; done
  if find_python; then
    doctor_line ok python3 "$python, $("$python" --version 2>&1), with $python_modules"
  else
    doctor_line missing python3 "$no_figures; figures are left out"
  fi
}

doctor_data() {
  local sums name status
  printf '%sData%s in %s\n' "$style_strong" "$style_plain" "$data_folder"
  for sums in "$root"/datasets/*.sha256; do
    name=$(basename "$sums" .sha256)
    status=0
    bash "$root/datasets/fetch.sh" --check "$name" 2>/dev/null || status=$?
    case $status in
      0) doctor_line ok "$name" 'all files there, SHA-256 right' ;;
      3)
        if [[ -n $(place_of "$name") ]]; then
          doctor_line - "$name" 'a model, fetched when a chapter or a command asks for it'
        else
          doctor_line missing "$name" 'a generated stand-in is used; ./course data fetches it'
        fi
        ;;
      *) doctor_line wrong "$name" 'a file has a wrong SHA-256; ./course data replaces it' ;;
    esac
  done
}

doctor_builds() {
  local preset
  printf '%sBuilds%s in %s/build\n' "$style_strong" "$style_plain" "$root"
  while read -r preset; do
    if compgen -G "$root/build/$preset/bin/*" >/dev/null; then
      doctor_line built "$preset" "$(find "$root/build/$preset/bin" -maxdepth 1 -type f | grep -c .) programs"
    else
      doctor_line - "$preset" 'not built'
    fi
  done < <(preset_names)
}

# doctor_machine: caches and measured peaks, from the program that knows; says why where it cannot be built.
doctor_machine() {
  local program=$root/build/release/bin/machine_report
  printf '%sMachine%s\n' "$style_strong" "$style_plain"
  # In a shell of its own: a failed build is a finding here, not the end.
  (build_preset release machine_report >&2)
  local status=$?
  if [[ ! -x $program ]]; then
    printf '  not measured: machine_report cannot be built (see above)\n'
    return 1
  fi
  [[ $status == 0 ]] || printf '  from the program built before; building it anew failed (see above)\n'
  supervise "$program"
}
