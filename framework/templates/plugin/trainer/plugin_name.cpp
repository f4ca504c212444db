// Supervised training of keep/cut models on crops: a batch is `train.batch` stretches of raw, drawn
// in proportion to the lengths of the recordings, and the share of each token that the edit keeps.
//
// Shapes: B batch, N tokens of 8 frames (93 ms).

#include <algorithm>
#include <cmath>

#include "retake/data/corpus.hpp"
#include "retake/error.hpp"
#include "retake/kinds/loss.hpp"
#include "retake/kinds/model.hpp"
#include "retake/kinds/trainer.hpp"
#include "retake/nn/inputs.hpp"
#include "retake/nn/raw_encoder.hpp"
#include "retake/nn/step.hpp"
#include "retake/nn/torch.hpp"
#include "retake/plugin.hpp"

namespace {

using retake::TensorMap;

/// A recording ready for crops.
struct Example {
  const retake::Song* song = nullptr;
  at::Tensor keep_S;  ///< 1 where the edit uses the frame, else 0
};

class PluginName final : public retake::Trainer {
 public:
  // A parameter is declared once: its default here, its range, unit and text below. `Param` lets
  // the host tell who sets one that nobody reads.
  struct Params {
    retake::Param<double> crop = 30.0;

    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::crop, "crop", "length of the stretches that a batch holds")
          .range(1.0, 36000.0)
          .unit("s");
    }
  };

  explicit PluginName(const Params& params) : params_(params) {}

  // What it needs of the model, gives to losses, and measures: `retake check` compares.
  static retake::Traits traits() {
    retake::Traits t;
    t.needs = {"loss"};
    t.inputs = {{"keep", "f32", "B, N", "logit: this token is kept"}};
    t.outputs = {{"keep_target", "f32", "B, N", "share of the token that is kept"},
                 {"token_label_mask", "bool", "B, N", "true where the label is known"}};
    retake::MetricInfo loss, accuracy;
    loss.name = "val/loss";
    loss.doc = "weighted loss on the validation recordings";
    loss.goal = "min";
    accuracy.name = "val/keep_accuracy";
    accuracy.doc = "share of tokens decided rightly, kept or cut";
    accuracy.goal = "max";
    t.metrics = {loss, accuracy};
    return t;
  }

  void set_up(const retake::TrainerSetup& setup) override {
    setup_ = setup;
    reader_ = dynamic_cast<const retake::ReadsRecording*>(setup.model);
    retake::Diagnostic d;
    if (reader_ == nullptr) {
      d.id = "X101";  // an id of its own: E... are the host's
      d.message = "the trainer `plugin_name` needs a model that reads a raw recording";
      d.help = "model.plugin = \"keep_cut\"";
      throw retake::ConfigError(std::move(d));
    }
    train_ = examples("train");
    val_ = examples("val");
    if (train_.empty() || val_.empty()) {
      d.id = "X102";
      d.message = "the data set has no recording to train or to validate with";
      d.help = "retake pairs ROOT --split val=0.1,test=0.2 makes splits";
      throw retake::DataError(std::move(d));
    }
    for (const Example& e : train_) lengths_.push_back(static_cast<double>(e.keep_S.size(0)));
  }

  // A pure function of (seed, position): a resumed run sees the batches it would have seen.
  TensorMap next_batch(const retake::StepPosition& position) override {
    const auto index = static_cast<std::uint64_t>(position.step) * 65536 +
                       static_cast<std::uint64_t>(position.micro);
    retake::Rng rng = setup_.context->rng("trainer/batch", index);
    const std::int64_t wanted = std::llround(params_.crop * 22050.0 / 256.0);
    std::vector<TensorMap> inputs;
    std::vector<at::Tensor> keep;
    for (int i = 0; i < setup_.batch; ++i) {
      const Example& e = train_[rng.weighted(lengths_)];
      const std::int64_t frames = e.keep_S.size(0), count = std::min(wanted, frames);
      // Crops begin where rows of slow features do.
      const std::int64_t begin =
          rng.integer(0, (frames - count) / retake::kSlowFrames) * retake::kSlowFrames;
      inputs.push_back(retake::recording_inputs(e.song->features, reader_->layout(), begin, count));
      keep.push_back(token_shares(e.keep_S.narrow(0, begin, count)));
    }
    return batch_of(inputs, keep);
  }

  retake::StepResult step(const retake::StepPosition&, const TensorMap& batch) override {
    const TensorMap here = batch.to(setup_.context->device());
    const TensorMap out = setup_.model->forward(here);
    retake::StepResult result;
    for (const retake::WeightedLoss& l : setup_.losses) {
      result.terms.push_back({l.name, l.weight, l.loss->compute(out, here)});
    }
    return result;
  }

  retake::Metrics validate(const retake::StepPosition&) override {
    const at::NoGradGuard no_grad;
    double loss = 0, right = 0, tokens = 0;
    for (const Example& e : val_) {
      const TensorMap batch =
          batch_of(
              {retake::recording_inputs(e.song->features, reader_->layout(), 0, e.keep_S.size(0))},
              {token_shares(e.keep_S)})
              .to(setup_.context->device());
      const TensorMap out = setup_.model->forward(batch);
      for (const retake::WeightedLoss& l : setup_.losses) {
        loss += l.weight * l.loss->compute(out, batch).item<double>();
      }
      const at::Tensor same_BN = (out.at("keep") > 0) == (batch.at("keep_target") > 0.5);
      right += same_BN.sum().item<double>();
      tokens += static_cast<double>(same_BN.numel());
    }
    return {{"val/loss", loss / static_cast<double>(val_.size())},
            {"val/keep_accuracy", right / tokens}};
  }

 private:
  std::vector<Example> examples(const std::string& split) const {
    std::vector<Example> out;
    for (const retake::Song* song : setup_.corpus->split(split)) {
      const std::int64_t frames = retake::raw_frames(song->features, reader_->layout());
      const auto labels = retake::labels(song->alignment.edl, song->raw_grid);
      Example e{song, at::zeros({frames})};
      for (std::int64_t t = 0; t < frames; ++t) {
        const bool used = labels[static_cast<std::size_t>(t)] != retake::Label::cut;
        e.keep_S.data_ptr<float>()[t] = used ? 1.0F : 0.0F;
      }
      out.push_back(std::move(e));
    }
    return out;
  }

  /// [S] -> [N]: token n is centred on frame 8 n.
  static at::Tensor token_shares(const at::Tensor& keep_S) {
    const std::int64_t frames = keep_S.size(0), width = retake::kTokenFrames;
    const std::int64_t tokens = (frames + width - 1) / width;
    return at::constant_pad_nd(keep_S, {width / 2, tokens * width - frames - width / 2})
        .view({tokens, width})
        .mean(-1);
  }

  static TensorMap batch_of(const std::vector<TensorMap>& inputs,
                            const std::vector<at::Tensor>& keep) {
    TensorMap batch = retake::batch_inputs(inputs);
    std::int64_t longest = 0;
    for (const at::Tensor& row : keep) longest = std::max(longest, row.size(0));
    std::vector<at::Tensor> targets, known;
    for (const at::Tensor& row : keep) {
      targets.push_back(at::constant_pad_nd(row, {0, longest - row.size(0)}));
      known.push_back(at::arange(longest) < row.size(0));
    }
    batch.set("keep_target", at::stack(targets));
    batch.set("token_label_mask", at::stack(known));
    return batch;
  }

  Params params_;
  retake::TrainerSetup setup_;
  const retake::ReadsRecording* reader_ = nullptr;
  std::vector<Example> train_, val_;
  std::vector<double> lengths_;  ///< of train_, in frames
};

}  // namespace

RETAKE_PLUGIN("plugin_name", "0.1.0", registrar) {
  registrar.add<PluginName>("plugin_name", "Supervised training of keep/cut models on crops.");
}
