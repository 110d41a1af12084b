# Headers that nearly every file reads are read once: most of what compiling a small file takes is reading them. Every file still names
# what it needs, and a build with -DATTENTION_PRECOMPILED=OFF -DATTENTION_UNITY=OFF says where one does not.
include_guard(GLOBAL)

option(ATTENTION_PRECOMPILED "Read the most used headers once for all files" ON)

option(ATTENTION_UNITY "Compile small files of libraries and programs several at a time" ON)

# attention_together(TARGET): its files are compiled several at a time, which spares most of what each alone takes: reading and
# instantiating what all of them use. Not for rungs: each is a page of its own, and is measured.
function(attention_together target)
  if(ATTENTION_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
    # It takes what a file keeps to itself for a header's.
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

# attention_all_but_rungs_together(TARGET): of each mechanism, what it has beside its rungs (problem, reference, ladder) is compiled at
# once, and so is what else there is, several files at a time.
function(attention_all_but_rungs_together target)
  if(ATTENTION_UNITY)
    get_target_property(sources ${target} SOURCES)
    set(others 0)
    foreach(source IN LISTS sources)
      cmake_path(GET source STEM stem)
      if(stem MATCHES "^(.*_)?(problem|reference|ladder)$")
        set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "${CMAKE_MATCH_1}mechanism")
      elseif(NOT source MATCHES "/rungs/[^/]*$")
        math(EXPR part "${others} / 5")
        math(EXPR others "${others} + 1")
        set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "part_${part}")
      endif()
    endforeach()
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

# attention_precompile(TARGET [HEADER...]): TARGET reads them first, and other targets can be given what it has made of them.
function(attention_precompile target)
  if(ATTENTION_PRECOMPILED)
    set(common "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/..")
    # Not nlohmann/json.hpp: its inline functions call for the whole parser anew in every file, half a second of each.
    target_precompile_headers(${target} PRIVATE
      <algorithm> <array> <cmath> <filesystem> <functional> <iostream> <limits> <map> <optional> <span> <string> <vector>
      <fmt/format.h> <fmt/ranges.h> "${common}/tensor/tensor.hpp" "${common}/ladder/mechanism.hpp" "${common}/simd/vector.hpp"
      "${common}/program/error.hpp" ${ARGN})
  endif()
endfunction()

# attention_use_precompiled(TARGET FROM): TARGET is compiled as FROM is.
function(attention_use_precompiled target from)
  if(ATTENTION_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM ${from})
  endif()
endfunction()
