// Losses of the pointer heads: step, jump target, use_jump, stop, edit operation.

#include "retake/plugin.hpp"
#include "retake/kinds/loss.hpp"
#include "retake/nn/losses.hpp"
#include "retake/nn/masked.hpp"
#include "retake/nn/tensor_map.hpp"
#include "retake/nn/torch.hpp"

namespace {

using retake::TensorMap;

/// Weight of each position: `rare` where the class is not `common`, else 1.
at::Tensor rare_weight(const at::Tensor& classes, std::int64_t common, double rare) {
  return at::where(classes == common, at::ones({}, at::kFloat).to(classes.device()),
                   at::full({}, rare, at::kFloat).to(classes.device()));
}

class DeltaCrossEntropy final : public retake::Loss {
 public:
  struct Params {
    double label_smoothing = 0.0;
    double change_weight = 4.0;
    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::label_smoothing, "label_smoothing", "share of the target given to all")
          .range(0.0, 0.9);
      s.field(&Params::change_weight, "change_weight", "weight of steps that are not 0")
          .range(1e-3, 1e3)
          .log_scale();
    }
  };
  explicit DeltaCrossEntropy(const Params& params) : params_(params) {}

  at::Tensor compute(const TensorMap& outputs, const TensorMap& batch) const override {
    const at::Tensor &logits = outputs.at("delta"), &classes = batch.at("delta_target");
    const std::int64_t zero = logits.size(-1) / 2;
    return retake::masked_mean(retake::cross_entropy(logits, classes, params_.label_smoothing),
                               classes >= 0, rare_weight(classes, zero, params_.change_weight));
  }
  static retake::Traits traits() {
    retake::Traits t;
    t.inputs = {{"delta", "f32", "B, W, T, 2*D+1", "logits"},
                {"delta_target", "i64", "B, W, T", "step + D; negative: no step here"}};
    return t;
  }

 private:
  Params params_;
};

class JumpCrossEntropy final : public retake::Loss {
 public:
  struct Params {
    double fine_weight = 0.5;
    double spread = 0.1;
    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::fine_weight, "fine_weight", "weight of the frame inside the bin")
          .range(0.0, 10.0);
      s.field(&Params::spread, "spread",
              "share of the coarse target given to each neighbouring bin: near is half right")
          .range(0.0, 0.4);
    }
  };
  explicit JumpCrossEntropy(const Params& params) : params_(params) {}

  at::Tensor compute(const TensorMap& outputs, const TensorMap& batch) const override {
    const at::Tensor &mask = batch.at("jump_mask"), &bin = batch.at("jump_bin");
    const at::Tensor& logits = outputs.at("jump_bin");
    const std::int64_t last = logits.size(-1) - 1;
    const at::Tensor exact = bin.clamp_min(0);
    at::Tensor coarse = (1 - 2 * params_.spread) * retake::cross_entropy(logits, exact);
    if (params_.spread > 0) {
      // At the edges the neighbour that is missing gives its share back to the bin itself.
      for (std::int64_t side : {-1, 1}) {
        coarse =
            coarse + params_.spread * retake::cross_entropy(logits, (exact + side).clamp(0, last));
      }
    }
    const at::Tensor fine = retake::cross_entropy(outputs.at("jump_fine"), batch.at("jump_fine"));
    return retake::masked_mean(coarse, mask) +
           params_.fine_weight * retake::masked_mean(fine, mask);
  }
  static retake::Traits traits() {
    retake::Traits t;
    // Outputs of the model, and targets of the same names in the batch.
    t.inputs = {{"jump_bin", "f32", "B, J, C", "logits of the bin (model)"},
                {"jump_bin", "i64", "B, J", "true bin (batch)"},
                {"jump_fine", "f32", "B, J, Q", "logits of the frame in the bin (model)"},
                {"jump_fine", "i64", "B, J", "true frame in the bin (batch)"},
                {"jump_mask", "bool", "B, J", "true where there is a jump"}};
    return t;
  }

 private:
  Params params_;
};

/// use_jump and stop: binary heads, one per output frame.
struct BinaryParams {
  double positive_weight = 1.0;
  double focal_gamma = 0.0;
  static void describe(retake::Schema<BinaryParams>& s) {
    s.field(&BinaryParams::positive_weight, "positive_weight", "weight of frames that do")
        .range(1e-3, 1e3)
        .log_scale();
    s.field(&BinaryParams::focal_gamma, "focal_gamma",
            "focal loss exponent; 0: plain cross-entropy")
        .range(0.0, 8.0);
  }
};

class BinaryLoss : public retake::Loss {
 public:
  BinaryLoss(std::string head, const BinaryParams& params)
      : head_(std::move(head)), params_(params) {}
  at::Tensor compute(const TensorMap& outputs, const TensorMap& batch) const override {
    return retake::masked_mean(
        retake::binary_cross_entropy(outputs.at(head_), batch.at(head_ + "_target"),
                                     params_.positive_weight, params_.focal_gamma),
        batch.at(head_ + "_mask"));
  }

 protected:
  static retake::Traits traits_of(const std::string& head) {
    retake::Traits t;
    t.inputs = {{head, "f32", "B, W, T", "logits"},
                {head + "_target", "f32", "B, W, T", "0 or 1"},
                {head + "_mask", "bool", "B, W, T", "true where the target is known"}};
    return t;
  }

 private:
  std::string head_;
  BinaryParams params_;
};

class UseJumpBce final : public BinaryLoss {
 public:
  using Params = BinaryParams;
  explicit UseJumpBce(const Params& params) : BinaryLoss("use_jump", params) {}
  static retake::Traits traits() { return traits_of("use_jump"); }
};

class StopBce final : public BinaryLoss {
 public:
  using Params = BinaryParams;
  explicit StopBce(const Params& params) : BinaryLoss("stop", params) {}
  static retake::Traits traits() { return traits_of("stop"); }
};

class OpCrossEntropy final : public retake::Loss {
 public:
  struct Params {
    double rare_weight = 20.0;
    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::rare_weight, "rare_weight", "weight of every operation but COPY")
          .range(1e-3, 1e4)
          .log_scale();
    }
  };
  explicit OpCrossEntropy(const Params& params) : params_(params) {}

  at::Tensor compute(const TensorMap& outputs, const TensorMap& batch) const override {
    const at::Tensor& classes = batch.at("op_target");
    return retake::masked_mean(retake::cross_entropy(outputs.at("op"), classes), classes >= 0,
                               rare_weight(classes, 0, params_.rare_weight));
  }
  static retake::Traits traits() {
    retake::Traits t;
    t.inputs = {{"op", "f32", "B, W, T, 7", "logits"},
                {"op_target", "i64", "B, W, T", "operation code; negative: unknown"}};
    return t;
  }

 private:
  Params params_;
};

}  // namespace

RETAKE_PLUGIN("pointer_losses", "0.1.0", registrar) {
  registrar.add<DeltaCrossEntropy>("delta_cross_entropy", "Cross-entropy of the step classes.");
  registrar.add<JumpCrossEntropy>(
      "jump_cross_entropy", "Cross-entropy of jump targets: the bin and the frame inside it.");
  registrar.add<UseJumpBce>("use_jump_bce", "Cross-entropy of jump or go on, per output frame.");
  registrar.add<StopBce>("stop_bce", "Cross-entropy of the edit's end, per output frame.");
  registrar.add<OpCrossEntropy>("op_cross_entropy", "Cross-entropy of the edit operations.");
}
