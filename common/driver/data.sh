# shellcheck shell=bash disable=SC2034,SC2154
# The data sets, as the other commands need them: fetched when they are not there, and known by their sums.

data_folder=$root/datasets/data

# ensure_data: fetches what is missing. What cannot be had is replaced by the programs' stand-in, which they say; the
# script has then said why, and the work goes on.
ensure_data() {
  supervise bash "$root/datasets/fetch.sh" || true
}

# ensure_model NAME: the same for a set that is fetched only when asked for. Returns 1 where it cannot be had; the script has
# then said why in one line.
ensure_model() {
  ! bash "$root/datasets/fetch.sh" --check "$1" 2>/dev/null || return 0
  # Where npm cannot be installed, the script says so too.
  [[ ${setup:-yes} == no ]] || command -v npm >/dev/null || ensure_packages models 2>/dev/null
  supervise bash "$root/datasets/fetch.sh" "$1" || return 1
}

# models_of CHAPTER...: the sets that these chapters ask for, by the line "# chapters:" of their description, one a line.
models_of() {
  local file chapter
  for file in "$root"/datasets/*.sha256; do
    for chapter in "$@"; do
      if grep -q -E "^# chapters:.* ${chapter%%_*}( |$)" "$file"; then
        basename "$file" .sha256
        break
      fi
    done
  done
}

# ensure_models CHAPTER...: those that these chapters ask for; they go on without.
ensure_models() {
  local model
  while read -r model; do
    ensure_model "$model" || say data "going on without $model; what needs it is left out"
  done < <(models_of "$@")
}

# files_signature ARGUMENTS...: of the files that find prints for these arguments.
files_signature() {
  local names=()
  mapfile -t names < <(find "$@" -type f ! -path '*/.fetch.*' ! -name copyright 2>/dev/null | LC_ALL=C sort)
  [[ ${#names[@]} -gt 0 ]] || {
    echo none
    return
  }
  sha256sum -- "${names[@]}" | cut -d ' ' -f 1 | sha256sum | cut -d ' ' -f 1
}

# place_of NAME: its folder under the data folder.
place_of() { sed -n 's/^# place: //p' "$root/datasets/$1.sha256"; }

# data_signature: changes when the data change, and when they come or go; but for the models, which only some chapters ask for.
data_signature() {
  local others=() model
  while read -r model; do others+=(! -path "$data_folder/$(place_of "$model")/*"); done < <(models_of '[0-9]*')
  files_signature "$data_folder/" -follow ${others[@]+"${others[@]}"}
}

# model_signatures CHAPTER: the same for each model that it asks for, a line each.
model_signatures() {
  local model
  while read -r model; do
    printf '%s %s\n' "$model" "$(files_signature "$data_folder/$(place_of "$model")/" -follow)"
  done < <(models_of "$1")
}
