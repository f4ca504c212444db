// Registers well, and gives NaN when it is used.
#include <cmath>

#include "steady.hpp"

namespace {
class Component final : public hostile::Steady {
 public:
  double factor(std::int64_t, std::int64_t) const override { return std::nan(""); }
};
}  // namespace

RETAKE_PLUGIN("component_nan", "1.0.0", registrar) {
  registrar.add<Component>("component_nan", "Never used.");
}
