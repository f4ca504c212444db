#include "retake/plugin.hpp"
#include "identity.hpp"

RETAKE_PLUGIN("identity", "0.1.0", registrar) {
  registrar.add<retake::Identity>("identity",
                                  "Baseline: the edit is the raw recording from its start on.");
}
