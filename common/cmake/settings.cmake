# What every target is compiled with. A chapter that is configured alone includes this file too.
include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release" FORCE)
endif()
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")

option(ATTENTION_PORTABLE "Run on any x86-64: no -march=native" OFF)
option(ATTENTION_TESTS "Build the tests" ON)
option(ATTENTION_PYTHON "Build the Python module where pybind11 is installed" ON)
option(ATTENTION_OPENBLAS "Put OpenBLAS beside the ladders where it is installed" ON)
set(ATTENTION_SANITIZE "" CACHE STRING "address (with undefined behaviour) or thread")

include(CheckCXXCompilerFlag)
add_library(attention_options INTERFACE)
target_compile_options(attention_options INTERFACE -Wall -Wextra -Wconversion -Wshadow)
# a * b + c is one fused multiply-add where the processor has it: g++ does so by default, but not in ISO mode.
target_compile_options(attention_options INTERFACE -ffp-contract=fast)
if(NOT ATTENTION_PORTABLE)
  target_compile_options(attention_options INTERFACE -march=native)
  # Compilers default to 256-bit vectors on Intel targets; the kernels are written for the full width.
  check_cxx_compiler_flag(-mprefer-vector-width=512 ATTENTION_HAS_VECTOR_WIDTH)
  if(ATTENTION_HAS_VECTOR_WIDTH)
    target_compile_options(attention_options INTERFACE -mprefer-vector-width=512)
  endif()
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # The vector types never cross a boundary between files that are compiled differently.
  target_compile_options(attention_options INTERFACE -Wno-psabi)
endif()

if(ATTENTION_SANITIZE STREQUAL "address")
  target_compile_options(attention_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(attention_options INTERFACE -fsanitize=address,undefined)
elseif(ATTENTION_SANITIZE STREQUAL "thread")
  target_compile_options(attention_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer -g)
  target_link_options(attention_options INTERFACE -fsanitize=thread)
elseif(NOT ATTENTION_SANITIZE STREQUAL "")
  message(FATAL_ERROR "ATTENTION_SANITIZE is '${ATTENTION_SANITIZE}'; it takes address or thread")
endif()

# The results name the flags that the measured code was compiled with.
get_target_property(attention_flag_list attention_options INTERFACE_COMPILE_OPTIONS)
list(FILTER attention_flag_list EXCLUDE REGEX "^-W")
list(JOIN attention_flag_list " " ATTENTION_FLAGS)
string(TOUPPER "${CMAKE_BUILD_TYPE}" attention_build_type)
set(ATTENTION_FLAGS "${CMAKE_CXX_FLAGS_${attention_build_type}} ${ATTENTION_FLAGS}")
