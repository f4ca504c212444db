// Cross-entropy of kept against cut with smoothed labels: the target of a token is moved by
// `smoothing` towards 1/2, so that the model is never paid for being certain. Edits are a matter of
// taste, and labels near a cut are off by some tokens.

#include "retake/kinds/loss.hpp"
#include "retake/nn/losses.hpp"
#include "retake/nn/masked.hpp"
#include "retake/nn/tensor_map.hpp"
#include "retake/nn/torch.hpp"
#include "retake/plugin.hpp"

namespace {

class PluginName final : public retake::Loss {
 public:
  // A parameter is declared once: its default here, its range, unit and text below. `Param` lets
  // the host tell who sets one that nobody reads.
  struct Params {
    retake::Param<double> smoothing = 0.05;

    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::smoothing, "smoothing", "share of the target that is 1/2 for every token")
          .range(0.0, 1.0)
          .open_max();
    }
  };

  explicit PluginName(const Params& params) : params_(params) {}

  at::Tensor compute(const retake::TensorMap& outputs,
                     const retake::TensorMap& batch) const override {
    const double smoothing = params_.smoothing;
    const at::Tensor target_BN = batch.at("keep_target") * (1.0 - smoothing) + 0.5 * smoothing;
    return retake::masked_mean(retake::binary_cross_entropy(outputs.at("keep"), target_BN),
                               batch.at("token_label_mask"));
  }

  // What it reads, of the model's outputs and the trainer's batch: `retake check` compares.
  static retake::Traits traits() {
    retake::Traits t;
    t.inputs = {{"keep", "f32", "B, N", "logits"},
                {"keep_target", "f32", "B, N", "share of the token that is kept"},
                {"token_label_mask", "bool", "B, N", "true where the label is known"}};
    return t;
  }

 private:
  Params params_;
};

}  // namespace

RETAKE_PLUGIN("plugin_name", "0.1.0", registrar) {
  registrar.add<PluginName>("plugin_name",
                            "Cross-entropy of kept against cut, with smoothed labels.");
}
