#include "edit/prototype_ops.hpp"

#include <algorithm>
#include <unordered_map>

namespace retake::edit {
namespace {

constexpr std::int64_t kSkip = 50;
constexpr std::int64_t kLoop = 10;
constexpr std::int64_t kZone = 10;

/// First frame of every pointer seen so far.
class FirstUse {
 public:
  void add(std::int64_t pointer, std::size_t frame) { first_.emplace(pointer, frame); }

  /// The first frame that points nearer than kLoop to `pointer`; `none` when there is none.
  std::size_t near(std::int64_t pointer, std::size_t none) const {
    std::size_t best = none;
    for (std::int64_t p = pointer - kLoop + 1; p < pointer + kLoop; ++p) {
      const auto found = first_.find(p);
      if (found != first_.end()) best = std::min(best, found->second);
    }
    return best;
  }

 private:
  std::unordered_map<std::int64_t, std::size_t> first_;
};

void mark_jumps(std::span<const std::int64_t> p, std::vector<Op>& ops) {
  FirstUse first;
  for (std::size_t t = 0; t < p.size(); ++t) {
    const std::int64_t step = t == 0 ? 1 : p[t] - p[t - 1];
    if (t + 1 == p.size()) {
      ops[t] = Op::stop;
    } else if (step < -kLoop) {
      ops[t] = Op::loop_end;
      const std::size_t start = first.near(p[t], t);
      if (start < t && ops[start] == Op::copy) ops[start] = Op::loop_start;
    } else if (step > kSkip) {
      ops[t] = Op::skip;
    }
    first.add(p[t], t);
  }
}

void mark_zones(std::vector<Op>& ops) {
  const auto n = static_cast<std::int64_t>(ops.size());
  const auto fill = [&](std::int64_t begin, std::int64_t end, Op op) {
    for (std::int64_t t = std::max<std::int64_t>(0, begin); t < std::min(n, end); ++t) {
      Op& at = ops[static_cast<std::size_t>(t)];
      if (at == Op::copy) at = op;
    }
  };
  for (std::int64_t t = 0; t < n; ++t) {
    const Op op = ops[static_cast<std::size_t>(t)];
    if (op != Op::skip && op != Op::loop_end && op != Op::loop_start) continue;
    if (op != Op::loop_start) fill(t - kZone, t, Op::fade_out);
    fill(t + 1, t + 1 + kZone, Op::fade_in);
  }
}

}  // namespace

std::vector<Op> prototype_ops(std::span<const std::int64_t> pointers) {
  std::vector<Op> ops(pointers.size(), Op::copy);
  mark_jumps(pointers, ops);
  mark_zones(ops);
  return ops;
}

}  // namespace retake::edit
