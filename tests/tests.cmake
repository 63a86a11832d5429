# Rings of tests: unit (cmocka, one program a module), then what tests/*/ adds. `ctest --preset dev` runs them all.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)

file(GLOB unit_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/unit/test_*.c)
foreach(source ${unit_tests})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE sluice_inside PkgConfig::CMOCKA)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/unit)
  target_compile_definitions(${name} PRIVATE SLUICE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME unit.${name} COMMAND ${name})
  set_tests_properties(unit.${name} PROPERTIES TIMEOUT 300 LABELS unit)
endforeach()

# Sanitizers add variables of their own to objects.
if(NOT SLUICE_SANITIZE)
  set(objects --objects ${PROJECT_BINARY_DIR})
endif()
add_test(NAME house.rules COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/house/check.py ${objects})
set_tests_properties(house.rules PROPERTIES TIMEOUT 60 LABELS unit)

add_test(NAME house.walks COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/house/test_walks.py)
set_tests_properties(house.walks PROPERTIES TIMEOUT 900 LABELS "unit;slow" ENVIRONMENT
  "BUILD_DIR=${PROJECT_BINARY_DIR};CC=${CMAKE_C_COMPILER}")

add_test(NAME http.server COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/http/test_server.py)
set_tests_properties(http.server PROPERTIES TIMEOUT 120 LABELS http)

add_test(NAME http.fetching COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/http/test_fetching.py)
set_tests_properties(http.fetching PROPERTIES TIMEOUT 300 LABELS http ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice_program>")

add_test(NAME http.addresses COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/http/test_addresses.py)
set_tests_properties(http.addresses PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77 LABELS http
  ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice_program>")

include(${CMAKE_CURRENT_LIST_DIR}/cases/cases.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/template/template.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/cli/load.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/cli/cli.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/fuzz/fuzz.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/fault/fault.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/model/model.cmake)

# What the tests fetch is kept apart from what their user fetches.
get_property(all_tests DIRECTORY PROPERTY TESTS)
foreach(name ${all_tests})
  set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT "SLUICE_CACHE_DIR=${PROJECT_BINARY_DIR}/test-cache")
endforeach()

# The longest begin first, so that none is left to run alone at the end. Seconds, roughly, where they are longest.
set(long_tests cli.memory=170 fault.fault_memory=170 model.loads=65 http.fetching=110 vectors.udf=100 cli.load=80 fault.fault_files=40
  cli.failures=40 cli.feeds=35 cli.definitions=35 unit.test_sorter=30 cli.differential=30 cli.schema=30 vectors.fetchdata=25 cli.functions=20
  cli.changes=20 cli.command_line=20 unit.test_csv=20 unit.test_builder=20)
foreach(entry ${long_tests})
  string(REPLACE "=" ";" entry ${entry})
  list(GET entry 0 name)
  list(GET entry 1 seconds)
  set_tests_properties(${name} PROPERTIES COST ${seconds})
endforeach()

# More than eight seconds each in the dev build: `./test --fast` leaves them out, beside those labelled `slow`.
foreach(name http.fetching vectors.udf vectors.aggregate_lua vectors.fetchdata fault.sweeps fault.fault_files cli.process cli.failures cli.functions
    cli.values cli.sqlite cli.terminal cli.definitions cli.empty)
  if(TEST ${name}) # the sweeps are not there under sanitizers
    set_property(TEST ${name} APPEND PROPERTY LABELS long)
  endif()
endforeach()
