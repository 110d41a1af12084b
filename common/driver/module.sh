# shellcheck shell=bash disable=SC2034,SC2154
# The Python module `attention`, and a Python that finds it.

# need_module: builds it; sets python. Ends the driver where it cannot be had.
need_module() {
  python=/usr/bin/python3
  [[ -x $python ]] || die 'there is no /usr/bin/python3; ./course setup installs it'
  "$python" -c 'import numpy' 2>/dev/null || die "$python lacks NumPy; ./course setup installs python3-numpy"
  have_header pybind11/pybind11.h || die 'pybind11 is not installed, and the Python module needs it; ./course setup installs pybind11-dev'
  build_preset release python_module >&2
}

# with_module COMMAND...: in place of the driver, with the module and the plots where Python looks first.
with_module() {
  PYTHONPATH=$root/build/release/python:$root/notebooks${PYTHONPATH:+:$PYTHONPATH} PYTHONDONTWRITEBYTECODE=1 \
    ATTENTION_RESULTS=${ATTENTION_RESULTS:-$root/results} ATTENTION_DATA=$root/datasets/data exec "$@"
}
