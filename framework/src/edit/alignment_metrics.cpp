// Alignments against exact truth.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "edit/frames.hpp"
#include "edit/metrics.hpp"
#include "edit/runs.hpp"

namespace retake::edit {
namespace {

constexpr double kFrameSeconds = 256.0 / 22050.0;
constexpr double kGroupStep = 4.0;  // frames between the steps of one group
constexpr double kGroupSpan = 8.0;  // frames from its first step to its last: nine frames
constexpr double kNearJoin = 2.0;   // frames on either side of a true join that don't count
constexpr std::int64_t kRepeatReach = 10;
constexpr double kRepeatDb = 1.6;

/// Frames within kNearJoin of a place where a true run begins or ends inside the edit.
std::vector<bool> near_joins(const Edl& truth, const FrameMath& frames, std::int64_t rows) {
  std::vector<bool> near(static_cast<std::size_t>(rows), false);
  const std::int64_t length = truth.output_samples();
  const auto mark = [&](std::int64_t sample) {
    if (sample <= 0 || sample >= length) return;
    const double centre = static_cast<double>(sample) / frames.hop();
    const auto first = static_cast<std::int64_t>(std::ceil(centre - kNearJoin));
    const auto last = static_cast<std::int64_t>(std::floor(centre + kNearJoin));
    for (std::int64_t t = std::max<std::int64_t>(0, first); t <= std::min(last, rows - 1); ++t) {
      near[static_cast<std::size_t>(t)] = true;
    }
  };
  for (const Run& run : copied_runs(truth)) {
    mark(run.out_begin);
    mark(run.out_end);
  }
  return near;
}

}  // namespace

RepeatFinder::RepeatFinder(const float* mel, std::int64_t rows, std::int64_t columns,
                           double db_per_unit)
    : mel_(mel), rows_(rows), columns_(columns), db_per_unit_(db_per_unit) {}

bool RepeatFinder::is_repeat(std::int64_t a, std::int64_t b) const {
  if (a < 0 || b < 0 || a >= rows_ || b >= rows_) return false;
  if (std::abs(a - b) <= 2 * kRepeatReach) return false;
  const std::int64_t back = std::min({kRepeatReach, a, b});
  const std::int64_t ahead = std::min({kRepeatReach, rows_ - 1 - a, rows_ - 1 - b});
  const std::int64_t count = (back + ahead + 1) * columns_;
  const float* x = mel_ + (a - back) * columns_;
  const float* y = mel_ + (b - back) * columns_;
  double sum = 0.0;
  for (std::int64_t i = 0; i < count; ++i) sum += std::abs(double{x[i]} - double{y[i]});
  return sum * db_per_unit_ / static_cast<double>(count) < kRepeatDb;
}

std::vector<double> cut_times(const Edl& edl) {
  const std::vector<Run> runs = copied_runs(edl);
  if (runs.empty()) return {};
  const double rate = edl_rate(edl);
  const auto frame_of = [&](const Run& run) {
    return static_cast<double>(run.out_begin) / rate / kFrameSeconds;
  };
  const auto line_of = [](const Run& run) { return run.enter - run.out_begin; };
  std::vector<double> cuts;
  // The edit's own beginning is no cut; a first run behind a gap is.
  for (std::size_t first = runs[0].out_begin == 0 ? 1 : 0; first < runs.size();) {
    std::size_t last = first;
    while (last + 1 < runs.size() &&
           frame_of(runs[last + 1]) - frame_of(runs[last]) <= kGroupStep &&
           frame_of(runs[last + 1]) - frame_of(runs[first]) <= kGroupSpan) {
      ++last;
    }
    bool returns = false;
    if (first > 0) {
      const Run& before = runs[first - 1];
      const Run& after = runs[last];
      const double off = static_cast<double>(line_of(after) - line_of(before)) / rate;
      const bool short_way =
          frame_of(after) - static_cast<double>(before.out_end) / rate / kFrameSeconds <=
          kGroupSpan;
      returns = short_way && before.source == after.source && !before.reverse && !after.reverse &&
                std::abs(off) < kFrameSeconds / 2.0;
    }
    if (!returns)
      cuts.push_back((frame_of(runs[first]) + frame_of(runs[last])) / 2.0 * kFrameSeconds);
    first = last + 1;
  }
  return cuts;
}

Metrics alignment_metrics(const Edl& truth, const Edl& found, const TimeGrid& edit_grid,
                          const TimeGrid& raw_grid, const RepeatFinder* repeats) {
  const auto want = pointers(truth, edit_grid, raw_grid);
  const auto got = pointers(found, edit_grid, raw_grid);
  const FrameMath frames(edit_grid, edl_rate(truth));
  const std::vector<bool> near = near_joins(truth, frames, edit_grid.rows);
  constexpr std::array<std::int64_t, 4> kTolerances{0, 1, 2, 4};
  std::array<std::int64_t, 4> right{};
  std::int64_t counted = 0;
  std::int64_t by_repeat = 0;
  Counts inserted;
  for (std::size_t t = 0; t < want.size(); ++t) {
    inserted += Counts{want[t] < 0 && got[t] < 0 ? 1 : 0, want[t] < 0 ? 1 : 0, got[t] < 0 ? 1 : 0};
    if (want[t] < 0 || near[t]) continue;
    ++counted;
    const std::int64_t off = got[t] < 0 ? raw_grid.rows : std::abs(got[t] - want[t]);
    const bool repeat =
        off > kTolerances.back() && repeats != nullptr && repeats->is_repeat(want[t], got[t]);
    by_repeat += repeat ? 1 : 0;
    for (std::size_t k = 0; k < kTolerances.size(); ++k) {
      right[k] += off <= kTolerances[k] || repeat ? 1 : 0;
    }
  }
  Metrics m;
  for (std::size_t k = 0; k < kTolerances.size() && counted > 0; ++k) {
    m["accuracy_" + std::to_string(kTolerances[k])] =
        static_cast<double>(right[k]) / static_cast<double>(counted);
  }
  if (counted > 0 && repeats != nullptr) {
    m["exact_repeats"] = static_cast<double>(by_repeat) / static_cast<double>(counted);
  }
  if (inserted.given > 0) m["inserted_precision"] = inserted.precision();
  if (inserted.wanted > 0) m["inserted_recall"] = inserted.recall();
  const std::vector<double> true_cuts = cut_times(truth);
  const std::vector<double> found_cuts = cut_times(found);
  m["cut_f1_1frame"] = match_places(true_cuts, found_cuts, kFrameSeconds).f1();
  m["cut_f1_50ms"] = match_places(true_cuts, found_cuts, 0.05).f1();
  m["cut_f1_0.5s"] = match_places(true_cuts, found_cuts, 0.5).f1();
  return m;
}

}  // namespace retake::edit
