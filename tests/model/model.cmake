# Random loads and pipes against a model of them: the same cases each time, for a minute. tests/model/run looks for others.
add_test(NAME model.rules COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/test_rules.py)
set_tests_properties(model.rules PROPERTIES TIMEOUT 60 LABELS model)

add_test(NAME model.loads COMMAND ${CMAKE_CURRENT_LIST_DIR}/run --program $<TARGET_FILE:sluice_program> --seconds 60 --seed 1 --go-on)
set_tests_properties(model.loads PROPERTIES TIMEOUT 600 LABELS "model;slow")
