# The hash of every kind's public headers, made anew when one of them changes. See hash_kinds.cmake.
# TORCH_KINDS is a list of kinds whose plugins always use LibTorch.
set(RETAKE_TORCH_KINDS loss model optimizer trainer)
set(RETAKE_KIND_DIR ${PROJECT_BINARY_DIR}/generated)
file(GLOB_RECURSE _headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/../include/retake/*.hpp)
file(GLOB _kinds CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/../include/retake/kinds/*.hpp)
set(RETAKE_KINDS)
set(_hashes ${RETAKE_KIND_DIR}/plugin/kind_hashes.hpp)
foreach(_header IN LISTS _kinds)
  get_filename_component(_kind ${_header} NAME_WE)
  list(APPEND RETAKE_KINDS ${_kind})
  list(APPEND _hashes ${RETAKE_KIND_DIR}/kinds/${_kind}.inc)
endforeach()
get_filename_component(_include ${CMAKE_CURRENT_LIST_DIR}/../include ABSOLUTE)
# The hashes are byproducts, so that one which did not change rebuilds nothing.
add_custom_command(
  OUTPUT ${RETAKE_KIND_DIR}/kinds/stamp BYPRODUCTS ${_hashes}
  COMMAND ${CMAKE_COMMAND} -DINCLUDE_DIR=${_include} -DOUT_DIR=${RETAKE_KIND_DIR}
          "-DTORCH_KINDS=${RETAKE_TORCH_KINDS}" -P ${CMAKE_CURRENT_LIST_DIR}/hash_kinds.cmake
  COMMAND ${CMAKE_COMMAND} -E touch ${RETAKE_KIND_DIR}/kinds/stamp
  DEPENDS ${_headers} ${CMAKE_CURRENT_LIST_DIR}/hash_kinds.cmake
  COMMENT "Hashing the public headers of each kind" VERBATIM)
add_custom_target(retake_kind_hashes DEPENDS ${RETAKE_KIND_DIR}/kinds/stamp)
