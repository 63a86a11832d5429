# The templates of docs/adding-a-pipe.md and the pages beside it: what the pages say to add to the house (a file, a line) and to tests/cases (a
# case), added to a program and a runner of their own, so that they are built and run like what is shipped, and shipped with none.
set(template ${CMAKE_CURRENT_LIST_DIR})
set(with_template ${PROJECT_BINARY_DIR}/template)

# template_lines(DEF INCLUDED [SORTED]): in the place of the list that is INCLUDED, of the file DEF, one that has the lines of the template's too.
function(template_lines def included)
  get_filename_component(name ${def} NAME)
  file(STRINGS ${PROJECT_SOURCE_DIR}/${def} lines REGEX "^X")
  file(STRINGS ${template}/${name} more REGEX "^X")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${def} ${template}/${name})
  list(APPEND lines ${more})
  if(ARGN)
    list(SORT lines)
  endif()
  list(JOIN lines "\n" lines)
  file(CONFIGURE OUTPUT ${with_template}/${included} CONTENT "@lines@\n" @ONLY)
endfunction()

template_lines(src/plan/registry.def plan/registry.def SORTED)
template_lines(src/operators/group/aggregates.def operators/group/aggregates.def)
template_lines(src/formats/formats.def formats/formats.def)
template_lines(sinks/sinks.def sinks/sinks.def)

file(GLOB template_sources CONFIGURE_DEPENDS ${template}/*.c)
add_library(template OBJECT ${template_sources} ${PROJECT_SOURCE_DIR}/src/plan/registry.c
            ${PROJECT_SOURCE_DIR}/src/operators/group/aggregates.c ${PROJECT_SOURCE_DIR}/src/formats/format.c
            ${PROJECT_SOURCE_DIR}/sinks/sink.c)
target_include_directories(template BEFORE PRIVATE ${with_template})
target_link_libraries(template PRIVATE sluice_inside)

add_executable(template_program ${cli_sources})
set_target_properties(template_program PROPERTIES OUTPUT_NAME sluice RUNTIME_OUTPUT_DIRECTORY ${with_template})
target_include_directories(template_program PRIVATE ${PROJECT_BINARY_DIR}/walls/cli)
target_link_libraries(template_program PRIVATE template sluice)

add_executable(template_vectors ${PROJECT_SOURCE_DIR}/tests/cases/vectors.c)
target_link_libraries(template_vectors PRIVATE template sluice_inside PkgConfig::JANSSON)

file(GLOB template_cases CONFIGURE_DEPENDS ${template}/*.jsonl)
foreach(file ${template_cases})
  get_filename_component(name ${file} NAME_WE)
  add_test(NAME template.${name} COMMAND template_vectors ${file})
  set_tests_properties(template.${name} PROPERTIES TIMEOUT 300 LABELS vectors)
endforeach()

foreach(name page sink)
  add_test(NAME template.${name} COMMAND python3 ${template}/test_${name}.py)
  set_tests_properties(template.${name} PROPERTIES TIMEOUT 300 LABELS cli
    ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice_program>;TEMPLATE_SLUICE=$<TARGET_FILE:template_program>;FAULT_SHIM=$<$<TARGET_EXISTS:fault_shim>:$<TARGET_FILE:fault_shim>>")
endforeach()
