# The template pipes of docs/adding-a-pipe.md: what the page says to add to src (a file, a line) and to tests/cases (a case), added
# to a program and a runner of their own, so that they are built and run like any pipe and shipped with none.
set(template ${CMAKE_CURRENT_LIST_DIR})
set(with_template ${PROJECT_BINARY_DIR}/template)
file(STRINGS ${PROJECT_SOURCE_DIR}/src/plan/registry.def lines REGEX "^X")
file(STRINGS ${template}/registry.def more REGEX "^X")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/plan/registry.def ${template}/registry.def)
list(APPEND lines ${more})
list(SORT lines)
list(JOIN lines "\n" lines)
file(CONFIGURE OUTPUT ${with_template}/plan/registry.def CONTENT "@lines@\n" @ONLY)

add_library(template OBJECT ${template}/shout.c ${template}/blank.c ${template}/longest.c ${PROJECT_SOURCE_DIR}/src/plan/registry.c)
target_include_directories(template BEFORE PRIVATE ${with_template})
target_link_libraries(template PRIVATE sluice_inside)

add_executable(template_program ${cli_sources})
set_target_properties(template_program PROPERTIES OUTPUT_NAME sluice RUNTIME_OUTPUT_DIRECTORY ${with_template})
target_include_directories(template_program PRIVATE ${PROJECT_BINARY_DIR}/walls/cli)
target_link_libraries(template_program PRIVATE template sluice)

add_executable(template_vectors ${PROJECT_SOURCE_DIR}/tests/cases/vectors.c)
target_link_libraries(template_vectors PRIVATE template sluice_inside PkgConfig::JANSSON)

foreach(name shout blank longest)
  add_test(NAME template.${name} COMMAND template_vectors ${template}/${name}.jsonl)
  set_tests_properties(template.${name} PROPERTIES TIMEOUT 300 LABELS vectors)
endforeach()

add_test(NAME template.page COMMAND python3 ${template}/test_page.py)
set_tests_properties(template.page PROPERTIES TIMEOUT 60 LABELS cli
  ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice_program>;TEMPLATE_SLUICE=$<TARGET_FILE:template_program>")
