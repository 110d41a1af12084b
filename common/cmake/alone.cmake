# What a chapter needs of the house when it is configured alone.
include("${CMAKE_CURRENT_LIST_DIR}/settings.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/dependencies.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/precompiled.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/chapter.cmake")
add_subdirectory("${CMAKE_CURRENT_LIST_DIR}/.." "${CMAKE_BINARY_DIR}/common")
add_subdirectory("${CMAKE_CURRENT_LIST_DIR}/../../datasets" "${CMAKE_BINARY_DIR}/datasets")
