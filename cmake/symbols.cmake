# SLUICE_ABI is the number of the soname: it grows when a program that was linked with an older library would break.
set(SLUICE_ABI 0)

# sluice_symbols(MAP): the linker's version script of what sluice.h declares as SL_API.
function(sluice_symbols map)
  set(header src/sluice.h)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${header})
  file(READ ${header} text)
  string(REGEX MATCHALL "\nSL_API[^(;]*[ *]sl_[a-z0-9_]+\\(" found "${text}")
  list(TRANSFORM found REPLACE ".*[ *](sl_[a-z0-9_]+)\\($" "    \\1")
  list(JOIN found ";\n" names)
  file(CONFIGURE OUTPUT ${map} @ONLY CONTENT "SLUICE_${SLUICE_ABI} {\n  global:\n${names};\n  local:\n    *;\n};\n")
endfunction()
