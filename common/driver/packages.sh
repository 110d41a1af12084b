# shellcheck shell=bash disable=SC2034,SC2154
# The packages that the course stands on, by group, and whether they are here.
#
# A line of a group: Debian package | how it is found where there is no dpkg | what it is.

packages_build='
g++                    | command g++ c++ clang++ | a C++20 compiler
cmake                  | command cmake | CMake 3.25 or newer
ninja-build            | command ninja make | Ninja (make serves too)
libxtensor-dev         | header xtensor/xtensor_config.hpp xtensor/core/xtensor_config.hpp | xtensor
libfmt-dev             | header fmt/format.h | fmt
nlohmann-json3-dev     | header nlohmann/json.hpp | JSON for Modern C++
libcli11-dev           | header CLI/CLI.hpp | CLI11
libpng-dev             | header png.h | libpng
libjpeg-dev            | header jpeglib.h | libjpeg
zlib1g-dev             | header zlib.h | zlib
libutf8proc-dev        | header utf8proc.h | utf8proc, Unicode normal forms
libopenblas-openmp-dev | header cblas.h openblas/cblas.h x86_64-linux-gnu/openblas-openmp/cblas.h | OpenBLAS, OpenMP build
libbenchmark-dev       | header benchmark/benchmark.h | Google Benchmark
pybind11-dev           | header pybind11/pybind11.h | pybind11, for the Python module
python3-dev            | header python3.9/Python.h python3.10/Python.h python3.11/Python.h python3.12/Python.h python3.13/Python.h | the headers of Python
catch2                 | header catch2/catch.hpp catch2/catch_test_macros.hpp | Catch2
'
packages_figures='
python3                | command python3 | Python 3
python3-numpy          | module numpy | NumPy
jupyter-nbconvert      | module nbconvert | nbconvert
python3-ipykernel      | module ipykernel | ipykernel
python3-nbclient       | module nbclient | nbclient
python3-matplotlib     | module matplotlib | matplotlib
'
# What binds lessons, rungs and the headers' reference into the book.
packages_book='
python3-sphinx         | module sphinx | Sphinx
python3-myst-parser    | module myst_parser | MyST, Markdown for Sphinx
furo                   | module furo | Furo, the theme of the book
libjs-katex            | header /usr/share/javascript/katex/katex.min.js | KaTeX, mathematics without a network
doxygen                | command doxygen | Doxygen, which reads the headers
'
# What opens every page of the book in a test.
packages_browser='
chromium               | command chromium | Chromium
chromium-driver        | command chromedriver | the driver of Chromium
python3-selenium       | module selenium | Selenium, which drives it
'
# What opens a notebook for the reader to play in.
packages_notebook='
jupyter-notebook       | module notebook | Jupyter'"'"'s notebook
'
# What fetches the models that others trained. npm comes with Node.js in some packages.
packages_models='
npm                    | command npm | npm, for pretrained models
'
packages_thread='
clang-14               | command clang++-14 | Clang 14
libomp-14-dev          | header /usr/lib/llvm-14/lib/libomp.so | OpenMP of LLVM 14, with Archer
libclang-rt-14-dev     | header /usr/lib/llvm-14/lib/clang | sanitizers of Clang 14
llvm-14                | command llvm-symbolizer-14 | names in the reports of the sanitizers
'
# What the peers of the benchmark stand on: each is there or not. npm comes with Node.js in some packages.
packages_peers='
libdnnl-dev            | header dnnl.hpp | oneDNN
python3-torch          | system_module torch | PyTorch
nodejs                 | command node | Node.js, for ONNX Runtime
npm                    | command npm | npm, for ONNX Runtime
'
# Without these nothing is built; the others are missed by a part of the course only.
packages_essential=' g++ cmake ninja-build libxtensor-dev libfmt-dev nlohmann-json3-dev libcli11-dev libpng-dev libjpeg-dev zlib1g-dev libutf8proc-dev clang-14 libomp-14-dev libclang-rt-14-dev '

# group_lines GROUP: "package|probe|what", without the spaces around.
group_lines() {
  local group="packages_$1"
  sed -e '/^$/d' -e 's/ *| */|/g' <<<"${!group}"
}

# group_packages GROUP...: the package names, one a line.
group_packages() {
  local group
  for group in "$@"; do group_lines "$group" | cut -d '|' -f 1; done
}

# have_header PATH...: one of them is in a folder where compilers and CMake look.
have_header() {
  local header folder
  local -a folders=(/usr/include /usr/local/include /usr/include/x86_64-linux-gnu /usr/include/aarch64-linux-gnu)
  local -a prefixes=()
  IFS=: read -r -a prefixes <<<"${CMAKE_PREFIX_PATH:-}:${CONDA_PREFIX:-}"
  for folder in ${prefixes[@]+"${prefixes[@]}"}; do [[ -z $folder ]] || folders+=("$folder/include"); done
  IFS=: read -r -a prefixes <<<"${CPATH:-}:${CPLUS_INCLUDE_PATH:-}"
  for folder in ${prefixes[@]+"${prefixes[@]}"}; do [[ -z $folder ]] || folders+=("$folder"); done
  for header in "$@"; do
    if [[ $header == /* ]]; then
      [[ ! -e $header ]] || return 0
      continue
    fi
    for folder in "${folders[@]}"; do [[ ! -e $folder/$header ]] || return 0; done
  done
  return 1
}

# have_probe "KIND NAME...": finds a thing without asking a package manager.
have_probe() {
  local kind name rest
  local -a names
  read -r kind rest <<<"$1"
  read -r -a names <<<"$rest"
  case $kind in
    command)
      for name in "${names[@]}"; do ! command -v "$name" >/dev/null || return 0; done
      return 1
      ;;
    header) have_header "${names[@]}" ;;
    # Of the system's own Python: another may come first in PATH.
    system_module) [[ -x /usr/bin/python3 ]] && /usr/bin/python3 -c "import ${names[0]}" 2>/dev/null ;;
    module)
      command -v python3 >/dev/null &&
        python3 -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)' "${names[0]}" 2>/dev/null
      ;;
  esac
}

# missing_packages GROUP...: the packages that are not installed, one a line.
missing_packages() {
  if command -v dpkg-query >/dev/null; then
    local -a wanted
    mapfile -t wanted < <(group_packages "$@")
    # A package that dpkg never heard of is an error line there; what is printed is installed, the rest is missing.
    grep -vxF -f <(LC_ALL=C dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null |
      sed -n 's/ installed$//p') < <(printf '%s\n' "${wanted[@]}")
    return 0
  fi
  local group package probe what
  for group in "$@"; do
    while IFS='|' read -r package probe what; do
      have_probe "$probe" || printf '%s\n' "$package"
    done < <(group_lines "$group")
  done
}

# describe_package PACKAGE: "package (what it is)".
describe_package() {
  local package probe what
  while IFS='|' read -r package probe what; do
    if [[ $package == "$1" ]]; then printf '%s (%s)' "$package" "$what"; fi
  done < <(group_lines build && group_lines figures && group_lines book && group_lines browser && group_lines notebook && group_lines thread)
}

# missing_essentials GROUP...: those without which nothing is built, wherever they might come from.
missing_essentials() {
  local group package probe what missing
  missing=$(missing_packages "$@")
  for group in "$@"; do
    while IFS='|' read -r package probe what; do
      [[ $packages_essential == *" $package "* ]] || continue
      grep -qxF -- "$package" <<<"$missing" || continue
      have_probe "$probe" || printf '%s\n' "$package"
    done < <(group_lines "$group")
  done
}
