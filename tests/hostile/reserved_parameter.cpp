// A parameter whose name experiment files use for something else.
#include "steady.hpp"

namespace {
struct Params {
  double weight = 1.0;
  static void describe(retake::Schema<Params>& s) { s.field(&Params::weight, "weight", "taken"); }
};
class Heavy final : public hostile::Steady {
 public:
  using Params = ::Params;
};
}  // namespace

RETAKE_PLUGIN("reserved_parameter", "1.0.0", registrar) {
  registrar.add<Heavy>("heavy", "Never used.");
}
