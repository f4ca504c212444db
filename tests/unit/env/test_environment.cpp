#include <cmath>
#include <stdexcept>

#include "catch.hpp"
#include "retake/env/environment.hpp"
#include "retake/rng.hpp"

using namespace retake;

namespace {

/// Two heads: decision, and how many units (1 or 2); two units need two to be left.
class TwoHeads final : public ActionSpace {
 public:
  std::vector<ActionHead> heads() const override {
    return {{"decision", {"cut", "keep"}}, {"size", {"one", "two"}}};
  }
  void mask(const Episode& e, std::size_t head, std::span<const std::int32_t>,
            std::span<std::uint8_t> mask) const override {
    mask[0] = 1;
    mask[1] = head == 0 || e.cursor + 2 <= e.task->units() ? 1 : 0;
  }
  void apply(std::span<const std::int32_t> action, Episode& e) const override {
    const auto first = static_cast<std::size_t>(e.cursor);
    const std::size_t last = first + 1 + static_cast<std::size_t>(action[1]);
    if (action[0] == 1) {
      Segment s;
      s.begin = e.task->boundaries[first];
      s.end = e.task->boundaries[last];
      e.segments.push_back(s);
      e.output_samples += s.end - s.begin;
    }
    e.cursor = static_cast<std::int64_t>(last);
  }
};

class Length final : public Reward {
 public:
  explicit Length(When when) : when_(when) {}
  When when() const override { return when_; }
  std::pair<double, double> range() const override { return {0, 1e9}; }
  double score(const Episode& e) const override { return static_cast<double>(e.output_samples); }

 private:
  When when_;
};

EpisodeTask task() {
  EdlSource source;
  source.path = "x.wav";
  source.sample_rate = 100;
  source.samples = 450;
  std::vector<float> rows;
  for (int t = 0; t < 46; ++t) {
    rows.push_back(static_cast<float>(t));
    rows.push_back(1.0F);
  }
  TimeGrid grid;
  grid.hop = 10;
  grid.rate = 100;
  grid.rows = 46;
  return make_task(source, grid, rows, 2, 1.0, 0.5);
}

}  // namespace

TEST_CASE("a recording becomes units with pooled features", "[env]") {
  const EpisodeTask t = task();
  CHECK(t.boundaries == std::vector<std::int64_t>{0, 100, 200, 300, 400, 450});
  CHECK(t.units() == 5);
  CHECK(t.features[0] == 4.5F);   // rows 0..9
  CHECK(t.features[2] == 14.5F);  // rows 10..19
  CHECK(t.features[8] == 42.0F);  // rows 40..44: the last unit is half as long
  CHECK(t.target_samples == 225);
}

TEST_CASE("observations are the units around the cursor and four scalars", "[env]") {
  const EpisodeTask t = task();
  const TwoHeads space;
  EditingEnvironment env(space, {});
  env.reset(t, 1);
  std::vector<float> seen(static_cast<std::size_t>(observation_width(t, 1)));
  REQUIRE(seen.size() == 10);
  observe(env.episode(), 1, seen);
  CHECK(seen == std::vector<float>{0, 0, 4.5F, 1, 14.5F, 1, 0, 0, 0.5F, 0});
  env.step(std::vector<std::int32_t>{1, 0});
  observe(env.episode(), 1, seen);
  CHECK(seen[6] == 0.2F);
  CHECK(seen[7] == Approx(100.0 / 225.0));
  CHECK(seen[9] == 1.0F);
}

TEST_CASE("step and terminal rewards are summed by weight", "[env]") {
  const EpisodeTask t = task();
  const TwoHeads space;
  const Length each(Reward::When::step), end(Reward::When::terminal);
  EditingEnvironment env(space, {{1.0, &each}, {0.5, &end}});
  env.reset(t, 1);
  CHECK(env.step(std::vector<std::int32_t>{1, 1}) == 200);
  CHECK(env.step(std::vector<std::int32_t>{0, 1}) == 200);
  CHECK_FALSE(env.done());
  CHECK(env.step(std::vector<std::int32_t>{1, 0}) == 250 + 125);
  CHECK(env.done());
  const Edl edl = env.edl();
  CHECK(edl.segments.size() == 2);
  CHECK(edl.output_samples() == 250);
  CHECK_THROWS_AS(env.step(std::vector<std::int32_t>{1, 0}), std::logic_error);
}

TEST_CASE("masked and malformed actions are refused", "[env][hostile]") {
  const EpisodeTask t = task();
  const TwoHeads space;
  EditingEnvironment env(space, {});
  env.reset(t, 1);
  env.step(std::vector<std::int32_t>{0, 1});
  env.step(std::vector<std::int32_t>{0, 1});
  for (const auto& action :
       std::vector<std::vector<std::int32_t>>{{0, 1}, {0}, {2, 0}, {-1, 0}, {0, 0, 0}}) {
    CHECK_THROWS_AS(env.step(action), std::logic_error);
  }
}

TEST_CASE("an episode replays from its actions", "[env][property]") {
  const EpisodeTask t = task();
  const TwoHeads space;
  const Length each(Reward::When::step);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    EditingEnvironment env(space, {{1.0, &each}});
    env.reset(t, seed);
    std::vector<double> rewards;
    while (!env.done()) {
      const std::int32_t most = env.episode().cursor + 2 <= t.units() ? 1 : 0;
      rewards.push_back(
          env.step(std::vector<std::int32_t>{static_cast<std::int32_t>(rng.below(2)),
                                             static_cast<std::int32_t>(rng.integer(0, most))}));
    }
    EditingEnvironment again(space, {{1.0, &each}});
    again.reset(t, seed);
    std::size_t i = 0;
    for (const auto& action : env.episode().actions) CHECK(again.step(action) == rewards[i++]);
    CHECK(to_value(again.edl()) == to_value(env.edl()));
    std::int64_t total = 0;
    for (const Segment& s : env.edl().segments) total += s.output_samples();
    CHECK(total == env.episode().output_samples);
  }
}
