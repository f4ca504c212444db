#include "retake/plugin.hpp"
#include "pointer_network.hpp"

RETAKE_PLUGIN("pointer_network", "0.1.0", registrar) {
  registrar.add<pointer_network::PointerNetwork>(
      "pointer_network",
      "For each output frame, the raw frame to copy: step, jump in two stages, stop.");
}
