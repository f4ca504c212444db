// Registers one component, then throws.
#include <stdexcept>

#include "steady.hpp"

RETAKE_PLUGIN("throws_std", "1.0.0", registrar) {
  registrar.add<hostile::Steady>("throws_std", "Never used.");
  throw std::runtime_error("the licence server is down");
}
