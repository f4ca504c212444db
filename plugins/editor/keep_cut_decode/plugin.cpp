#include "retake/plugin.hpp"
#include "editor.hpp"
#include "retake/nn/torch.hpp"

RETAKE_PLUGIN("keep_cut_decode", "0.1.0", registrar) {
  registrar.add<keep_cut_decode::KeepCutDecode>(
      "keep_cut_decode",
      "Best kept stretches under keep, start and end scores, by dynamic "
      "programming, with minimum lengths and an optional target length.");
}
