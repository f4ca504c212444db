#include "retake/plugin.hpp"
#include "editor.hpp"
#include "retake/nn/torch.hpp"

RETAKE_PLUGIN("pointer_decode", "0.1.0", registrar) {
  registrar.add<pointer_decode::PointerDecode>(
      "pointer_decode", "Best path of copies and jumps by a Viterbi search; greedy and sampled.");
}
