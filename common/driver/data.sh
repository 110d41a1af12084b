# shellcheck shell=bash disable=SC2034,SC2154
# The data sets, as the other commands need them: fetched when they are not there, and known by their sums.

data_folder=$root/datasets/data

# ensure_data: fetches what is missing. What cannot be had is replaced by the programs' stand-in, which they say; the
# script has then said why, and the work goes on.
ensure_data() {
  supervise bash "$root/datasets/fetch.sh" || true
}

# data_signature: changes when the data change, and when they come or go.
data_signature() {
  local names=()
  mapfile -t names < <(find "$data_folder/" -follow -type f ! -path '*/.fetch.*' ! -name copyright 2>/dev/null | LC_ALL=C sort)
  [[ ${#names[@]} -gt 0 ]] || {
    echo none
    return
  }
  sha256sum -- "${names[@]}" | cut -d ' ' -f 1 | sha256sum | cut -d ' ' -f 1
}
