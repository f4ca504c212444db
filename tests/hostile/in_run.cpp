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
  at::Tensor compute(const retake::TensorMap& outputs, const retake::TensorMap&) const override {
    const bool bad = fails(params_, calls_++);
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
  std::string algorithm_version() const override { return "1"; }
  std::vector<retake::FeatureBlock> blocks() const override { return {{"mel", 0, 4, "", true}}; }
  retake::FeatureTable extract(retake::AudioSource& source, const retake::Context&) const override {
    const retake::TimeGrid grid =
        retake::frame_grid(source.info().samples, source.info().sample_rate);
    std::vector<float> values(static_cast<std::size_t>(grid.rows) * 4, 0.5F);
    if (fails(params_, 0)) values[9] = std::numeric_limits<float>::quiet_NaN();
    return {grid, blocks(), std::move(values), {"hostile", "1", {}}};
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
