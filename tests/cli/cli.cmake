# The program as people use it: its command line, the examples in configs/, what is generated from it, and the example of the API.
foreach(name command_line failures targets empty sqlite functions examples definitions data feeds cache pages changes values)
  add_test(NAME cli.${name} COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/test_${name}.py)
  set_tests_properties(cli.${name} PROPERTIES TIMEOUT 300 LABELS cli ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice_program>")
endforeach()

add_executable(locale_host ${CMAKE_CURRENT_LIST_DIR}/locale_host.c)
target_link_libraries(locale_host PRIVATE sluice)
add_test(NAME cli.process COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/test_process.py)
set_tests_properties(cli.process PROPERTIES TIMEOUT 600 LABELS cli ENVIRONMENT
  "SLUICE=$<TARGET_FILE:sluice_program>;LOCALE_HOST=$<TARGET_FILE:locale_host>;SLUICE_SANITIZE=${SLUICE_SANITIZE}")

set_tests_properties(cli.cache cli.pages cli.changes PROPERTIES LABELS "cli;http")

# What a newcomer sees.
foreach(name report terminal docs mistakes settings trace)
  add_test(NAME cli.${name} COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/test_${name}.py)
  set_tests_properties(cli.${name} PROPERTIES TIMEOUT 300 LABELS cli ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice_program>")
endforeach()

add_test(NAME cli.pipes_md COMMAND python3 ${PROJECT_SOURCE_DIR}/docs/generate_pipes_md.py --check)
set_tests_properties(cli.pipes_md PROPERTIES TIMEOUT 60 LABELS cli ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice_program>")

foreach(name completion version)
  add_test(NAME cli.${name} COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/test_${name}.py)
  set_tests_properties(cli.${name} PROPERTIES TIMEOUT 300 LABELS cli ENVIRONMENT
    "SLUICE=$<TARGET_FILE:sluice_program>;BUILD_DIR=${PROJECT_BINARY_DIR}")
endforeach()

add_test(NAME cli.install COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/test_install.py)
set_tests_properties(cli.install PROPERTIES TIMEOUT 300 LABELS "cli;slow" ENVIRONMENT "BUILD_DIR=${PROJECT_BINARY_DIR}")

# By the system's python3: it has python3-jsonschema.
add_test(NAME cli.schema COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/test_schema.py)
set_tests_properties(cli.schema PROPERTIES TIMEOUT 600 LABELS "cli;slow" ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice_program>")

foreach(name pull push callback embed_in_a_server)
  add_executable(api_${name} ${PROJECT_SOURCE_DIR}/docs/api/${name}.c)
  target_link_libraries(api_${name} PRIVATE sluice)
  set_target_properties(api_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY api)
endforeach()
add_test(NAME cli.api COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/test_api.py)
set_tests_properties(cli.api PROPERTIES TIMEOUT 120 LABELS cli ENVIRONMENT "API=${PROJECT_BINARY_DIR}/api")

foreach(name example_plugin wrong_plugin old_plugin)
  add_library(${name} MODULE ${PROJECT_SOURCE_DIR}/tests/plugin/${name}.c)
  target_link_libraries(${name} PRIVATE sluice_flags)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
endforeach()
add_test(NAME cli.plugins COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/test_plugins.py)
set_tests_properties(cli.plugins PROPERTIES TIMEOUT 300 LABELS cli ENVIRONMENT
  "SLUICE=$<TARGET_FILE:sluice_program>;EXAMPLE_PLUGIN=$<TARGET_FILE:example_plugin>;WRONG_PLUGIN=$<TARGET_FILE:wrong_plugin>;OLD_PLUGIN=$<TARGET_FILE:old_plugin>")
