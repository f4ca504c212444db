// A learning rate that rises over a warm-up and then falls in a straight line to a floor.

#include <algorithm>

#include "retake/kinds/lr_schedule.hpp"
#include "retake/plugin.hpp"

namespace {

class PluginName final : public retake::LrSchedule {
 public:
  // A parameter is declared once: its default here, its range, unit and text below. `Param` lets
  // the host tell who sets one that nobody reads.
  struct Params {
    retake::Param<std::int64_t> warmup = 100;
    retake::Param<double> floor = 0.01;

    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::warmup, "warmup", "steps of the rise").range(0, 1e9).unit("steps");
      s.field(&Params::floor, "floor", "share of the base rate that is left at the last step")
          .range(0.0, 1.0)
          .open_min();
    }
  };

  explicit PluginName(const Params& params) : params_(params) {}

  double factor(std::int64_t step, std::int64_t total) const override {
    const std::int64_t warmup = params_.warmup;
    if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
    if (total <= warmup) return 1.0;  // without an end there is nothing to fall towards
    const double done = static_cast<double>(step - warmup) / static_cast<double>(total - warmup);
    return std::max(*params_.floor, 1.0 - done * (1.0 - params_.floor));
  }

 private:
  Params params_;
};

}  // namespace

RETAKE_PLUGIN("plugin_name", "0.1.0", registrar) {
  registrar.add<PluginName>("plugin_name", "Linear warm-up, then a straight line to a floor.");
}
