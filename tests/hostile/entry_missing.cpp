// A stamp without a registration.
#include "retake/plugin.hpp"

[[gnu::section(".retake.stamp"), gnu::used, gnu::retain]] static const char stamp_of_source[] =
    "name=entry_missing\nversion=1.0.0\n" RETAKE_STAMP_TOOLCHAIN;
