# Programs in which allocations, transfers and workers fail one after another: see faults.h.
set(fault_calls malloc calloc realloc strdup strndup read write pread64 pwrite64 fsync fdatasync sync_file_range rename open64 mkstemp64 fork pthread_create)
list(TRANSFORM fault_calls PREPEND "-Wl,--wrap=" OUTPUT_VARIABLE fault_wraps)
file(GLOB fault_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/test_*.c)
foreach(source ${fault_tests})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source} ${CMAKE_CURRENT_LIST_DIR}/faults.c)
  target_link_libraries(${name} PRIVATE sluice_inside PkgConfig::CMOCKA)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/unit)
  target_link_options(${name} PRIVATE ${fault_wraps})
  string(REPLACE test_ "" subject ${name})
  add_test(NAME fault.${subject} COMMAND ${name})
  set_tests_properties(fault.${subject} PROPERTIES TIMEOUT 600 LABELS fault)
endforeach()

# The program as a process, with the calls of its libraries failing as well (shim.c). Sanitizers have an allocator of their own, which the
# shim would stand before.
if(NOT SLUICE_SANITIZE)
  add_library(fault_shim MODULE ${CMAKE_CURRENT_LIST_DIR}/shim.c)
  set_target_properties(fault_shim PROPERTIES PREFIX "")
  target_compile_options(fault_shim PRIVATE -Wall -Wextra -Wshadow -Wstrict-prototypes -fno-builtin)
  target_link_libraries(fault_shim PRIVATE ${CMAKE_DL_LIBS})
  add_test(NAME fault.sweeps COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/run --short)
  set_tests_properties(fault.sweeps PROPERTIES TIMEOUT 600 COST 60 LABELS fault
    ENVIRONMENT "SLUICE=$<TARGET_FILE:sluice_program>;FAULT_SHIM=$<TARGET_FILE:fault_shim>")
endif()
