// A plugin with every mark that a parameter can have.

#include <stdexcept>

#include "retake/kinds/lr_schedule.hpp"
#include "retake/plugin.hpp"

namespace {

struct Ramp {
  int steps = 100;
  std::string curve = "linear";

  static void describe(retake::Schema<Ramp>& s) {
    s.field(&Ramp::steps, "steps", "length of the ramp").min(0).unit("steps");
    s.field(&Ramp::curve, "curve", "its shape").one_of({"linear", "cosine"});
  }
};

struct Params {
  double rate = 0.25;
  int width = 128;
  int heads = 4;
  int kernel = 5;
  bool warm = true;
  std::vector<double> weights = {0.5, 1.0};
  std::string label;
  int workers = 2;
  int old_steps = 0;
  Ramp ramp;

  static void describe(retake::Schema<Params>& s) {
    s.field(&Params::rate, "rate", "factor at the start").range(0, 1).open_min().log_scale();
    s.field(&Params::width, "width", "width of a layer").range(8, 1024).multiple_of(&Params::heads);
    s.field(&Params::heads, "heads", "attention heads").min(1).synonyms({"n_heads"});
    s.field(&Params::kernel, "kernel", "width of the kernel").unit("frames").odd();
    s.field(&Params::warm, "warm", "begin warm");
    s.field(&Params::weights, "weights", "one for each part").min(0);
    s.field(&Params::label, "label", "shown in reports").required();
    s.field(&Params::workers, "workers", "threads that load").min(1).affects_results(false);
    s.field(&Params::old_steps, "old_steps", "length of the ramp").deprecated("ramp.steps");
    s.field(&Params::ramp, "ramp", "how it begins");
    s.version(2);
    s.renamed(1, "n_width", "width");
  }
  static void check(const Params& p, retake::Problems& problems) {
    if (p.width / p.heads < 4) problems.add("heads", "leaves less than 4 columns per head");
  }
};

class Sample final : public retake::LrSchedule {
 public:
  using Params = ::Params;
  explicit Sample(const Params& params) : params_(params) {
    if (params.label == "throw") throw std::runtime_error("asked to throw");
    if (params.label == "throw 7") throw 7;
  }
  double factor(std::int64_t, std::int64_t) const override { return params_.rate * params_.width; }

  static retake::Traits traits() {
    retake::Traits t;
    t.deterministic = false;
    t.inputs = {{"mel", "f32", "B, S, width", "what it sees", false, false},
                {"beats", "f32", "B, N", "", true, true}};
    t.outputs = {{"keep", "f32", "B, S", "probability", false, false}};
    t.metrics = {{"val/edit_f1", "agreement of the cuts", "max", "0.8", "falls", 0.0, 1.0}};
    return t;
  }

 private:
  Params params_;
};

/// Registered as a schedule below, which it is not.
class Impostor final : public retake::Component {};

}  // namespace

RETAKE_PLUGIN("sample", "1.2.3", registrar) {
  registrar.add<Sample>("sample", "A schedule that only tests use.");
  retake::Registration r;
  r.info.kind = "lr_schedule";
  r.info.name = "impostor";
  r.info.doc = "A class that is no schedule.";
  r.create = [](const retake::Table&, retake::Context&) { return std::make_unique<Impostor>(); };
  registrar.add(std::move(r));
}
