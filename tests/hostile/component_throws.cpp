// Registers well, and throws when it is used.
#include <stdexcept>

#include "steady.hpp"

namespace {
class Component final : public hostile::Steady {
 public:
  double factor(std::int64_t, std::int64_t) const override {
    throw std::runtime_error("no factor today");
  }
};
}  // namespace

RETAKE_PLUGIN("component_throws", "1.0.0", registrar) {
  registrar.add<Component>("component_throws", "Never used.");
}
