// Stamped and sound, but never given to the table tool.
#include "steady.hpp"

RETAKE_PLUGIN("no_table", "1.0.0", registrar) {
  registrar.add<hostile::Steady>("no_table", "Never used.");
}
