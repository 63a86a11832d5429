# The examples of what pipes do: one file of them a pipe, each run under every pool, number of workers and size of unit. Libraries are
# opened on demand here, as in the program.
add_executable(vectors ${CMAKE_CURRENT_LIST_DIR}/vectors.c)
target_link_libraries(vectors PRIVATE ${opened} sluice_inside PkgConfig::JANSSON)

file(GLOB vector_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/vectors/*.jsonl)
foreach(file ${vector_files})
  get_filename_component(name ${file} NAME_WE)
  add_test(NAME vectors.${name} COMMAND vectors ${file})
  set_tests_properties(vectors.${name} PROPERTIES TIMEOUT 300 LABELS vectors)
endforeach()
