// Two components of one name.
#include "steady.hpp"

RETAKE_PLUGIN("name_clash", "1.0.0", registrar) {
  registrar.add<hostile::Steady>("twice", "Never used.");
  registrar.add<hostile::Steady>("twice", "Never used.");
}
