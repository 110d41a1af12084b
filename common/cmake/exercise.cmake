# Exercises of a chapter: what they ask for and which mistakes they know are a library; a program holds the reader's own rung; and
# the stubs, the solutions and the solutions with a mistake are compiled for the tests.
#
#   chapters/NN_name/exercises/exercises.cpp …       the library
#   chapters/NN_name/exercises/N_exercise/stub.cpp   what the reader begins with; it defines my_EXERCISE, as do the others
#                             …/solution.cpp
#                             …/wrong.cmake          wrong(MISTAKE OLD NEW [OLD NEW]...): the solution with OLD replaced by NEW
#                             …/wrong/MISTAKE.cpp    where that is not enough
include_guard(GLOBAL)
set(ATTENTION_CMAKE_FOLDER "${CMAKE_CURRENT_LIST_DIR}" CACHE INTERNAL "where this file is")

# attention_exercises(NAMESPACE): called by attention_chapter. The program exercise_NN is compiled with what the driver has written to
# exercise/FOLDER/chosen.hpp of the build tree.
function(attention_exercises namespace)
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME folder)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/exercises/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_library(exercises_${folder} STATIC EXCLUDE_FROM_ALL ${sources})
  target_link_libraries(exercises_${folder} PUBLIC chapter_${folder} attention_exercise_common)
  attention_use_precompiled(exercises_${folder} attention_common)

  set(CHAPTER_NAMESPACE ${namespace})
  set(made "${CMAKE_BINARY_DIR}/exercise/${folder}")
  configure_file("${ATTENTION_CMAKE_FOLDER}/exercise_check.cpp.in" "${made}/check.cpp" @ONLY)
  string(SUBSTRING ${folder} 0 2 number)
  add_executable(exercise_${number} EXCLUDE_FROM_ALL "${made}/check.cpp")
  target_include_directories(exercise_${number} PRIVATE "${made}")
  target_link_libraries(exercise_${number} PRIVATE exercises_${folder})
  attention_use_precompiled(exercise_${number} attention_common)
  attention_guard_memory(exercise_${number})
endfunction()

# attention_guard_memory(TARGET): writes beside an array are found out, where no sanitizer does it better.
function(attention_guard_memory target)
  if(ATTENTION_SANITIZE STREQUAL "")
    target_sources(${target} PRIVATE "${ATTENTION_CMAKE_FOLDER}/../exercise/guard/guarded_new.cpp")
  endif()
endfunction()

# attention_add_answer(KIND TEXT FROM): for the two below; the answer joins its exercise's file, in a namespace of its own.
function(attention_add_answer kind text from)
  set(inside "attention::${namespace}::${name}_as_${kind}")
  string(REPLACE "namespace attention::${namespace} {" "namespace ${inside} {" text "${text}")
  string(FIND "${text}" "namespace ${inside} {" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "${from}: my_${name} must stand in namespace attention::${namespace}")
  endif()
  set(answer_text "${answer_text}#line 1 \"${from}\"\n${text}\n" PARENT_SCOPE)
  set(answer_kinds ${answer_kinds} ${kind} PARENT_SCOPE)
endfunction()

# wrong(MISTAKE OLD NEW [OLD NEW]...): for wrong.cmake, which attention_exercise_answers includes.
function(wrong mistake)
  set(from "${folder_of_exercise}/solution.cpp")
  file(READ "${from}" text)
  set(i 1)
  while(i LESS ARGC)
    math(EXPR next "${i} + 1")
    # Not by ARGN: code has semicolons, which would end an item of a list.
    string(FIND "${text}" "${ARGV${i}}" found)
    if(found EQUAL -1)
      message(FATAL_ERROR "${from}: '${ARGV${i}}' is not in it, which the wrong solution ${mistake} replaces")
    endif()
    string(REPLACE "${ARGV${i}}" "${ARGV${next}}" text "${text}")
    math(EXPR i "${i} + 2")
  endwhile()
  attention_add_answer(${mistake} "${text}" "${from}, with the mistake ${mistake}")
  set(answer_text "${answer_text}" PARENT_SCOPE)
  set(answer_kinds ${answer_kinds} PARENT_SCOPE)
endfunction()

# attention_exercise_answers(FOLDER NAMESPACE): stubs, solutions and wrong solutions of a chapter as the object library
# answers_FOLDER, and a table of them (tests/exercises/answers.hpp). Those of an exercise are one file: most of what it takes to
# compile one of them is reading the headers.
function(attention_exercise_answers folder namespace)
  set(chapter "${PROJECT_SOURCE_DIR}/chapters/${folder}")
  set(made "${CMAKE_CURRENT_BINARY_DIR}/${folder}")
  file(GLOB exercises CONFIGURE_DEPENDS LIST_DIRECTORIES true "${chapter}/exercises/[0-9]_*")
  set(all "")
  set(ANSWER_DECLARATIONS "")
  set(ANSWER_ENTRIES "")
  foreach(folder_of_exercise IN LISTS exercises)
    cmake_path(GET folder_of_exercise FILENAME exercise)
    string(REGEX REPLACE "^[0-9]_" "" name "${exercise}")
    set(answer_text "")
    set(answer_kinds "")
    file(GLOB files CONFIGURE_DEPENDS "${folder_of_exercise}/*.cpp" "${folder_of_exercise}/wrong/*.cpp")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
    foreach(file IN LISTS files)
      cmake_path(GET file STEM kind)
      file(READ "${file}" text)
      attention_add_answer(${kind} "${text}" "${file}")
    endforeach()
    include("${folder_of_exercise}/wrong.cmake")
    file(CONFIGURE OUTPUT "${made}/${exercise}.cpp" CONTENT "${answer_text}" @ONLY)
    list(APPEND all "${made}/${exercise}.cpp")
    foreach(kind IN LISTS answer_kinds)
      string(APPEND ANSWER_DECLARATIONS "namespace ${name}_as_${kind} {\nextern decltype(${namespace}::my_${name}) my_${name};\n}\n")
      string(APPEND ANSWER_ENTRIES "    {\"${folder}\", \"${name}\", \"${kind}\", exercises, &${name}_as_${kind}::my_${name}},\n")
    endforeach()
  endforeach()
  set(CHAPTER_NAMESPACE ${namespace})
  configure_file("${ATTENTION_CMAKE_FOLDER}/exercise_answers.cpp.in" "${made}/answers.cpp" @ONLY)
  add_library(answers_${folder} OBJECT "${made}/answers.cpp" ${all})
  target_link_libraries(answers_${folder} PRIVATE exercises_${folder})
  target_include_directories(answers_${folder} PRIVATE "${PROJECT_SOURCE_DIR}/tests/exercises")
  # What a mistake leaves out is not used.
  target_compile_options(answers_${folder} PRIVATE -Wno-unused)
  attention_use_precompiled(answers_${folder} attention_common)
endfunction()
