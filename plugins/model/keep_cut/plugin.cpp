#include "retake/plugin.hpp"
#include "keep_cut.hpp"

RETAKE_PLUGIN("keep_cut", "0.1.0", registrar) {
  registrar.add<keep_cut::KeepCut>(
      "keep_cut",
      "Keep, start, end and kind of material on the raw timeline, one token per 93 ms.");
}
