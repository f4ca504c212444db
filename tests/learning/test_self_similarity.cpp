#include <algorithm>
#include <cmath>

#include "catch.hpp"
#include "chance.hpp"
#include "front_end.hpp"
#include "retake/rng.hpp"
#include "search.hpp"
#include "test_context.hpp"

using namespace self_similarity;

namespace {

void serially(std::size_t n, const std::function<void(std::size_t, std::size_t)>& body) {
  if (n > 0) body(0, n);
}

/// Ranges of uneven sizes in a strange order, as threads might take them.
void in_pieces(std::size_t n, const std::function<void(std::size_t, std::size_t)>& body) {
  for (std::size_t end = n; end > 0;) {
    const std::size_t begin = end > 3 ? end - 3 : 0;
    body(begin, end);
    end = begin;
  }
}

std::vector<float> random_rows(std::int64_t count, std::int64_t width, std::uint64_t seed) {
  retake::Rng rng(seed);
  std::vector<float> x(static_cast<std::size_t>(count * width));
  for (std::int64_t t = 0; t < count; ++t) {
    double norm = 0;
    for (std::int64_t d = 0; d < width; ++d) {
      const double v = rng.normal();
      x[static_cast<std::size_t>(t * width + d)] = static_cast<float>(v);
      norm += v * v;
    }
    for (std::int64_t d = 0; d < width; ++d) {
      x[static_cast<std::size_t>(t * width + d)] /= static_cast<float>(std::sqrt(norm));
    }
  }
  return x;
}

/// All pairs, all windows, straight from the definition.
Matches naive(const std::vector<float>& x, std::int64_t width, std::int64_t window,
              std::int64_t min_lag, std::int64_t max_lag) {
  const auto n = static_cast<std::int64_t>(x.size()) / width;
  Matches m;
  m.later.assign(static_cast<std::size_t>(n), 0);
  m.earlier = m.later;
  m.later_lag.assign(static_cast<std::size_t>(n), 0);
  m.earlier_lag = m.later_lag;
  std::vector<double> later(static_cast<std::size_t>(n), -9), earlier = later;
  for (std::int64_t lag = min_lag; lag <= max_lag; ++lag) {
    for (std::int64_t t = 0; t + lag + window <= n; ++t) {
      double sum = 0;
      for (std::int64_t i = t * width; i < (t + window) * width; ++i) {
        sum += static_cast<double>(x[static_cast<std::size_t>(i)]) *
               static_cast<double>(x[static_cast<std::size_t>(i + lag * width)]);
      }
      sum /= static_cast<double>(window);
      const auto a = static_cast<std::size_t>(t), b = static_cast<std::size_t>(t + lag);
      if (sum > later[a])
        later[a] = sum, m.later[a] = static_cast<float>(sum),
        m.later_lag[a] = static_cast<std::int32_t>(lag);
      if (sum > earlier[b])
        earlier[b] = sum, m.earlier[b] = static_cast<float>(sum),
        m.earlier_lag[b] = static_cast<std::int32_t>(lag);
    }
  }
  return m;
}

std::vector<float> tones(double seconds, std::uint64_t seed) {
  retake::Rng rng(seed);
  std::vector<float> x;
  for (double t = 0; t < seconds; t += 0.25) {
    const double hz = 110.0 * std::pow(2.0, rng.uniform(0, 4)), other = hz * rng.uniform(1.1, 2.5);
    for (int i = 0; i < 22050 / 4; ++i) {
      x.push_back(static_cast<float>(0.2 * std::sin(6.2831853 * hz * i / 22050) +
                                     0.1 * std::sin(6.2831853 * other * i / 22050)));
    }
  }
  return x;
}

}  // namespace

TEST_CASE("the search equals its definition, however it is split") {
  const std::int64_t width = 6, count = GENERATE(1, 5, 40, 300, 517);
  const std::vector<float> x = random_rows(count, width, 7);
  SearchOptions options{{6, 22, 54}, 4, 400};
  const auto got = search(x, width, options, serially);
  const auto split = search(x, width, options, in_pieces);
  for (std::size_t w = 0; w < 3; ++w) {
    const Matches want = naive(x, width, options.windows[w], options.min_lag, options.max_lag);
    CHECK(got[w].later_lag == want.later_lag);
    CHECK(got[w].earlier_lag == want.earlier_lag);
    for (std::size_t t = 0; t < want.later.size(); ++t) {
      REQUIRE(got[w].later[t] == Approx(want.later[t]).margin(1e-5));
      REQUIRE(got[w].earlier[t] == Approx(want.earlier[t]).margin(1e-5));
    }
    CHECK(got[w].later == split[w].later);
    CHECK(got[w].later_lag == split[w].later_lag);
    CHECK(got[w].earlier == split[w].earlier);
    CHECK(got[w].earlier_lag == split[w].earlier_lag);
  }
}

TEST_CASE("mean and deviation are those of all products, however they are split") {
  const std::int64_t width = 3, count = 260, window = 4;
  const std::vector<float> x = random_rows(count, width, 11);
  double n = 0, sum = 0, squares = 0;
  for (std::int64_t lag = 5; lag <= 200; ++lag) {
    for (std::int64_t t = 0; t + lag + window <= count; ++t) {
      double v = 0;
      for (std::int64_t i = t * width; i < (t + window) * width; ++i) {
        v += static_cast<double>(x[static_cast<std::size_t>(i)]) *
             static_cast<double>(x[static_cast<std::size_t>(i + lag * width)]) / window;
      }
      n += 1, sum += v, squares += v * v;
    }
  }
  const auto got = search(x, width, {{window}, 5, 200}, serially)[0];
  CHECK(got.mean == Approx(sum / n).margin(1e-6));
  CHECK(got.deviation == Approx(std::sqrt(squares / n - sum / n * sum / n)).epsilon(1e-4));
  const auto split = search(x, width, {{window}, 5, 200}, in_pieces)[0];
  CHECK(split.mean == got.mean);
  CHECK(split.deviation == got.deviation);
}

TEST_CASE("the expected maximum is that of normal values") {
  CHECK(expected_maximum(0) == 0.0);
  CHECK(expected_maximum(1) == 0.0);
  // Exact values: H. L. Harter, Biometrika 48 (1961), table 1.
  CHECK(expected_maximum(2) == Approx(0.56419).margin(0.03));
  CHECK(expected_maximum(10) == Approx(1.53875).margin(0.02));
  CHECK(expected_maximum(100) == Approx(2.50759).margin(0.02));
  retake::Rng rng(3);
  double mean = 0;
  for (int trial = 0; trial < 300; ++trial) {
    double most = -9;
    for (int i = 0; i < 5000; ++i) most = std::max(most, rng.normal());
    mean += most / 300;
  }
  CHECK(expected_maximum(5000) == Approx(mean).margin(0.1));
}

TEST_CASE("a longer recording does not look more alike, and a repeat does") {
  const SearchOptions options{{22}, 11, 100000};
  const auto median = [&](std::int64_t count, bool repeat) {
    std::vector<float> x = random_rows(count, 8, 21);
    if (repeat) std::copy_n(x.begin(), 400 * 8, x.end() - 400 * 8);
    Matches m = search(x, 8, options, serially)[0];
    remove_chance(m, 22, options, 0.2F);
    std::vector<float> start(m.later.begin(), m.later.begin() + 300);
    std::nth_element(start.begin(), start.begin() + 150, start.end());
    CHECK((m.later_lag[100] != 0) == repeat);
    return start[150];
  };
  CHECK(std::abs(median(1300, false)) < 0.05F);
  CHECK(std::abs(median(20000, false)) < 0.05F);
  CHECK(median(1300, true) > 0.99F);
  CHECK(median(20000, true) > 0.99F);
}

TEST_CASE("where all rows are equal, all are repeats") {
  const std::vector<float> x(600, 1.0F);
  const SearchOptions options{{5}, 3, 1000};
  Matches m = search(x, 1, options, serially)[0];
  remove_chance(m, 5, options, 0.2F);
  CHECK(m.later[100] == Approx(1.0F).margin(1e-3));
  CHECK(m.later[599] == 0.0F);
}

TEST_CASE("a passage that comes again is found at its lag, at another level too") {
  std::vector<float> samples = tones(60, 1);
  const std::vector<float> take = tones(20, 2);
  samples.insert(samples.end(), take.begin(), take.end());
  const std::vector<float> between = tones(33, 3);
  samples.insert(samples.end(), between.begin(), between.end());
  for (float v : take) samples.push_back(0.4F * v);
  retake::AudioBuffer buffer{22050, {samples}};
  const auto source = retake::audio_from_buffer(std::move(buffer));
  const std::int64_t rows = 1 + static_cast<std::int64_t>(samples.size()) / kHop;
  const auto x = whiten(slow_log_mel(*source, TestContext(), rows, 64), 64, 32);
  const auto found = search(x, 32, {{22}, 11, 10000}, serially)[0];
  const double lag = 53.0 * kRate / kHop;
  const auto inside = static_cast<std::size_t>(70.0 * kRate / kHop);
  CHECK(std::abs(found.later_lag[inside] - lag) <= 1);
  CHECK(found.later[inside] > 0.8F);
  CHECK(std::abs(found.earlier_lag[inside + static_cast<std::size_t>(lag)] - lag) <= 1);
  CHECK(found.later[20] < 0.6F);
}

TEST_CASE("of equal matches the nearest is named") {
  const std::vector<float> x(600, 1.0F);  // 600 equal rows of width 1
  const auto m = search(x, 1, {{5}, 3, 1000}, serially)[0];
  CHECK(m.later_lag[100] == 3);
  CHECK(m.earlier_lag[400] == 3);
}

TEST_CASE("silence and one sample give finite rows") {
  for (std::size_t samples : {1, 5000, 200000}) {
    retake::AudioBuffer buffer{22050, {std::vector<float>(samples, 0.0F)}};
    const auto source = retake::audio_from_buffer(std::move(buffer));
    const std::int64_t rows = 1 + static_cast<std::int64_t>(samples) / kHop;
    const auto x = whiten(slow_log_mel(*source, TestContext(), rows, 64), 64, 32);
    for (float v : x) REQUIRE(std::isfinite(v));
    const auto m = search(x, 32, {{6}, 11, 10000}, serially);
    for (float v : m[0].later) REQUIRE(v == 0.0F);
  }
}
