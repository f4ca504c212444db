# retake_add_plugin(NAME KIND KIND... SOURCES FILE... [TORCH] [LINK TARGET...])
#
# A shared library build/plugins/libNAME.so that the host loads by name. NAME is the one that the
# source gives to RETAKE_PLUGIN. KIND names the kinds of its components (retake/kinds/*.hpp). TORCH
# links LibTorch and libretake_nn and reuses the one precompiled retake/nn/torch.hpp of the project
# (to precompile it for one source costs more than it saves, unless RETAKE_TORCH_PCH says that the
# source will be compiled often); the kinds loss, model, optimizer and trainer imply TORCH. LINK
# names further libraries, for what the plugin alone needs. Without LibTorch (RETAKE_NN=OFF) plugins
# of the tree that need it are left out. The variable RETAKE_PLUGIN_DIR names another folder for the
# library.
#
# Used by the tree itself and, installed, by projects outside (find_package(Retake CONFIG)).
include_guard(GLOBAL)

# What every plugin is compiled with; the precompiled header must agree with all of it.
add_library(retake_plugin_options INTERFACE)
target_link_libraries(retake_plugin_options INTERFACE
  retake_options Retake::retake Retake::retake_audio)
target_compile_options(retake_plugin_options INTERFACE
  -fvisibility=hidden -fvisibility-inlines-hidden -fno-gnu-unique)

# The stamp holds the language standard, so a project's own choice must not reach a plugin.
function(_retake_plugin_language target)
  set_target_properties(${target} PROPERTIES CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON
    CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
endfunction()

if(RETAKE_NN)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/torch_pch.cpp
       CONTENT "// Holds the precompiled retake/nn/torch.hpp that all torch plugins reuse.\n")
  # Not of `all`: a project of torch-free plugins has no use for it.
  add_library(retake_torch_pch OBJECT EXCLUDE_FROM_ALL
              ${PROJECT_BINARY_DIR}/generated/torch_pch.cpp)
  _retake_plugin_language(retake_torch_pch)
  target_link_libraries(retake_torch_pch PRIVATE retake_plugin_options LibTorch::torch)
  target_precompile_headers(retake_torch_pch PRIVATE <retake/nn/torch.hpp>)
endif()

# The part of the stamp that the build knows and the source does not.
function(_retake_stamp_source out name torch)
  set(lines)
  foreach(kind IN LISTS ARGN)
    string(APPEND lines "    \"headers.${kind}=\"\n#include \"kinds/${kind}.inc\"\n    \"\\n\"\n")
  endforeach()
  if(torch)
    string(APPEND lines "    \"libtorch=${LIBTORCH_VERSION} ${LIBTORCH_FLAVOUR}\\n\"\n")
  endif()
  set(file ${CMAKE_CURRENT_BINARY_DIR}/${name}_stamp.cpp)
  file(CONFIGURE OUTPUT ${file} @ONLY CONTENT
"// Written by retake_add_plugin: the stamp's lines about headers and LibTorch.
[[gnu::section(\".retake.stamp\"), gnu::used, gnu::retain]] static const char stamp[] =
@lines@    \"\";
")
  set_source_files_properties(${file} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  set(${out} ${file} PARENT_SCOPE)
endfunction()

# The library as linked, before its table is embedded.
function(_retake_plugin_library name torch kinds sources link)
  _retake_stamp_source(stamp ${name} ${torch} ${kinds})
  add_library(${name} MODULE ${sources} ${stamp})
  _retake_plugin_language(${name})
  if(NOT RETAKE_PLUGIN_DIR)
    set(RETAKE_PLUGIN_DIR ${PROJECT_BINARY_DIR}/plugins)
  endif()
  # No NAME_EXPORTS define: a define of its own would make the precompiled header useless.
  set_target_properties(${name} PROPERTIES PREFIX lib SUFFIX .so DEFINE_SYMBOL "" NO_SONAME ON
    LIBRARY_OUTPUT_DIRECTORY ${RETAKE_PLUGIN_DIR})
  target_include_directories(${name} PRIVATE ${RETAKE_KIND_DIR})
  target_link_libraries(${name} PRIVATE retake_plugin_options ${link})
  if(torch)
    target_link_libraries(${name} PRIVATE Retake::retake_nn LibTorch::torch)
    list(LENGTH sources count)
    if(count GREATER 1 OR RETAKE_TORCH_PCH)
      target_precompile_headers(${name} REUSE_FROM retake_torch_pch)
    endif()
  endif()
  set(script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.version)
  target_link_options(${name} PRIVATE -Wl,-z,defs -Wl,--version-script=${script})
  set_target_properties(${name} PROPERTIES LINK_DEPENDS ${script})
  if(TARGET retake_kind_hashes)  # of the tree; installed hashes do not change
    add_dependencies(${name} retake_kind_hashes retake_plugin_table)
  endif()
endfunction()

# What the compiler is given, by the project and by the target, for the records of runs.
function(_retake_compiler_flags out target)
  set(flags "${CMAKE_CXX_FLAGS}")
  foreach(config IN LISTS CMAKE_CONFIGURATION_TYPES CMAKE_BUILD_TYPE)
    string(TOUPPER ${config} upper)
    string(APPEND flags " $<$<CONFIG:${config}>:${CMAKE_CXX_FLAGS_${upper}}>")
  endforeach()
  set(${out} "${flags} $<JOIN:$<TARGET_PROPERTY:${target},COMPILE_OPTIONS>, >" PARENT_SCOPE)
endfunction()

function(retake_add_plugin name)
  cmake_parse_arguments(arg "TORCH" "" "KIND;SOURCES;LINK" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_KIND OR NOT arg_SOURCES)
    message(FATAL_ERROR "retake_add_plugin(${name} KIND ... SOURCES ... [TORCH] [LINK ...]): "
            "KIND and SOURCES are needed; not understood: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  foreach(kind IN LISTS arg_KIND)
    if(NOT kind IN_LIST RETAKE_KINDS)
      list(JOIN RETAKE_KINDS " " known)
      message(FATAL_ERROR "retake_add_plugin(${name}): no kind `${kind}`; there are: ${known}")
    endif()
    if(kind IN_LIST RETAKE_TORCH_KINDS)
      set(arg_TORCH ON)
    endif()
  endforeach()
  if(arg_TORCH AND NOT RETAKE_NN)
    if(NOT TARGET retake_kind_hashes)  # outside the tree
      message(FATAL_ERROR "retake_add_plugin(${name}): it needs LibTorch, and the Retake in "
              "${RETAKE_KIND_DIR} was built without it (RETAKE_NN=OFF)")
    endif()
    return()
  endif()
  _retake_plugin_library(${name} ${arg_TORCH} "${arg_KIND}" "${arg_SOURCES}" "${arg_LINK}")
  _retake_compiler_flags(flags ${name})
  # A library whose registration fails, or names other kinds than KIND, fails the build.
  add_custom_command(TARGET ${name} POST_BUILD
    COMMAND Retake::retake_plugin_table --name ${name} --objcopy ${CMAKE_OBJCOPY}
            --source ${CMAKE_CURRENT_SOURCE_DIR} --flags "${flags}" $<TARGET_FILE:${name}>
    COMMENT "Embedding the component table of ${name}" VERBATIM)
endfunction()
