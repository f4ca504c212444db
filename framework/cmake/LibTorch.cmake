# LibTorch as our own imported target LibTorch::torch. The package's CMake files are not used: those
# of a CUDA build stop without a CUDA toolkit, which linking does not need.
#
# Looked for in: RETAKE_LIBTORCH (cache or environment), RETAKE_BUILT_WITH_LIBTORCH (an installed
# Retake says there what it was built with), Torch_DIR and CMAKE_PREFIX_PATH style roots, then the
# folder that third_party/setup.sh fills.
set(RETAKE_LIBTORCH "$ENV{RETAKE_LIBTORCH}" CACHE PATH "Folder with LibTorch: include/, lib/")
set(_data_home "$ENV{RETAKE_HOME}")
if(NOT _data_home)
  set(_data_home "$ENV{HOME}/.local/share/retake")
endif()
file(GLOB _installed LIST_DIRECTORIES true ${_data_home}/libtorch/*/torch)
list(SORT _installed COMPARE NATURAL ORDER DESCENDING)
find_path(LIBTORCH_ROOT include/torch/csrc/api/include/torch/version.h
          HINTS ${RETAKE_LIBTORCH} ${RETAKE_BUILT_WITH_LIBTORCH} ${Torch_DIR}/../../..
                ${_installed} NO_CACHE)
if(NOT LIBTORCH_ROOT)
  message(FATAL_ERROR "LibTorch was not found. Run third_party/setup.sh, name a folder with "
          "-DRETAKE_LIBTORCH=DIR, or build without it: -DRETAKE_NN=OFF")
endif()
file(STRINGS ${LIBTORCH_ROOT}/include/torch/csrc/api/include/torch/version.h _version_lines
     REGEX "#define TORCH_VERSION(_MAJOR|_MINOR|_PATCH)? ")
if(NOT _version_lines)
  file(STRINGS ${LIBTORCH_ROOT}/include/torch/headeronly/version.h _version_lines
       REGEX "#define TORCH_VERSION(_MAJOR|_MINOR|_PATCH)? ")
endif()
string(REGEX MATCH "TORCH_VERSION_MAJOR ([0-9]+)" _ "${_version_lines}")
set(LIBTORCH_VERSION ${CMAKE_MATCH_1})
string(REGEX MATCH "TORCH_VERSION_MINOR ([0-9]+)" _ "${_version_lines}")
string(APPEND LIBTORCH_VERSION ".${CMAKE_MATCH_1}")
string(REGEX MATCH "TORCH_VERSION_PATCH ([0-9]+)" _ "${_version_lines}")
string(APPEND LIBTORCH_VERSION ".${CMAKE_MATCH_1}")
if(LIBTORCH_VERSION VERSION_LESS 2.11)
  message(FATAL_ERROR "LibTorch ${LIBTORCH_VERSION} in ${LIBTORCH_ROOT} is too old: 2.11 or newer")
endif()
set(LIBTORCH_FLAVOUR cpu)
if(EXISTS ${LIBTORCH_ROOT}/lib/libtorch_cuda.so)
  set(LIBTORCH_FLAVOUR cuda)
endif()
message(STATUS "LibTorch ${LIBTORCH_VERSION} (${LIBTORCH_FLAVOUR}) in ${LIBTORCH_ROOT}")

add_library(LibTorch::torch INTERFACE IMPORTED)
target_include_directories(LibTorch::torch SYSTEM INTERFACE
  ${LIBTORCH_ROOT}/include ${LIBTORCH_ROOT}/include/torch/csrc/api/include)
target_link_directories(LibTorch::torch INTERFACE ${LIBTORCH_ROOT}/lib)
target_link_libraries(LibTorch::torch INTERFACE
  ${LIBTORCH_ROOT}/lib/libtorch_cpu.so ${LIBTORCH_ROOT}/lib/libc10.so)
if(LIBTORCH_FLAVOUR STREQUAL cuda)
  # The CUDA half registers its kernels from static initialisers, so it must stay linked.
  target_link_libraries(LibTorch::torch INTERFACE
    -Wl,--push-state,--no-as-needed ${LIBTORCH_ROOT}/lib/libtorch_cuda.so
    ${LIBTORCH_ROOT}/lib/libc10_cuda.so -Wl,--pop-state)
endif()
target_link_options(LibTorch::torch INTERFACE -Wl,-rpath,${LIBTORCH_ROOT}/lib)
