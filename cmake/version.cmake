# SLUICE_VERSION is the last tag v* with the distance of this tree from it (0.2.0, 0.2.0-12-g1a2b3c4), SLUICE_VERSION_NUMBER its three numbers.
# A checkout asks git; an archive that git made has the answer in version.txt (.gitattributes); other copies of the files have the number below.
set(SLUICE_VERSION 0.1.0)

# The checkout must be this tree itself: files that were unpacked somewhere within another project's checkout are not versions of that.
if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/.git)
  execute_process(COMMAND git describe --tags --match "v[0-9]*" WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
    OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND git rev-parse --git-path logs/HEAD --git-path refs/tags WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
    OUTPUT_VARIABLE changing OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  string(REPLACE "\n" ";" changing "${changing}")
  foreach(path ${changing})
    get_filename_component(path ${path} ABSOLUTE)
    if(EXISTS ${path})
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    endif()
  endforeach()
else()
  file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/version.txt described LIMIT_COUNT 1)
endif()
if("${described}" MATCHES "^v([0-9]+\\.[0-9]+\\.[0-9]+.*)$")
  set(SLUICE_VERSION ${CMAKE_MATCH_1})
endif()
string(REGEX MATCH "^[0-9]+\\.[0-9]+\\.[0-9]+" SLUICE_VERSION_NUMBER ${SLUICE_VERSION})
