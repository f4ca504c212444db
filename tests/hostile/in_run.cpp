// Components of several kinds that work until they are told to fail, for runs.
#include <atomic>
#include <cmath>
#include <limits>

#include "defects.hpp"
#include "retake/kinds/feature_extractor.hpp"
#include "retake/kinds/loss.hpp"
#include "retake/kinds/reward.hpp"
#include "retake/nn/tensor_map.hpp"
#include "retake/nn/torch.hpp"

namespace {

using hostile::fails;

class HostileLoss final : public retake::Loss {
 public:
  using Params = hostile::DefectParams;
  explicit HostileLoss(const Params& params) : params_(params) {}
  at::Tensor compute(const retake::TensorMap& outputs,
                     const retake::TensorMap& batch) const override {
    const bool bad = fails(params_, calls_++);
    if (params_.defect == "undeclared") return batch.at("secret").mean();
    if (params_.defect == "writes") at::Tensor(batch.at("keep")).mul_(0.5);
    if (params_.defect == "vector") return outputs.at("keep").abs();
    if (params_.defect == "torch") at::zeros({2}).view({3});
    return outputs.at("keep").pow(2).mean() * (bad ? std::nan("") : 1.0);
  }
  static retake::Traits traits() {
    retake::Traits t;
    t.inputs = {{"keep", "f32", "B, N", "logits"}};
    return t;
  }

 private:
  Params params_;
  mutable std::atomic<std::int64_t> calls_{0};
};

class HostileExtractor final : public retake::FeatureExtractor {
 public:
  using Params = hostile::DefectParams;
  explicit HostileExtractor(const Params& params) : params_(params) {}
  std::string algorithm_version() const override {
    return params_.defect == "no_version" ? "" : "1";
  }
  std::vector<retake::FeatureBlock> blocks() const override {
    if (params_.defect == "twins") return {{"mel", 0, 2, "", true}, {"mel", 2, 2, "", true}};
    return {{params_.defect == "spaces" ? "my mel" : "mel", 0, 4, "", true}};
  }
  retake::FeatureTable extract(retake::AudioSource& source, const retake::Context&) const override {
    retake::TimeGrid grid = retake::frame_grid(source.info().samples, source.info().sample_rate);
    if (params_.defect == "one_row_less") --grid.rows;
    std::vector<float> values(static_cast<std::size_t>(grid.rows) * 4, 0.5F);
    if (fails(params_, 0) && values.size() > 9) values[9] = std::numeric_limits<float>::quiet_NaN();
    const std::string name = params_.defect == "other_spec" ? "log_mel" : "hostile";
    return {grid, blocks(), std::move(values), {name, algorithm_version(), {}}};
  }

 private:
  Params params_;
};

class HostileReward final : public retake::Reward {
 public:
  using Params = hostile::DefectParams;
  explicit HostileReward(const Params& params) : params_(params) {}
  When when() const override { return When::terminal; }
  std::pair<double, double> range() const override { return {0.0, 1.0}; }
  double score(const retake::Episode&) const override {
    return fails(params_, calls_++) ? std::nan("") : 0.5;
  }

 private:
  Params params_;
  mutable std::atomic<std::int64_t> calls_{0};
};

}  // namespace

RETAKE_PLUGIN("in_run", "1.0.0", registrar) {
  registrar.add<HostileLoss>("hostile", "Works until it is told to fail.");
  registrar.add<HostileExtractor>("hostile", "Works until it is told to fail.");
  registrar.add<HostileReward>("hostile", "Works until it is told to fail.");
}
