# attention_chapter(NAMESPACE name USES target...): a chapter's library, its program, and its place in the registry.
#
# The folder gives the rest: every .cpp but main.cpp, rungs/*.cpp and layers/*.cpp are the library; main.cpp and experiments/*.cpp are the
# program, named as the folder; tests/*.cpp join the project's tests; exercises/ is for exercise.cmake. NAMESPACE::mechanisms() hands the chapter's mechanisms
# to whoever walks the registry. Headers of a chapter are visible only to those that name it in USES: that is how the build
# keeps the arrows pointing one way.
include_guard(GLOBAL)
include("${CMAKE_CURRENT_LIST_DIR}/exercise.cmake")

function(attention_chapter)
  cmake_parse_arguments(CHAPTER "" "NAMESPACE" "USES" ${ARGN})
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME folder)
  foreach(used IN LISTS CHAPTER_USES)
    if(used MATCHES "^chapter_" AND used STRGREATER_EQUAL "chapter_${folder}")
      message(FATAL_ERROR "${folder} uses ${used}: a chapter may use earlier chapters only")
    endif()
    if(used MATCHES "^chapter_(.*)" AND NOT TARGET ${used})
      # Only where the chapter is configured alone.
      add_subdirectory("../${CMAKE_MATCH_1}" "${CMAKE_BINARY_DIR}/${CMAKE_MATCH_1}" EXCLUDE_FROM_ALL)
    endif()
  endforeach()

  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/rungs/*.cpp"
    "${CMAKE_CURRENT_SOURCE_DIR}/layers/*.cpp")
  list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/main.cpp")
  add_library(chapter_${folder} STATIC ${sources})
  target_include_directories(chapter_${folder} PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(chapter_${folder} PUBLIC attention_common ${CHAPTER_USES})
  attention_use_precompiled(chapter_${folder} attention_common)
  attention_all_but_rungs_together(chapter_${folder})

  file(GLOB experiments CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/experiments/*.cpp")
  add_executable(${folder} "${CMAKE_CURRENT_SOURCE_DIR}/main.cpp" ${experiments})
  target_link_libraries(${folder} PRIVATE chapter_${folder})
  attention_use_precompiled(${folder} attention_common)
  attention_together(${folder})

  attention_exercises(${CHAPTER_NAMESPACE})

  set_property(GLOBAL APPEND PROPERTY ATTENTION_CHAPTERS ${folder})
  set_property(GLOBAL APPEND PROPERTY ATTENTION_CHAPTER_NAMESPACES ${CHAPTER_NAMESPACE})
endfunction()

# attention_registry(): the library that knows every chapter found; bench and tests walk it.
function(attention_registry)
  get_property(namespaces GLOBAL PROPERTY ATTENTION_CHAPTER_NAMESPACES)
  get_property(chapters GLOBAL PROPERTY ATTENTION_CHAPTERS)
  list(TRANSFORM chapters PREPEND chapter_ OUTPUT_VARIABLE libraries)
  set(REGISTRY_DECLARATIONS "")
  set(REGISTRY_ENTRIES "")
  foreach(name IN LISTS namespaces)
    string(APPEND REGISTRY_DECLARATIONS
      "namespace attention::${name} {\nstd::vector<ladder::MechanismPtr> mechanisms();\n}\n")
    string(APPEND REGISTRY_ENTRIES "  add(attention::${name}::mechanisms());\n")
  endforeach()
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/registry.cpp.in" "${CMAKE_BINARY_DIR}/registry.cpp" @ONLY)
  add_library(attention_registry STATIC "${CMAKE_BINARY_DIR}/registry.cpp")
  target_link_libraries(attention_registry PUBLIC attention_common PRIVATE ${libraries})
endfunction()
