// Links to a library that the test then takes away.
#include "steady.hpp"

extern "C" int of_the_dependency();

namespace {
class Dependent final : public hostile::Steady {
 public:
  double factor(std::int64_t, std::int64_t) const override { return of_the_dependency(); }
};
}  // namespace

RETAKE_PLUGIN("missing_dependency", "1.0.0", registrar) {
  registrar.add<Dependent>("missing_dependency", "Never used.");
}
