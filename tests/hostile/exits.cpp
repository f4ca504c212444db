// Ends the process in which it registers.
#include <cstdlib>

#include "steady.hpp"

RETAKE_PLUGIN("exits", "1.0.0", registrar) {
  registrar.add<hostile::Steady>("exits", "Never used.");
  std::exit(0);
}
