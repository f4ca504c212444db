// Calls a function that no library has.
#include "steady.hpp"

namespace hostile {
void nowhere_to_be_found();
}

RETAKE_PLUGIN("missing_symbol", "1.0.0", registrar) {
  hostile::nowhere_to_be_found();
  registrar.add<hostile::Steady>("missing_symbol", "Never used.");
}
