// How well the edit meets the wanted length.

#include <cmath>

#include "retake/kinds/reward.hpp"
#include "retake/plugin.hpp"

namespace {

class Duration final : public retake::Reward {
 public:
  struct Params {
    double width = 0.25;

    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::width, "width", "deviation of ln(output / target) that is still good")
          .range(0.01, 10.0)
          .log_scale();
    }
  };

  explicit Duration(const Params& params) : params_(params) {}

  When when() const override { return When::terminal; }
  std::pair<double, double> range() const override { return {0.0, 1.0}; }

  double score(const retake::Episode& episode) const override {
    if (episode.output_samples <= 0 || episode.task->target_samples <= 0) return 0.0;
    const double off = std::log(static_cast<double>(episode.output_samples) /
                                static_cast<double>(episode.task->target_samples)) /
                       params_.width;
    return std::exp(-0.5 * off * off);
  }

 private:
  Params params_;
};

}  // namespace

RETAKE_PLUGIN("duration", "1.0.0", registrar) {
  registrar.add<Duration>("duration", "How well the edit meets the wanted length.");
}
