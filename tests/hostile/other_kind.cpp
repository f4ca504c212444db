// Registers a kind that its build line does not name.
#include "retake/kinds/reward.hpp"
#include "steady.hpp"

namespace {
class Nothing final : public retake::Reward {
 public:
  When when() const override { return When::terminal; }
  std::pair<double, double> range() const override { return {0.0, 0.0}; }
  double score(const retake::Episode&) const override { return 0.0; }
};
}  // namespace

RETAKE_PLUGIN("other_kind", "1.0.0", registrar) {
  registrar.add<Nothing>("nothing", "Never used.");
}
