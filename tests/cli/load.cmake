# Whole runs of the program against what Python makes of the same data, and against itself on every pool; its memory.
foreach(name load differential memory limits)
  add_test(NAME cli.${name} COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/test_${name}.py)
  set_tests_properties(cli.${name} PROPERTIES TIMEOUT 600 LABELS cli ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice_program>")
endforeach()
set_tests_properties(cli.load cli.differential cli.memory cli.limits PROPERTIES LABELS "cli;slow")
set_tests_properties(cli.memory PROPERTIES RUN_SERIAL ON TIMEOUT 1800)
