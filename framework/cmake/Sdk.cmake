# The SDK: what `cmake --install BUILD --prefix P` puts in place. A build folder is laid out alike,
# so that CMAKE_PREFIX_PATH=BUILD serves as well as CMAKE_PREFIX_PATH=P:
#
#   bin/                 retake, retake-plugin-table
#   lib/                 the libraries; lib/retake/plugins/ the plugins (build folder: plugins/)
#   lib/cmake/Retake/    RetakeConfig.cmake and what it reads, the hash of each kind's headers
#   include/retake/      the public headers (build folder: those of the sources)
#   share/retake/        configs, experiments, templates of `retake new`, schemas of files
#
# Folders are relative to the executable, whatever the prefix, so none of them is configurable.
include(CMakePackageConfigHelpers)
set(sdk lib/cmake/Retake)
set(targets retake retake_audio retake_cli retake_plugin_table)
if(RETAKE_NN)
  list(APPEND targets retake_nn)
endif()
foreach(target IN LISTS targets)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE)
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
    add_executable(Retake::${target} ALIAS ${target})
  else()
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN")
    add_library(Retake::${target} ALIAS ${target})
  endif()
endforeach()
install(TARGETS ${targets} EXPORT RetakeTargets RUNTIME DESTINATION bin LIBRARY DESTINATION lib)
install(EXPORT RetakeTargets NAMESPACE Retake:: DESTINATION ${sdk})
export(EXPORT RetakeTargets NAMESPACE Retake::
       FILE ${PROJECT_BINARY_DIR}/${sdk}/RetakeTargets.cmake)

configure_file(${CMAKE_CURRENT_LIST_DIR}/RetakeConfig.cmake.in
               ${PROJECT_BINARY_DIR}/${sdk}/RetakeConfig.cmake @ONLY)
# Plugins of another version have other stamps as a rule, and the stamp decides.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/${sdk}/RetakeConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
set(helpers RetakePlugin.cmake LibTorch.cmake plugin.version)
foreach(file IN LISTS helpers)
  file(CREATE_LINK ${CMAKE_CURRENT_LIST_DIR}/${file} ${PROJECT_BINARY_DIR}/${sdk}/${file} SYMBOLIC)
  install(FILES ${CMAKE_CURRENT_LIST_DIR}/${file} DESTINATION ${sdk})
endforeach()
install(FILES ${PROJECT_BINARY_DIR}/${sdk}/RetakeConfig.cmake
              ${PROJECT_BINARY_DIR}/${sdk}/RetakeConfigVersion.cmake DESTINATION ${sdk})
file(CREATE_LINK ${RETAKE_KIND_DIR}/kinds ${PROJECT_BINARY_DIR}/${sdk}/kinds SYMBOLIC)
install(DIRECTORY ${RETAKE_KIND_DIR}/kinds DESTINATION ${sdk} FILES_MATCHING PATTERN "*.inc")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/framework/include/retake DESTINATION include
        FILES_MATCHING PATTERN "*.hpp")

file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/share/retake)
foreach(folder configs experiments framework/templates docs)
  get_filename_component(name ${folder} NAME)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${PROJECT_BINARY_DIR}/share/retake/${name}
       SYMBOLIC)
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs ${PROJECT_SOURCE_DIR}/experiments
                  ${PROJECT_SOURCE_DIR}/framework/templates DESTINATION share/retake)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION share/retake
        FILES_MATCHING PATTERN "*.schema.json" PATTERN decisions EXCLUDE)
