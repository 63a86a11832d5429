#Programs in which allocations, transfers and workers fail one after another : see faults.h.
set(fault_calls malloc calloc realloc strdup strndup read write pread64 pwrite64 fsync rename open64 mkstemp64
        fork pthread_create) list(TRANSFORM fault_calls PREPEND "-Wl,--wrap=" OUTPUT_VARIABLE fault_wraps)
    file(GLOB fault_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR} / test_ *.c)
        foreach (source ${fault_tests}) get_filename_component(name ${source} NAME_WE)
            add_executable(${name} ${source} ${CMAKE_CURRENT_LIST_DIR} / faults.c)
                target_link_libraries(${name} PRIVATE sluice PkgConfig::CMOCKA)
                    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR} / tests / unit)
                        target_link_options(${name} PRIVATE ${fault_wraps})
                            string(REPLACE test_ "" subject ${name})
                                add_test(NAME fault.${subject} COMMAND ${name})
                                    set_tests_properties(fault.${subject} PROPERTIES TIMEOUT 300 LABELS fault)
                                        endforeach()
