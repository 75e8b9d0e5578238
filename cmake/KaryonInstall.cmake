# cmake --install: the command, the headers by folder, and a package for find_package(karyon).
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/karyon)

install(TARGETS karyon RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(EXPORT karyonTargets NAMESPACE karyon:: DESTINATION ${package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/karyonConfig.cmake.in ${PROJECT_BINARY_DIR}/karyonConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/karyonConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/karyonConfig.cmake ${PROJECT_BINARY_DIR}/karyonConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/FindOneDNN.cmake ${CMAKE_CURRENT_LIST_DIR}/FindHdf5C.cmake
        DESTINATION ${package_dir})
