# shellcheck shell=bash disable=SC2034,SC2154
# summary 47: Python with the course's kernels and models: import attention

command_help() {
  cat <<'END'
usage: ./course python [ARGUMENTS]

Builds the Python module `attention` and starts Python with it: alone, with a script, or with -c and a line of code.
Every mechanism is there with all its rungs, on NumPy arrays:

  import attention, numpy
  q, k, v = numpy.random.default_rng(1).standard_normal((3, 512, 64), dtype=numpy.float32)
  attention.dot_product.run("fused", q, k, v, causal=True)
  help(attention)

Its types are in build/release/python/attention.pyi. ./course notebook opens it in Jupyter.
END
}

command_main() {
  local python
  case ${1:-} in
    -h | --help) command_help && exit 0 ;;
  esac
  need_module
  with_module "$python" "$@"
}
