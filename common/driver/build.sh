# shellcheck shell=bash disable=SC2034,SC2154
# Configures and builds a preset, and does nothing where nothing changed.

# parallel_jobs: as many as there are cores and as the memory carries; a file of templates takes up to 1.5 GB to compile.
parallel_jobs() {
  local cores available limit by_memory
  cores=$(nproc 2>/dev/null) || cores=1
  available=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo 2>/dev/null)
  for limit in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    limit=$(cat "$limit" 2>/dev/null)
    if [[ $limit =~ ^[0-9]{1,15}$ && $((limit / 1024)) -lt ${available:-0} ]]; then available=$((limit / 1024)); fi
  done
  by_memory=$((${available:-1500000} / 1500000))
  if [[ $by_memory -lt 1 ]]; then by_memory=1; fi
  echo $((cores < by_memory ? cores : by_memory))
}

# compiler_of PRESET: the command, empty where there is none.
compiler_of() {
  local name
  case $1 in
    thread) command -v clang++-14 ;;
    *)
      if [[ -n ${CXX:-} ]]; then
        read -r name _ <<<"$CXX"
        command -v "$name"
        return
      fi
      for name in c++ g++ clang++; do command -v "$name" && return; done
      ;;
  esac
}

# need_tools PRESET: what must be there before CMake is worth starting; sets generator.
need_tools() {
  if [[ -z $(compiler_of "$1") ]]; then
    case $1 in
      thread) die "no clang++-14, which the thread sanitizer needs; run ./course setup --sanitize thread" ;;
      *) die "no C++ compiler${CXX:+ (CXX is $CXX)}; install g++ 12 or newer, or run ./course setup" ;;
    esac
  fi
  command -v cmake >/dev/null || die "no cmake; install CMake 3.25 or newer, or run ./course setup"
  if command -v ninja >/dev/null; then
    generator=Ninja
  elif command -v make >/dev/null; then
    generator='Unix Makefiles'
  else
    die "neither ninja nor make; install ninja-build, or run ./course setup"
  fi
}

# build_fingerprint PRESET: what the build tree was configured for.
build_fingerprint() {
  local cpu=''
  # -march=native: a tree that was built on another processor is of no use.
  [[ $1 == portable ]] || cpu=$(grep -m 1 -E '^(flags|Features)' /proc/cpuinfo 2>/dev/null | sha256sum | cut -c 1-16)
  printf '%s\n' "cpu $cpu" "root $root" "generator $generator" "compiler $("$(compiler_of "$1")" --version | head -n 1)" \
    "environment ${CXX:-}|${CXXFLAGS:-}|${LDFLAGS:-}|${CMAKE_PREFIX_PATH:-}" \
    "presets $(sha256sum <"$root/CMakePresets.json" | cut -c 1-16)"
}

# show_faults LOG: the lines that matter, at most 20.
show_faults() {
  local lines
  lines=$(grep -n -E -A 3 'CMake Error' "$1" | sed 's/^[0-9]*[:-]//' | grep -v -E '^(--)?$' | head -n 20)
  [[ -n $lines ]] || lines=$(grep -E '(error:|Error [0-9]|undefined reference|ld returned|FAILED:|Killed|No space left)' "$1" | head -n 20)
  [[ -n $lines ]] || lines=$(tail -n 15 "$1")
  cut -c 1-240 <<<"$lines" | sed 's/^/  /' >&2
}

# build_failed STATUS PRESET LOG
build_failed() {
  local step='compiling'
  if grep -q 'No space left on device' "$3"; then
    die "no space left on the disk while building $2; free some and run the same command again (log: $3)"
  fi
  if grep -q -E '(Killed|cc1plus.*signal 9)' "$3"; then
    show_faults "$3"
    die "the compiler was killed, probably for lack of memory; free some and run the same command again (log: $3)"
  fi
  show_faults "$3"
  if grep -q '^CMake Error' "$3"; then step='configuring'; fi
  fail_with "$1" "$step the preset $2 failed, see above; the whole log is $3"
}

# is_working LOG: something is being compiled, not only looked at.
is_working() { grep -q -m 1 -E '\] *(Building|Linking|Generating|Re-running CMake)' "$1" 2>/dev/null; }

# build_preset PRESET [TARGET...]: says a line only where there is something to do.
build_preset() {
  local preset=$1 tree=$root/build/$1 generator fingerprint old count log status announced=no
  shift
  need_tools "$preset"
  if ! mkdir -p -- "$tree/log" 2>/dev/null || ! [[ -w $tree/log ]]; then
    die "cannot write to $tree; make it writable or clone the course into a folder of yours"
  fi
  # Two drivers must not build one tree at a time.
  if command -v flock >/dev/null && exec 8>"$tree/log/lock"; then
    flock -n 8 || {
      say build "$preset: another build of it is running, waiting"
      flock 8
    }
  fi
  SECONDS=0
  fingerprint=$(build_fingerprint "$preset")
  old=$(cat "$tree/log/configured" 2>/dev/null)
  local -a clean=()
  if [[ $old != "$fingerprint" ]]; then
    [[ -z $old || ${old%%$'\n'*} == "${fingerprint%%$'\n'*}" ]] || clean=(--clean-first)
    say build "$preset: configuring"
    log=$tree/log/configure.txt
    # shellcheck disable=SC2016
    supervise_logged "build: $preset: configuring" "$log" \
      bash -c 'cd "$1" && LC_ALL=C exec cmake --preset "$2" -G "$3" --fresh' course "$root" "$preset" "$generator" 8>&- ||
      build_failed 2 "$preset" "$log"
    write_atomically "$tree/log/configured" "$fingerprint" || die "cannot write to $tree/log; is the disk full?"
  fi
  count=$(parallel_jobs)
  log=$tree/log/build.txt
  local -a command=(env LC_ALL=C cmake --build "$tree" --parallel "$count" ${clean[@]+"${clean[@]}"})
  [[ $# -eq 0 ]] || command+=(--target "$@")
  start_logged "$log" "${command[@]}" 8>&-
  while kill -0 "$child" 2>/dev/null; do
    if [[ $announced == no ]] && is_working "$log"; then
      say build "$preset: compiling with $count $([[ $count == 1 ]] && echo job || echo jobs)"
      announced=yes
    fi
    [[ $announced == no ]] || show_progress "build: $preset ($SECONDS s)  $(tail -n 1 "$log")"
    sleep 0.1
  done
  status=0
  finish || status=$?
  clear_progress
  exec 8>&-
  [[ $status == 0 ]] || build_failed 1 "$preset" "$log"
  [[ $announced == no ]] || say build "$preset: done in $SECONDS s"
}
