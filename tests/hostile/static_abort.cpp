// Ends the process that loads it.
#include <cstdlib>

#include "steady.hpp"

[[maybe_unused]] static const int dies = (std::abort(), 0);

RETAKE_PLUGIN("static_abort", "1.0.0", registrar) {
  registrar.add<hostile::Steady>("static_abort", "Never used.");
}
