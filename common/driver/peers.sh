# shellcheck shell=bash disable=SC2034,SC2154
# The libraries that a benchmark puts beside the rungs. Each is optional: what cannot be had costs one line.

# ensure_peers: installs what is missing, and says of each peer whether it is there.
ensure_peers() {
  local package probe what as_root=() problem='' log=$root/build/log/peers.txt updated=no
  mkdir -p -- "$root/build/log" "$root/build/peers" 2>/dev/null || die "cannot write to $root/build; make it writable"
  SECONDS=0
  while IFS='|' read -r package probe what; do
    if have_probe "$probe"; then
      say setup "$what: there"
      continue
    fi
    if ! choose_privilege; then
      warn "$what: not installed ($problem); to install: $(package_command "$package")"
      continue
    fi
    # A failed update is not the end: the lists may be there already.
    [[ $updated == yes ]] || run_apt 'setup: package lists' "$log" update || true
    updated=yes
    if run_apt "setup: $package" "$log" install --no-install-recommends "$package" && have_probe "$probe"; then
      say setup "$what: installed"
      # What was not found before may be found now.
      rm -f -- "$root"/build/*/log/configured
    else
      warn "$what: not installed ($(apt_reason "$log"))"
    fi
  done < <(group_lines peers)
  install_onnxruntime "$log"
}

# onnxruntime_version FOLDER: of the package that npm has put there.
onnxruntime_version() {
  sed -n 's/^ *"version": *"\(.*\)".*/\1/p' "$1/node_modules/onnxruntime-node/package.json" 2>/dev/null | head -n 1
}

# doctor_onnxruntime: a line of ./course doctor.
doctor_onnxruntime() {
  local version
  version=$(onnxruntime_version "$root/build/peers")
  if [[ -n $version ]]; then
    doctor_line ok onnxruntime-node "ONNX Runtime $version"
  else
    doctor_line missing onnxruntime-node 'ONNX Runtime, from npm by ./course setup --peers'
  fi
}

# install_onnxruntime LOG: from npm into build/peers. No script of a package is run: the library comes within it.
install_onnxruntime() {
  local folder=$root/build/peers log=$1 version wanted
  wanted=$(sed -n 's/.*"onnxruntime-node": *"\(.*\)".*/\1/p' "$root/bench/peers/package.json")
  version=$(onnxruntime_version "$folder")
  if [[ $version == "$wanted" ]]; then
    say setup "ONNX Runtime: there ($version)"
    return 0
  fi
  if ! command -v npm >/dev/null; then
    warn 'ONNX Runtime: not installed (there is no npm)'
    return 0
  fi
  if cp -f -- "$root/bench/peers/package.json" "$folder/package.json" &&
    supervise_logged 'setup: onnxruntime-node' "$log" \
      npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel error &&
    [[ -n $(find "$folder/node_modules/onnxruntime-node/bin" -name 'libonnxruntime.so*' 2>/dev/null) ]]; then
    say setup "ONNX Runtime: installed ($(onnxruntime_version "$folder"))"
  else
    # A half-installed package must not pass for a whole one.
    rm -rf -- "$folder/node_modules"
    warn "ONNX Runtime: not installed ($(grep -m 1 -i -E 'err' "$log" | cut -c 1-200); log: $log)"
  fi
}
