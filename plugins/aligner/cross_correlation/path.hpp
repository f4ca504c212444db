#pragma once
// Second stage: which of the matching lines each frame of the edit lies on.

#include <cstdint>
#include <optional>
#include <vector>

#include "candidates.hpp"
#include "retake/context.hpp"
#include "signal.hpp"

namespace retake::xcorr {

/// Waveform agreement along one line raw = edit + offset, per frame of the edit.
struct Line {
  double offset = 0.0;             ///< samples at kRate
  std::int64_t first = 0;          ///< frames [first, first + correlation.size())
  std::vector<float> correlation;  ///< 0..1, smoothed over about 80 ms

  std::int64_t last() const { return first + static_cast<std::int64_t>(correlation.size()); }
};

/// Groups matches that agree within a sample into lines and measures each frame of them.
std::vector<Line> measure_lines(const Samples& raw, const Samples& edit, std::vector<Match> matches,
                                const Context& context);

/// A copied run in frames of the edit; `line` -1 where there is no source.
struct Run {
  std::int64_t first = 0;
  std::int64_t last = 0;
  int line = -1;
};

struct PathSettings {
  double jump_cost = 20.0;       ///< nats for leaving a line
  double no_source = 0.5;        ///< correlation at which "no source" explains as well
  double min_run_seconds = 0.1;  ///< shorter runs are noise
};

/// The likeliest way through {continue, jump anywhere, no source}: Viterbi over the lines, where a
/// frame of correlation c has log-likelihood -n/2 ln(1 - c^2) (Gaussian residual). Runs cover
/// [0, frames).
std::vector<Run> best_path(const std::vector<Line>& lines, const Samples& raw, const Samples& edit,
                           std::int64_t frames, const PathSettings& settings);

/// What the edit's equalisation and noise do, seen along the path.
struct Channel {
  Filter raw;              ///< makes the raw sound like the edit, weighted by what can be trusted
  Filter edit;             ///< the same weight
  double coherence = 1.0;  ///< mean share of the edit's power that a fixed filter explains
};

/// Cross-spectra of edit and raw along the runs (Welch): response S_er / S_rr, weight
/// 1 / sqrt(1 - coherence). Nothing when too little is aligned.
std::optional<Channel> estimate_channel(const std::vector<Run>& runs,
                                        const std::vector<Line>& lines, const Samples& raw,
                                        const Samples& edit);

}  // namespace retake::xcorr
