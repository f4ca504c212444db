// Registers well, and crashes when it is used.
#include <csignal>

#include "steady.hpp"

namespace {
class Component final : public hostile::Steady {
 public:
  double factor(std::int64_t, std::int64_t) const override {
    std::raise(SIGSEGV);
    return 1.0;
  }
};
}  // namespace

RETAKE_PLUGIN("component_crashes", "1.0.0", registrar) {
  registrar.add<Component>("component_crashes", "Never used.");
}
