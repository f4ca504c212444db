#pragma once
// How good an edit is against the human's, and an alignment against the truth. Definitions:
// docs/definitions.md. Torch-free; pure functions, thread-safe.
//
// Metrics of one song are a map from name to value; a metric that has no meaning for a song (jumps
// where neither edit has one of that class) is absent, never zero.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "retake/edit/edl.hpp"
#include "retake/edit/metrics.hpp"

namespace retake::edit {

// ---- Counting ----

/// Hits of a one-to-one matching against what is wanted and what was given.
struct Counts {
  std::int64_t hits = 0;
  std::int64_t wanted = 0;
  std::int64_t given = 0;

  Counts& operator+=(const Counts& other);
  bool empty() const { return wanted == 0 && given == 0; }
  double precision() const;  ///< 0 when nothing was given
  double recall() const;     ///< 0 when nothing was wanted
  double f1() const;         ///< 1 when nothing was wanted and nothing given
};

/// Largest one-to-one matching of two lists of places at distances <= tolerance.
Counts match_places(std::vector<double> wanted, std::vector<double> given, double tolerance);

/// A jump on the raw axis, seconds.
struct Jump {
  double leave = 0.0;
  double enter = 0.0;
};
/// Largest one-to-one matching of jumps whose ends both lie within the tolerance.
Counts match_jumps(const std::vector<Jump>& wanted, const std::vector<Jump>& given,
                   double tolerance);

// ---- Alignment ----

/// Whether the music around two raw frames is an exact repeat: the 21 frames of mel around both
/// differ by less than 1.6 dB on average, and they lie more than 20 frames apart.
class RepeatFinder {
 public:
  /// `mel`: row-major [rows, columns], in units of `db_per_unit` dB (80 for the preset db80), kept
  /// alive by the caller.
  RepeatFinder(const float* mel, std::int64_t rows, std::int64_t columns, double db_per_unit);
  bool is_repeat(std::int64_t a, std::int64_t b) const;

 private:
  const float* mel_;
  std::int64_t rows_;
  std::int64_t columns_;
  double db_per_unit_;
};

/// A found alignment against the exact one, over the edit's standard frame grid. `repeats` may be
/// null. Names: accuracy_0, accuracy_1, accuracy_2, accuracy_4 (frames within so many, exact
/// repeats counted as right), exact_repeats (share of frames right only by that rule);
/// inserted_precision, inserted_recall; cut_f1_1frame, cut_f1_50ms, cut_f1_0.5s; gain_error_db is
/// the caller's.
Metrics alignment_metrics(const Edl& truth, const Edl& found, const TimeGrid& edit_grid,
                          const TimeGrid& raw_grid, const RepeatFinder* repeats = nullptr);

/// Edit times (s) where copied runs begin, the edit's own beginning left out; runs that start close
/// together are one cut at their middle, or none (docs/definitions.md).
std::vector<double> cut_times(const Edl& edl);

// ---- Over songs ----

struct Interval {
  double low = 0.0;
  double high = 0.0;
};

/// 95 % percentile bootstrap interval of the mean, 2000 resamples of the values.
Interval bootstrap_ci95(std::span<const double> values, std::uint64_t seed);

/// {metric: {"mean", "ci95": [low, high], "per_song": {id: value}}}. The interval's seed derives
/// from the metric's name, so that it repeats.
Value aggregate(const std::map<std::string, Metrics>& per_song);

}  // namespace retake::edit
