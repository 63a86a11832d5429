# Random loads and pipes against a model of them; tests/model/run looks for more than is run here.
add_test(NAME model.rules COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/test_rules.py)
set_tests_properties(model.rules PROPERTIES TIMEOUT 60 LABELS model)
