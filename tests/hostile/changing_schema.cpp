// Its default depends on the environment, so its schema is not what the table says.
#include <cstdlib>

#include "steady.hpp"

namespace {
struct Params {
  int threads = std::getenv("HOSTILE_THREADS") != nullptr ? 8 : 1;
  static void describe(retake::Schema<Params>& s) {
    s.field(&Params::threads, "threads", "as many as there are");
  }
};
class Moody final : public hostile::Steady {
 public:
  using Params = ::Params;
};
}  // namespace

RETAKE_PLUGIN("changing_schema", "1.0.0", registrar) {
  registrar.add<Moody>("moody", "Never used.");
}
