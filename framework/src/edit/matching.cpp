// One-to-one matching of places and jumps.

#include <algorithm>
#include <cmath>
#include <limits>

#include "edit/metrics.hpp"

namespace retake::edit {
namespace {

/// Largest matching of a bipartite graph (Hopcroft and Karp, "An n^5/2 algorithm for maximum
/// matchings in bipartite graphs", 1973), without recursion.
class Bipartite {
 public:
  Bipartite(std::vector<std::vector<std::size_t>> edges, std::size_t right)
      : edges_(std::move(edges)), of_left_(edges_.size(), kFree), of_right_(right, kFree) {}

  std::int64_t matching() {
    std::int64_t size = 0;
    while (layer()) {
      next_.assign(edges_.size(), 0);
      for (std::size_t i = 0; i < edges_.size(); ++i) {
        if (of_left_[i] == kFree && augment(i)) ++size;
      }
    }
    return size;
  }

 private:
  static constexpr std::size_t kFree = std::numeric_limits<std::size_t>::max();

  /// Distances of left vertices from the free ones; false when no augmenting path is left.
  bool layer() {
    depth_.assign(edges_.size(), kFree);
    std::vector<std::size_t> queue;
    for (std::size_t i = 0; i < edges_.size(); ++i) {
      if (of_left_[i] != kFree) continue;
      depth_[i] = 0;
      queue.push_back(i);
    }
    bool found = false;
    for (std::size_t at = 0; at < queue.size(); ++at) {
      for (std::size_t j : edges_[queue[at]]) {
        const std::size_t next = of_right_[j];
        if (next == kFree) {
          found = true;
        } else if (depth_[next] == kFree) {
          depth_[next] = depth_[queue[at]] + 1;
          queue.push_back(next);
        }
      }
    }
    return found;
  }

  /// Looks for an augmenting path from a free left vertex along the layers and takes it.
  bool augment(std::size_t start) {
    std::vector<std::size_t> path{start};
    while (!path.empty()) {
      const std::size_t i = path.back();
      if (next_[i] == edges_[i].size()) {
        depth_[i] = kFree;
        path.pop_back();
        if (!path.empty()) ++next_[path.back()];
        continue;
      }
      const std::size_t owner = of_right_[edges_[i][next_[i]]];
      if (owner == kFree) {
        for (std::size_t k : path) {
          const std::size_t j = edges_[k][next_[k]];
          of_left_[k] = j;
          of_right_[j] = k;
        }
        return true;
      }
      if (depth_[owner] == depth_[i] + 1) {
        path.push_back(owner);
      } else {
        ++next_[i];
      }
    }
    return false;
  }

  std::vector<std::vector<std::size_t>> edges_;
  std::vector<std::size_t> of_left_;
  std::vector<std::size_t> of_right_;
  std::vector<std::size_t> depth_;
  std::vector<std::size_t> next_;
};

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  hits += other.hits;
  wanted += other.wanted;
  given += other.given;
  return *this;
}

double Counts::precision() const {
  return given == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(given);
}

double Counts::recall() const {
  return wanted == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(wanted);
}

double Counts::f1() const {
  if (empty()) return 1.0;
  return 2.0 * static_cast<double>(hits) / static_cast<double>(wanted + given);
}

Counts match_places(std::vector<double> wanted, std::vector<double> given, double tolerance) {
  std::sort(wanted.begin(), wanted.end());
  std::sort(given.begin(), given.end());
  Counts counts{0, static_cast<std::int64_t>(wanted.size()),
                static_cast<std::int64_t>(given.size())};
  // On a line with one tolerance, taking the earliest pair that fits is optimal: whatever else
  // either partner could match, a later place could match as well.
  for (std::size_t i = 0, j = 0; i < wanted.size() && j < given.size();) {
    if (std::abs(wanted[i] - given[j]) <= tolerance) {
      ++counts.hits;
      ++i;
      ++j;
    } else {
      (wanted[i] < given[j] ? i : j) += 1;
    }
  }
  return counts;
}

Counts match_jumps(const std::vector<Jump>& wanted, const std::vector<Jump>& given,
                   double tolerance) {
  std::vector<std::size_t> order(given.size());
  for (std::size_t j = 0; j < order.size(); ++j) order[j] = j;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return given[a].leave != given[b].leave ? given[a].leave < given[b].leave : a < b;
  });
  std::vector<std::vector<std::size_t>> edges(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    auto it = std::partition_point(order.begin(), order.end(), [&](std::size_t j) {
      return given[j].leave < wanted[i].leave - tolerance;
    });
    for (; it != order.end() && given[*it].leave <= wanted[i].leave + tolerance; ++it) {
      if (std::abs(given[*it].enter - wanted[i].enter) <= tolerance) edges[i].push_back(*it);
    }
  }
  Counts counts{0, static_cast<std::int64_t>(wanted.size()),
                static_cast<std::int64_t>(given.size())};
  counts.hits = Bipartite(std::move(edges), given.size()).matching();
  return counts;
}

}  // namespace retake::edit
