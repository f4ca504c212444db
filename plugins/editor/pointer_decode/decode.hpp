#pragma once
// From a pointer model to runs: the whole lattice at once, or frame after frame.

#include "retake/context.hpp"
#include "retake/nn/pointer_model.hpp"
#include "retake/rng.hpp"
#include "retake/schema.hpp"
#include "search.hpp"

namespace pointer_decode {

struct Params {
  double min_segment = 1.0;
  std::int64_t beam = 8;
  std::int64_t block = 512;
  double keep_weight = 2.0;
  double boundary_weight = 2.0;
  double segment_cost = 2.0;
  std::int64_t max_backward = 0;
  double backward_cost = 2.0;
  double temperature = 1.0;
  double max_stretch = 1.5;
  double join_ms = 10.0;

  static void describe(retake::Schema<Params>& s);
};

/// Scores every raw position as if the edit had been copying up to there, block by block.
Lattice make_lattice(retake::PointerModel& model, const retake::PointerMemory& memory,
                     const Params& params, const retake::Context& context);

/// Decodes output frame after output frame with the model's own history: blocks of frames are
/// scored as if nothing but copies came, and the first deviation rolls back to its token. Greedy
/// without `rng`, sampled with it. At most max_stretch times the raw's length.
Runs follow(retake::PointerModel& model, const retake::PointerMemory& memory, const Params& params,
            retake::Rng* rng, const retake::Context& context);

}  // namespace pointer_decode
