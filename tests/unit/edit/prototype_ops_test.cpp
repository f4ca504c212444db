// The dialect `prototype`.

#include "edit/prototype_ops.hpp"

#include <algorithm>
#include <cstdlib>
#include "catch.hpp"

#include "retake/rng.hpp"

using namespace retake;

namespace {

/// The rule as it was written there, quadratic scan and all.
std::vector<Op> by_the_rule(const std::vector<std::int64_t>& p) {
  std::vector<Op> ops(p.size(), Op::copy);
  for (std::size_t i = 0; i < p.size(); ++i) {
    const std::int64_t d = i == 0 ? 1 : p[i] - p[i - 1];
    if (i + 1 == p.size()) {
      ops[i] = Op::stop;
    } else if (d < -10) {
      ops[i] = Op::loop_end;
      for (std::size_t j = 0; j < i; ++j) {
        if (std::abs(p[j] - p[i]) >= 10) continue;
        if (ops[j] == Op::copy) ops[j] = Op::loop_start;
        break;
      }
    } else if (d > 50) {
      ops[i] = Op::skip;
    }
  }
  const std::vector<Op> marks = ops;
  const auto n = static_cast<std::int64_t>(p.size());
  for (std::int64_t k = 0; k < n; ++k) {
    const Op op = marks[static_cast<std::size_t>(k)];
    const bool jump = op == Op::skip || op == Op::loop_end;
    if (!jump && op != Op::loop_start) continue;
    for (std::int64_t t = k - 10; t <= k + 10; ++t) {
      if (t < 0 || t >= n || t == k || (t < k && !jump)) continue;
      Op& at = ops[static_cast<std::size_t>(t)];
      if (at == Op::copy) at = t < k ? Op::fade_out : Op::fade_in;
    }
  }
  return ops;
}

}  // namespace

TEST_CASE("the measured example of the prototype") {
  std::vector<std::int64_t> p;
  for (std::int64_t f = 100; f < 200; ++f) p.push_back(f);
  for (std::int64_t f = 400; f < 500; ++f) p.push_back(f);
  for (std::int64_t f = 150; f < 260; ++f) p.push_back(f);
  const std::vector<Op> ops = edit::prototype_ops(p);
  const auto all = [&](std::size_t begin, std::size_t end, Op op) {
    return std::all_of(ops.begin() + std::ptrdiff_t(begin), ops.begin() + std::ptrdiff_t(end),
                       [&](Op o) { return o == op; });
  };
  CHECK(all(0, 41, Op::copy));
  CHECK(ops[41] == Op::loop_start);
  CHECK(all(42, 52, Op::fade_in));
  CHECK(all(52, 90, Op::copy));
  CHECK(all(90, 100, Op::fade_out));
  CHECK(ops[100] == Op::skip);
  CHECK(all(101, 111, Op::fade_in));
  CHECK(all(190, 200, Op::fade_out));
  CHECK(ops[200] == Op::loop_end);
  CHECK(all(201, 211, Op::fade_in));
  CHECK(all(211, 309, Op::copy));
  CHECK(ops[309] == Op::stop);
}

TEST_CASE("the linear form equals the rule") {
  Rng rng(derive_seed(13, {"prototype/ops"}));
  for (int i = 0; i < 3000; ++i) {
    std::vector<std::int64_t> p;
    std::int64_t at = rng.integer(0, 300);
    const std::int64_t length = rng.integer(0, 80);
    for (std::int64_t t = 0; t < length; ++t) {
      if (rng.chance(0.1)) at = rng.integer(0, 300);
      p.push_back(rng.chance(0.05) ? -1 : at++);
    }
    REQUIRE((edit::prototype_ops(p) == by_the_rule(p)));
  }
}

TEST_CASE("a long recording of nothing but jumps takes no time") {
  std::vector<std::int64_t> p;
  for (std::int64_t t = 0; t < 200000; ++t) p.push_back((200000 - t) * 20);
  CHECK(edit::prototype_ops(p)[1] == Op::loop_end);
}
