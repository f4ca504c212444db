// One file with components of two kinds, of which one has no parameters.

#include "retake/kinds/lr_schedule.hpp"
#include "retake/kinds/reward.hpp"
#include "retake/plugin.hpp"

namespace {

class Steady final : public retake::LrSchedule {
 public:
  double factor(std::int64_t, std::int64_t) const override { return 1.0; }
};

class Nothing final : public retake::Reward {
 public:
  When when() const override { return When::terminal; }
  std::pair<double, double> range() const override { return {0.0, 0.0}; }
  double score(const retake::Episode&) const override { return 0.0; }
};

}  // namespace

RETAKE_PLUGIN("sample_pair", "0.1.0", registrar) {
  registrar.add<Steady>("steady", "The base rate throughout.");
  registrar.add<Nothing>("nothing", "No reward at all.");
}
