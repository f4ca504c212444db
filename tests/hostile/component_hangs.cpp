// Registers well, and never comes back when it is used.
#include <unistd.h>

#include "steady.hpp"

namespace {
class Component final : public hostile::Steady {
 public:
  double factor(std::int64_t, std::int64_t) const override {
    for (;;) ::pause();
  }
};
}  // namespace

RETAKE_PLUGIN("component_hangs", "1.0.0", registrar) {
  registrar.add<Component>("component_hangs", "Never used.");
}
