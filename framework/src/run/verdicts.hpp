#pragma once
// What became of the metrics that a run's components declare, against what they should do.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "run/watch.hpp"

namespace retake::run {

/// One metric of a finished or running run.
struct Verdict {
  std::string metric;
  std::string doc;
  std::string target;  ///< in words, as declared
  std::int64_t points = 0;
  double first = 0, last = 0;
  std::optional<double> best;  ///< by its goal, when it has one
  std::int64_t best_step = 0;
  enum class State { good, problem, open } state = State::open;
  std::string why;  ///< the problem in words, or why nothing can be said
};

/// One verdict for each metric of metrics.jsonl that is declared with a goal, target, limit or
/// trend, in the order of the declarations. Limits are those of `watch`. "falling" and "rising" are
/// judged by the means of the first and the last tenth of the points (at least three each): a
/// metric is stuck when they differ by less than a twentieth of their size. A validated
/// metric with a target or a problem in words is also judged by whether it got worse again by a
/// tenth after its best.
std::vector<Verdict> judge_metrics(const std::filesystem::path& metrics_file,
                                   const std::vector<MetricInfo>& declared, const Watch& watch);

}  // namespace retake::run
