// Sound, but built with the LibTorch of another time.
#include "steady.hpp"

[[gnu::section(".retake.stamp"), gnu::used, gnu::retain]] static const char stamp_of_source[] =
    "libtorch=1.13.1 cpu\n";

RETAKE_PLUGIN("other_libtorch", "1.0.0", registrar) {
  registrar.add<hostile::Steady>("other_libtorch", "Never used.");
}
