// Its own default is outside of its own range.
#include "steady.hpp"

namespace {
struct Params {
  double rate = 2.0;
  static void describe(retake::Schema<Params>& s) {
    s.field(&Params::rate, "rate", "too much").range(0, 1);
  }
};
class Steep final : public hostile::Steady {
 public:
  using Params = ::Params;
};
}  // namespace

RETAKE_PLUGIN("default_outside_range", "1.0.0", registrar) {
  registrar.add<Steep>("steep", "Never used.");
}
