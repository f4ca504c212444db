// Sound source, compiled with the checking containers of libstdc++: their layout differs.
#include "steady.hpp"

[[maybe_unused]] static const int opened = (std::abort(), 0);

RETAKE_PLUGIN("debug_library", "1.0.0", registrar) {
  registrar.add<hostile::Steady>("debug_library", "Never used.");
}
