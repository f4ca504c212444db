// Pays for calm edits: long stretches rather than many short ones. Paid at the end of an episode:
// 1 - exp(-mean / length), where `mean` is the mean length of the edit's segments.

#include <cmath>

#include "retake/kinds/reward.hpp"
#include "retake/plugin.hpp"

namespace {

class PluginName final : public retake::Reward {
 public:
  // A parameter is declared once: its default here, its range, unit and text below. `Param` lets
  // the host tell who sets one that nobody reads.
  struct Params {
    retake::Param<double> length = 8.0;

    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::length, "length", "mean length of segments that is worth 0.63")
          .range(0.1, 600.0)
          .unit("s")
          .log_scale();
    }
  };

  explicit PluginName(const Params& params) : params_(params) {}

  When when() const override { return When::terminal; }
  std::pair<double, double> range() const override { return {0.0, 1.0}; }

  double score(const retake::Episode& episode) const override {
    if (episode.segments.empty()) return 0.0;
    const double mean = static_cast<double>(episode.output_samples) /
                        static_cast<double>(episode.segments.size()) /
                        episode.task->source.sample_rate;
    return 1.0 - std::exp(-mean / params_.length);
  }

 private:
  Params params_;
};

}  // namespace

RETAKE_PLUGIN("plugin_name", "0.1.0", registrar) {
  registrar.add<PluginName>("plugin_name", "Pays for long segments rather than many short ones.");
}
