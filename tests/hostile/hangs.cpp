// Never ends its registration.
#include <unistd.h>

#include "steady.hpp"

RETAKE_PLUGIN("hangs", "1.0.0", registrar) {
  for (;;) ::pause();
  registrar.add<hostile::Steady>("hangs", "Never used.");
}
