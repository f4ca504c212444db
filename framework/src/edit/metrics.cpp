#include "retake/edit/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "edit/runs.hpp"

namespace retake {

namespace {

constexpr double kEdge = 0.05;  // seconds

using Times = std::vector<double>;
using Pairs = std::vector<std::pair<double, double>>;

double rate_of(const Edl& edl, double raw_rate) {
  return !edl.sources.empty() && edl.sources[0].sample_rate > 0 ? edl.sources[0].sample_rate
                                                                : raw_rate;
}

/// Most pairs one to one within the tolerance: in order, each with the earliest that fits, which is
/// optimal on a line.
MatchCount match_times(Times found, Times truth, double tolerance) {
  std::sort(found.begin(), found.end());
  std::sort(truth.begin(), truth.end());
  MatchCount count{0, static_cast<std::int64_t>(found.size()),
                   static_cast<std::int64_t>(truth.size())};
  for (std::size_t f = 0, t = 0; f < found.size() && t < truth.size();) {
    if (std::abs(found[f] - truth[t]) <= tolerance) {
      ++count.matched;
      ++f;
      ++t;
    } else {
      ++(found[f] < truth[t] ? f : t);
    }
  }
  return count;
}

/// One to one, both ends within the tolerance: augmenting paths, since greedy can miss some.
MatchCount match_jumps(const Pairs& found, const Pairs& truth, double tolerance) {
  MatchCount count{0, static_cast<std::int64_t>(found.size()),
                   static_cast<std::int64_t>(truth.size())};
  std::vector<std::vector<std::size_t>> fits(found.size());
  for (std::size_t f = 0; f < found.size(); ++f) {
    for (std::size_t t = 0; t < truth.size(); ++t) {
      if (std::abs(found[f].first - truth[t].first) <= tolerance &&
          std::abs(found[f].second - truth[t].second) <= tolerance) {
        fits[f].push_back(t);
      }
    }
  }
  constexpr auto kFree = static_cast<std::size_t>(-1);
  std::vector<std::size_t> owner(truth.size(), kFree);
  for (std::size_t f = 0; f < found.size(); ++f) {
    std::vector<bool> seen(truth.size(), false);
    auto place = [&](auto&& self, std::size_t item) -> bool {
      for (std::size_t t : fits[item]) {
        if (seen[t]) continue;
        seen[t] = true;
        if (owner[t] == kFree || self(self, owner[t])) {
          owner[t] = item;
          return true;
        }
      }
      return false;
    };
    count.matched += place(place, f) ? 1 : 0;
  }
  return count;
}

struct Outline {
  Times enters, leaves;
  Pairs jumps, forward, backward;
};

Outline outline(const Edl& edl, double rate, double seconds) {
  Outline o;
  const std::vector<edit::Run> runs = edit::copied_runs(edl);
  auto inside = [&](double t) { return t > kEdge && t < seconds - kEdge; };
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const double enter = static_cast<double>(runs[i].enter) / rate;
    const double leave = static_cast<double>(runs[i].leave) / rate;
    if (inside(enter) && runs[i].move != edit::Move::on) o.enters.push_back(enter);
    const bool goes_on = i + 1 < runs.size() && runs[i + 1].move == edit::Move::on;
    if (inside(leave) && !goes_on) o.leaves.push_back(leave);
    if (i + 1 < runs.size() && !goes_on) {
      const double next = static_cast<double>(runs[i + 1].enter) / rate;
      o.jumps.emplace_back(leave, next);
      (next > leave ? o.forward : o.backward).emplace_back(leave, next);
    }
  }
  return o;
}

using Ranges = std::vector<std::pair<double, double>>;

Ranges used_seconds(const Edl& edl, double rate) {
  Ranges ranges;
  for (const auto& [begin, end] : edit::used_ranges(edl)) {
    ranges.emplace_back(static_cast<double>(begin) / rate, static_cast<double>(end) / rate);
  }
  return ranges;
}

double length_of(const Ranges& ranges) {
  double sum = 0;
  for (const auto& [begin, end] : ranges) sum += end - begin;
  return sum;
}

double overlap(const Ranges& a, const Ranges& b) {
  double sum = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    sum += std::max(0.0, std::min(a[i].second, b[j].second) - std::max(a[i].first, b[j].first));
    ++(a[i].second < b[j].second ? i : j);
  }
  return sum;
}

}  // namespace

MatchCount& MatchCount::operator+=(const MatchCount& other) {
  matched += other.matched;
  found += other.found;
  truth += other.truth;
  return *this;
}

double MatchCount::precision() const {
  if (found == 0) return truth == 0 ? 1.0 : 0.0;
  return static_cast<double>(matched) / static_cast<double>(found);
}

double MatchCount::recall() const {
  if (truth == 0) return found == 0 ? 1.0 : 0.0;
  return static_cast<double>(matched) / static_cast<double>(truth);
}

double MatchCount::f1() const {
  if (found + truth == 0) return 1.0;
  return 2.0 * static_cast<double>(matched) / static_cast<double>(found + truth);
}

EditComparison compare_edits(const Edl& found, const Edl& truth, std::int64_t raw_samples,
                             double raw_rate, double tolerance_seconds) {
  const double seconds = static_cast<double>(raw_samples) / raw_rate;
  const double found_rate = rate_of(found, raw_rate), true_rate = rate_of(truth, raw_rate);
  const Outline a = outline(found, found_rate, seconds), b = outline(truth, true_rate, seconds);
  EditComparison c;
  c.points = match_times(a.enters, b.enters, tolerance_seconds);
  c.points += match_times(a.leaves, b.leaves, tolerance_seconds);
  c.jumps = match_jumps(a.jumps, b.jumps, tolerance_seconds);
  c.forward_jumps = match_jumps(a.forward, b.forward, tolerance_seconds);
  c.backward_jumps = match_jumps(a.backward, b.backward, tolerance_seconds);

  const Ranges used = used_seconds(found, found_rate), wanted = used_seconds(truth, true_rate);
  const double both = overlap(used, wanted);
  const double either = length_of(used) + length_of(wanted) - both;
  c.kept_iou = either > 0 ? both / either : 1.0;
  const double length = static_cast<double>(found.output_samples()) / found_rate;
  const double true_length = static_cast<double>(truth.output_samples()) / true_rate;
  c.length_error = true_length > 0 ? std::abs(length - true_length) / true_length : 0.0;
  c.keep_ratio = seconds > 0 ? length_of(used) / seconds : 0.0;
  return c;
}

}  // namespace retake
