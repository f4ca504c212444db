# Compile options of our own targets: retake_options. Third-party headers are SYSTEM includes.
add_library(retake_options INTERFACE)
target_compile_options(retake_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  # GCC 12 reports -Wrestrict inside std::string wrongly (GCC bug 105329).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # Bits must not depend on how the compiler fuses: see docs/decisions.
  -ffp-contract=off -march=${RETAKE_MARCH})
if(RETAKE_WERROR)
  target_compile_options(retake_options INTERFACE -Werror)
endif()
