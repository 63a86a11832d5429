# Whole runs of the program against what Python makes of the same data, and against itself on every pool.
function(sluice_cli_test name timeout)
  add_test(NAME cli.${name} COMMAND python3 ${PROJECT_SOURCE_DIR}/tests/cli/test_${name}.py)
  set_tests_properties(cli.${name} PROPERTIES TIMEOUT ${timeout} LABELS cli ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice_program>")
endfunction()

sluice_cli_test(load 600)
