# shellcheck shell=bash disable=SC2034,SC2154
# summary 30: measure the rungs of a mechanism: shapes, threads, JSON, CSV, your own tensors

command_help() {
  cat <<'END'
usage: ./course bench MECHANISM [--shape KEY=N,...] [--threads N,...] [--rung NAME,...] [--json FILE|-] [--csv FILE|-]
                                [--input q.npy,k.npy,v.npy] [--peers[=NAME,...]]

       ./course bench training [--threads N,...] [--steps N] [--rounds N]

  ./course bench dot_product --shape heads=8,queries=2048,keys=2048,dim=64 --threads 1,2
  ./course bench dot_product --rung fused,simd --json -
  ./course bench dot_product --peers --threads 1,2 --json peers.json     # then: ./course peers peers.json

training: an epoch of chapter 6's plain network beside PyTorch's, which ./course setup --peers installs.
With --json - standard output holds one JSON document and nothing else. ./course list names mechanisms, rungs and keys.
END
  show_program_help ladder_bench bench
}

command_main() {
  if asks_for_help "$@"; then
    command_help
    exit 0
  fi
  if [[ ${1:-} == training ]]; then
    shift
    ensure_data >&2
    build_preset release 06_convolutional_attention >&2
    exec /usr/bin/python3 "$root/bench/peers/training.py" --program "$root/build/release/bin/06_convolutional_attention" --data "$data_folder" "$@"
  fi
  [[ $# -gt 0 ]] || die 'bench needs a mechanism, as in ./course bench dot_product; ./course list names them'
  exec_program ladder_bench bench "$@"
}
