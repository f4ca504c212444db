// Throws before anybody can catch: the process that loads it dies.
#include <stdexcept>

#include "steady.hpp"

[[maybe_unused]] static const int dies = [] {
  throw std::runtime_error("too early");
  return 0;
}();

RETAKE_PLUGIN("static_throw", "1.0.0", registrar) {
  registrar.add<hostile::Steady>("static_throw", "Never used.");
}
