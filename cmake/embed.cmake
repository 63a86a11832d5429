# sluice_embed(TARGET FILE NAME): the bytes of FILE as `static const char NAME[]` in the header that is included by FILE's path
# relative to src, with .h in the place of its suffix.
function(sluice_embed target file name)
  file(READ ${PROJECT_SOURCE_DIR}/src/${file} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  string(REGEX REPLACE "\\.[a-z]+$" ".h" header ${file})
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/embedded/${header} @ONLY
       CONTENT "/* From src/${file}. */\nstatic const char ${name}[] = {${bytes}};\n")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${file})
  target_include_directories(${target} PRIVATE ${PROJECT_BINARY_DIR}/embedded)
endfunction()
