// Losses of the heads on the raw timeline: keep, start and end, kind of material.

#include "retake/plugin.hpp"
#include "retake/kinds/loss.hpp"
#include "retake/nn/losses.hpp"
#include "retake/nn/masked.hpp"
#include "retake/nn/tensor_map.hpp"
#include "retake/nn/torch.hpp"

namespace {

using retake::TensorMap;

class KeepBce final : public retake::Loss {
 public:
  struct Params {
    double positive_weight = 1.0;
    double focal_gamma = 0.0;
    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::positive_weight, "positive_weight", "weight of kept tokens")
          .range(1e-3, 1e3)
          .log_scale();
      s.field(&Params::focal_gamma, "focal_gamma", "focal loss exponent; 0: plain cross-entropy")
          .range(0.0, 8.0);
    }
  };
  explicit KeepBce(const Params& params) : params_(params) {}

  at::Tensor compute(const TensorMap& outputs, const TensorMap& batch) const override {
    return retake::masked_mean(
        retake::binary_cross_entropy(outputs.at("keep"), batch.at("keep_target"),
                                     params_.positive_weight, params_.focal_gamma),
        batch.at("token_label_mask"));
  }
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

class BoundaryBce final : public retake::Loss {
 public:
  struct Params {
    double positive_weight = 8.0;
    double focal_gamma = 0.0;
    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::positive_weight, "positive_weight",
              "weight of starts and ends against the other tokens")
          .range(1e-3, 1e3)
          .log_scale();
      s.field(&Params::focal_gamma, "focal_gamma", "focal loss exponent; 0: plain cross-entropy")
          .range(0.0, 8.0);
    }
  };
  explicit BoundaryBce(const Params& params) : params_(params) {}

  at::Tensor compute(const TensorMap& outputs, const TensorMap& batch) const override {
    const at::Tensor& mask = batch.at("token_label_mask");
    auto one = [&](const char* head, const char* target) {
      return retake::masked_mean(
          retake::binary_cross_entropy(outputs.at(head), batch.at(target), params_.positive_weight,
                                       params_.focal_gamma),
          mask);
    };
    return one("start", "start_target") + one("end", "end_target");
  }
  static retake::Traits traits() {
    retake::Traits t;
    t.inputs = {{"start", "f32", "B, N", "logits"},
                {"end", "f32", "B, N", "logits"},
                {"start_target", "f32", "B, N", "1 where the edit enters the raw"},
                {"end_target", "f32", "B, N", "1 where the edit leaves the raw"},
                {"token_label_mask", "bool", "B, N", "true where the label is known"}};
    return t;
  }

 private:
  Params params_;
};

class KindCrossEntropy final : public retake::Loss {
 public:
  struct Params {
    double label_smoothing = 0.0;
    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::label_smoothing, "label_smoothing", "share of the target given to all")
          .range(0.0, 0.9);
    }
  };
  explicit KindCrossEntropy(const Params& params) : params_(params) {}

  at::Tensor compute(const TensorMap& outputs, const TensorMap& batch) const override {
    const at::Tensor& classes = batch.at("kind_target");
    return retake::masked_mean(
        retake::cross_entropy(outputs.at("kind"), classes, params_.label_smoothing), classes >= 0);
  }
  static retake::Traits traits() {
    retake::Traits t;
    t.inputs = {{"kind", "f32", "B, N, K", "logits"},
                {"kind_target", "i64", "B, N", "index into the kinds of material; -1: unknown"}};
    return t;
  }

 private:
  Params params_;
};

}  // namespace

RETAKE_PLUGIN("timeline_losses", "0.1.0", registrar) {
  registrar.add<KeepBce>("keep_bce", "Cross-entropy of kept against cut, per token of the raw.");
  registrar.add<BoundaryBce>("boundary_bce",
                             "Cross-entropy of where the edit enters and leaves the raw.");
  registrar.add<KindCrossEntropy>("kind_cross_entropy",
                                  "Cross-entropy of the kind of material, where it is known.");
}
