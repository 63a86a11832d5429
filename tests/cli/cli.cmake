# The program as people use it: its command line, the examples in configs/, what is generated from it, and the example of the API.
foreach(name command_line failures functions examples data feeds cache pages)
  add_test(NAME cli.${name} COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/test_${name}.py)
  set_tests_properties(cli.${name} PROPERTIES TIMEOUT 300 LABELS cli ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice_program>")
endforeach()

add_test(NAME cli.pipes_md COMMAND python3 ${PROJECT_SOURCE_DIR}/docs/generate_pipes_md.py --check)
set_tests_properties(cli.pipes_md PROPERTIES TIMEOUT 60 LABELS cli ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice_program>")

add_executable(api_example ${PROJECT_SOURCE_DIR}/docs/api-example.c)
target_link_libraries(api_example PRIVATE sluice)
add_test(NAME cli.api_example COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/test_api_example.py)
set_tests_properties(cli.api_example PROPERTIES TIMEOUT 60 LABELS cli ENVIRONMENT "API_EXAMPLE=$<TARGET_FILE:api_example>")
