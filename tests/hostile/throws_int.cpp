// Throws what is no exception.
#include "steady.hpp"

RETAKE_PLUGIN("throws_int", "1.0.0", registrar) {
  registrar.add<hostile::Steady>("throws_int", "Never used.");
  throw 7;
}
