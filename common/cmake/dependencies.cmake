# The libraries that the project stands on; Debian's package names are in common/driver/packages.sh.
include_guard(GLOBAL)

find_package(xtensor REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_library(UTF8PROC_LIBRARY utf8proc REQUIRED)
find_path(UTF8PROC_INCLUDE utf8proc.h REQUIRED)
find_package(OpenMP REQUIRED)
find_package(Threads REQUIRED)

# The Python module. The system's own Python: another may come first in PATH, without NumPy.
if(ATTENTION_PYTHON AND ATTENTION_SANITIZE STREQUAL "")
  find_program(Python_EXECUTABLE python3 PATHS /usr/bin NO_DEFAULT_PATH)
  find_package(Python 3.9 COMPONENTS Interpreter Development.Module QUIET)
  if(Python_FOUND)
    find_package(pybind11 CONFIG QUIET)
  endif()
endif()
if(pybind11_FOUND)
  # Its objects are the programs' too, which share precompiled headers: one setting for all. Nothing outside takes a function's place, so
  # that calls within a file stay direct.
  target_compile_options(attention_options INTERFACE -fPIC -fno-semantic-interposition -fvisibility=hidden)
else()
  message(STATUS "pybind11, Python's headers or Python 3.9: not found; the Python module is left out")
endif()

# OpenBLAS's OpenMP build on purpose: the pthread build keeps threads of its own that fight with ours for the cores.
if(ATTENTION_OPENBLAS)
  find_library(OPENBLAS_LIBRARY NAMES openblas
    PATHS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp /usr/lib/x86_64-linux-gnu/openblas-openmp
    NO_DEFAULT_PATH)
  find_library(OPENBLAS_LIBRARY NAMES openblas openblaso)
  find_path(OPENBLAS_INCLUDE NAMES cblas.h PATH_SUFFIXES openblas-openmp openblas x86_64-linux-gnu/openblas-openmp)
endif()
if(ATTENTION_OPENBLAS AND OPENBLAS_LIBRARY AND OPENBLAS_INCLUDE)
  add_library(attention_openblas INTERFACE)
  target_link_libraries(attention_openblas INTERFACE "${OPENBLAS_LIBRARY}")
  target_include_directories(attention_openblas SYSTEM INTERFACE "${OPENBLAS_INCLUDE}")
  target_compile_definitions(attention_openblas INTERFACE ATTENTION_HAS_OPENBLAS)
else()
  add_library(attention_openblas INTERFACE)
  message(STATUS "OpenBLAS: left out; the library line of the ladders is skipped")
endif()
