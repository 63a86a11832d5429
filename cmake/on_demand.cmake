# Libraries that few runs need are opened when they are first needed: src/base/library.h tells how.
#
# sluice_on_demand(NAME ROOM TITLE ROOMS ROOM... USES LIBRARY...): src/ROOM/NAME.calls has the lines that include what the library is
# declared in, then the names of the functions that are called. The header made of it is seen by ROOMS.
file(RELATIVE_PATH libraries ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR}/sluice)
set_source_files_properties(src/base/library.c PROPERTIES COMPILE_DEFINITIONS SLUICE_LIBRARIES="${libraries}")

function(sluice_on_demand name room title)
  cmake_parse_arguments(LIBRARY "" "" "ROOMS;USES" ${ARGN})
  set(list src/${room}/${name}.calls)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${list})
  file(READ ${list} calls)
  string(SHA256 hash "${calls}")
  string(SUBSTRING ${hash} 0 12 hash)
  string(REGEX MATCHALL "#include[^\n]*\n" includes "${calls}")
  string(REGEX REPLACE "#include[^\n]*\n" "" calls "${calls}")
  string(REGEX MATCHALL "[A-Za-z0-9_]+" calls "${calls}")
  foreach(call ${calls})
    string(APPEND members "    __typeof__(${call}) *${call}_;\n")
    string(APPEND values "    ${call},\n")
    string(APPEND macros "#undef ${call}\n#define ${call} sl_${name}()->${call}_\n")
  endforeach()
  string(REPLACE ";" "" includes "${includes}")
  set(out ${PROJECT_BINARY_DIR}/embedded/${room}/${name})
  configure_file(cmake/on_demand.h.in ${out}.h @ONLY)
  configure_file(cmake/on_demand.c.in ${out}.c @ONLY)

  foreach(kind opened linked)
    add_library(sl_${name}_${kind} OBJECT ${out}.c)
    target_include_directories(sl_${name}_${kind} PRIVATE ${PROJECT_BINARY_DIR}/embedded ${PROJECT_BINARY_DIR}/walls/base)
    target_link_libraries(sl_${name}_${kind} PRIVATE sluice_flags ${LIBRARY_USES})
    set_target_properties(sl_${name}_${kind} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  endforeach()
  target_compile_definitions(sl_${name}_linked PRIVATE SL_LINKED)
  set_property(GLOBAL APPEND PROPERTY sluice_opened sl_${name}_opened) # for the program, and whatever else opens its libraries
  set_property(GLOBAL APPEND PROPERTY sluice_linked sl_${name}_linked) # for the archive
  foreach(seeing ${LIBRARY_ROOMS})
    target_include_directories(sl_${seeing} PRIVATE ${PROJECT_BINARY_DIR}/embedded)
  endforeach()

  add_library(sluice_${name} MODULE $<TARGET_OBJECTS:sl_${name}_linked>)
  target_link_libraries(sluice_${name} PRIVATE sluice_flags ${LIBRARY_USES})
  set_target_properties(sluice_${name} PROPERTIES PREFIX "" OUTPUT_NAME sluice-${name}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/modules)
  set_property(GLOBAL APPEND PROPERTY sluice_on_demand sluice_${name})
  install(TARGETS sluice_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/sluice)
endfunction()
