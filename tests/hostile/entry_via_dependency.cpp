// A stamp, and the registration of a library that it links to.
#include "retake/plugin.hpp"

[[gnu::section(".retake.stamp"), gnu::used, gnu::retain]] static const char stamp_of_source[] =
    "name=entry_via_dependency\nversion=1.0.0\n" RETAKE_STAMP_TOOLCHAIN;

// Keeps the dependency from being dropped by the linker.
extern "C" int of_the_dependency();
extern "C" [[gnu::visibility("default")]] int keep() {
  return of_the_dependency();
}
