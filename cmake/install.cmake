set_target_properties(sluice PROPERTIES PUBLIC_HEADER "src/sluice.h;src/sluice_plugin.h;${CMAKE_CURRENT_BINARY_DIR}/sluice_version.h")
install(TARGETS sluice sluice_shared ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS sluice_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# What says how to link: sluice.pc the shared library, sluice-static.pc the archive, the CMake package both. All say where the rest is by where they lie
# themselves, so that the folder may be moved, and --prefix and DESTDIR hold. Who links the archive needs all that it needs; the
# shared library brings that along, so that a program needs none of it to be built. A program finds the library where it was linked,
# unless that is a place of the system's.
set(SLUICE_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" up ${up})
  set(SLUICE_PC_PREFIX "\${pcfiledir}/${up}")
endif()
foreach(dir LIBDIR INCLUDEDIR)
  set(SLUICE_PC_${dir} ${CMAKE_INSTALL_${dir}})
  if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_${dir}})
    set(SLUICE_PC_${dir} "\${prefix}/${CMAKE_INSTALL_${dir}}")
  endif()
endforeach()
if(NOT CMAKE_INSTALL_PREFIX STREQUAL /usr)
  set(SLUICE_PC_RPATH " -Wl,-rpath,\${libdir}")
endif()
foreach(library GMP JANSSON CURL ZLIB ZSTD PCRE2 ICU CRYPTO SQLITE XML2 LUAJIT)
  list(APPEND SLUICE_NEEDS ${${library}_LDFLAGS})
endforeach()
list(APPEND SLUICE_NEEDS -lcsv -ldl -lm -pthread)
list(FILTER SLUICE_NEEDS EXCLUDE REGEX "^-L/usr/lib") # where linkers look anyway
list(REMOVE_DUPLICATES SLUICE_NEEDS)
list(JOIN SLUICE_NEEDS " " SLUICE_PC_NEEDS)
foreach(file sluice sluice-static)
  configure_file(cmake/packaging/${file}.pc.in ${file}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${file}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/sluice)
configure_package_config_file(cmake/packaging/sluice-config.cmake.in sluice-config.cmake INSTALL_DESTINATION ${package}
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(sluice-config-version.cmake VERSION ${SLUICE_VERSION_NUMBER} COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sluice-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/sluice-config-version.cmake DESTINATION ${package})

install(FILES configs/pipeline.schema.json docs/pipes.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/sluice)
install(FILES docs/man/sluice.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES src/cli/complete.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME sluice)
install(FILES src/cli/complete.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _sluice)
install(FILES src/cli/complete.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME sluice.fish)
