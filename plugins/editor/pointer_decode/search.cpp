#include "search.hpp"

#include <algorithm>
#include <cmath>

namespace pointer_decode {

namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();

/// A place where copying begins: reached from a leave of some round, or the very start.
struct Enter {
  std::int64_t frame = 0;
  double score = kImpossible;
  std::int64_t from = -1;  ///< index of the Arrival that jumped here; -1: the start
};

/// A leave that was reached, by copying from an enter.
struct Arrival {
  std::int64_t frame = 0;
  Enter enter;
};

class Search {
 public:
  Search(const Lattice& lattice, const SearchLimits& limits) : lattice_(lattice), limits_(limits) {}

  Runs run() {
    if (lattice_.frames < 1) return {};
    std::vector<Enter> enters = first_enters();
    for (std::int64_t round = 0; round <= limits_.max_backward && !enters.empty(); ++round) {
      enters = sweep(std::move(enters), round < limits_.max_backward);
    }
    return trace();
  }

 private:
  double copied(std::int64_t frame) const {
    return lattice_.copied[static_cast<std::size_t>(frame)] -
           limits_.price * static_cast<double>(frame);
  }

  std::vector<Enter> first_enters() const {
    std::vector<Enter> enters{{0, 0.0, -1}};
    for (const Leave& leave : lattice_.leaves) {
      if (leave.frame > 0) break;
      for (const auto& [target, score] : leave.jumps) enters.push_back({target, score, -1});
    }
    return enters;
  }

  /// One pass over the raw from front to back. Returns the enters that backward jumps reach.
  std::vector<Enter> sweep(std::vector<Enter> enters, bool backward_allowed) {
    std::vector<Enter> backward;
    auto later = [](const Enter& a, const Enter& b) { return a.frame > b.frame; };
    std::make_heap(enters.begin(), enters.end(), later);
    Enter best;
    double best_value = kImpossible;
    auto absorb = [&](std::int64_t until) {
      while (!enters.empty() && enters.front().frame <= until) {
        const Enter e = enters.front();
        std::pop_heap(enters.begin(), enters.end(), later);
        enters.pop_back();
        const double value = e.score - copied(e.frame);
        if (value > best_value) {
          best_value = value;
          best = e;
        }
      }
    };
    for (const Leave& leave : lattice_.leaves) {
      absorb(leave.frame - limits_.min_run);
      if (best_value == kImpossible) continue;
      const double here = best_value + copied(leave.frame);
      const auto index = static_cast<std::int64_t>(arrivals_.size());
      arrivals_.push_back({leave.frame, best});
      offer_stop(here + leave.stop, index);
      for (const auto& [target, score] : leave.jumps) {
        if (target >= leave.frame) {
          enters.push_back({target, here + score, index});
          std::push_heap(enters.begin(), enters.end(), later);
        } else if (backward_allowed) {
          backward.push_back({target, here + score - limits_.backward_cost, index});
        }
      }
    }
    // The end of the recording. A run there may be shorter than the shortest, or nothing would
    // come of a recording that is.
    absorb(lattice_.frames > limits_.min_run ? lattice_.frames - limits_.min_run : 0);
    if (best_value > kImpossible) {
      arrivals_.push_back({lattice_.frames, best});
      offer_stop(best_value + copied(lattice_.frames),
                 static_cast<std::int64_t>(arrivals_.size()) - 1);
    }
    return backward;
  }

  void offer_stop(double score, std::int64_t arrival) {
    if (score > best_stop_) {
      best_stop_ = score;
      last_ = arrival;
    }
  }

  Runs trace() const {
    Runs runs;
    for (std::int64_t i = last_; i >= 0;) {
      const Arrival& a = arrivals_[static_cast<std::size_t>(i)];
      runs.emplace_back(a.enter.frame, a.frame);
      i = a.enter.from;
    }
    std::reverse(runs.begin(), runs.end());
    return runs;
  }

  const Lattice& lattice_;
  const SearchLimits& limits_;
  std::vector<Arrival> arrivals_;
  double best_stop_ = kImpossible;
  std::int64_t last_ = -1;
};

}  // namespace

std::int64_t copied_frames(const Runs& runs) {
  std::int64_t sum = 0;
  for (const auto& [begin, end] : runs) sum += end - begin;
  return sum;
}

Runs best_runs(const Lattice& lattice, const SearchLimits& limits) {
  return Search(lattice, limits).run();
}

Runs runs_of_length(const Lattice& lattice, SearchLimits limits, std::int64_t target) {
  double low = -20.0, high = 20.0;  // more is copied at the lower price
  Runs best;
  for (int i = 0; i < 40; ++i) {
    limits.price = 0.5 * (low + high);
    Runs runs = best_runs(lattice, limits);
    const std::int64_t length = copied_frames(runs);
    const bool nearer =
        best.empty() || std::abs(length - target) < std::abs(copied_frames(best) - target);
    if (length > 0 && nearer) best = runs;  // nothing at all is no edit, however short is wanted
    (length > target ? low : high) = limits.price;
  }
  return best;
}

}  // namespace pointer_decode
