#pragma once
// Aligner `cross_correlation`: finds every run that an edit copies from a raw recording.

#include "retake/kinds/aligner.hpp"

namespace retake::xcorr {

struct Params {
  std::int64_t candidates = 8;
  double jump_cost = 20.0;
  double no_source_correlation = 0.5;
  double min_run_s = 0.1;
  double max_join_s = 0.5;

  static void describe(Schema<Params>& s) {
    s.field(&Params::candidates, "candidates",
            "places in the raw recording tried for each chunk of the edit, per chunk length")
        .range(1, 100);
    s.field(&Params::jump_cost, "jump_cost",
            "evidence that a jump must have for it; higher finds fewer, surer jumps")
        .range(0.0, 1000.0)
        .unit("nats");
    s.field(&Params::no_source_correlation, "no_source_correlation",
            "waveform correlation below which the edit is taken as inserted material")
        .range(0.05, 0.99);
    s.field(&Params::min_run_s, "min_run_s", "shortest copied run").range(0.0, 10.0).unit("s");
    s.field(&Params::max_join_s, "max_join_s", "longest crossfade looked for")
        .range(0.0, 10.0)
        .unit("s");
  }
};

class CrossCorrelation final : public Aligner {
 public:
  using Params = xcorr::Params;
  explicit CrossCorrelation(const Params& params) : params_(params) {}

  static Traits traits() {
    Traits t;
    t.outputs.push_back({"confidence", "f32", "T", "waveform correlation per edit frame"});
    t.outputs.push_back({"gain_db", "f32", "T", "edit level over raw level"});
    return t;
  }

  std::string algorithm_version() const override { return "1"; }
  Alignment align(AudioSource& raw, AudioSource& edit, const Context& context) const override;

 private:
  Params params_;
};

}  // namespace retake::xcorr
