// Linear warm-up, then half a cosine: Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "retake/kinds/lr_schedule.hpp"
#include "retake/plugin.hpp"

namespace {

class WarmupCosine final : public retake::LrSchedule {
 public:
  struct Params {
    std::int64_t warmup = 100;
    double floor = 0.05;

    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::warmup, "warmup", "steps of linear rise")
          .min(0)
          .unit("steps")
          .synonyms({"warmup_steps"});
      s.field(&Params::floor, "floor", "last factor, as a share of the base rate")
          .range(0.0, 1.0)
          .open_min();
    }
  };

  explicit WarmupCosine(const Params& params) : params_(params) {}

  double factor(std::int64_t step, std::int64_t total) const override {
    // The first step already learns: a rate of zero would waste it.
    if (step < params_.warmup) {
      return static_cast<double>(step + 1) / static_cast<double>(params_.warmup + 1);
    }
    if (total <= params_.warmup) return 1.0;
    const double done =
        static_cast<double>(step - params_.warmup) / static_cast<double>(total - params_.warmup);
    const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * std::min(done, 1.0)));
    return params_.floor + (1.0 - params_.floor) * cosine;
  }

 private:
  Params params_;
};

}  // namespace

RETAKE_PLUGIN("warmup_cosine", "1.0.0", registrar) {
  registrar.add<WarmupCosine>("warmup_cosine", "Linear warm-up, then half a cosine to a floor.");
}
