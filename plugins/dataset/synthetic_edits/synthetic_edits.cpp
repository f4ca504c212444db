#include "dataset.hpp"
#include "retake/plugin.hpp"

RETAKE_PLUGIN("synthetic_edits", "0.1.0", registrar) {
  registrar.add<retake::synthetic::SyntheticEdits>(
      "synthetic_edits",
      "Pairs with exact truth, made from finished music or by the built-in band.");
}
