// Small alignments on made-up sound: a few seconds in the default suite.

#include <cmath>

#include "catch.hpp"
#include "identity.hpp"
#include "suite.hpp"

using namespace retake;
using namespace retake::test;

namespace {

constexpr double kRate = 22050.0;

/// Notes of random pitch over soft noise: nothing repeats.
std::vector<float> tune(double seconds, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> x(static_cast<std::size_t>(seconds * kRate));
  double frequency = rng.uniform(100.0, 2000.0);
  double phase = 0.0;
  std::size_t since = 0;
  for (std::size_t i = 0; i < x.size(); ++i, ++since) {
    if (since > 4000 && rng.chance(0.0005)) {
      frequency = rng.uniform(100.0, 2000.0);
      since = 0;
    }
    phase += frequency / kRate;
    const double level = std::exp(-static_cast<double>(since) / 6000.0);
    double v = 0.02 * rng.normal();
    for (int h = 1; h <= 4; ++h) v += 0.2 / h * level * std::sin(6.283185307 * h * phase);
    x[i] = static_cast<float>(v);
  }
  return x;
}

AudioBuffer mono(std::vector<float> x) {
  return {kRate, {std::move(x)}};
}

std::vector<float> cut(const std::vector<float>& x, std::int64_t begin, std::int64_t end) {
  return {x.begin() + begin, x.begin() + end};
}

void append(std::vector<float>& x, const std::vector<float>& more) {
  x.insert(x.end(), more.begin(), more.end());
}

Alignment aligned(const std::vector<float>& raw, const std::vector<float>& edit, int threads = 1) {
  const auto a = audio_from_buffer(mono(raw), "raw.wav");
  const auto b = audio_from_buffer(mono(edit), "edit.wav");
  return make_aligner()->align(*a, *b, PlainContext(threads));
}

}  // namespace

TEST_CASE("hard cuts, a loop and a reorder are found to the sample") {
  const auto raw = tune(40.0, 1);
  const std::vector<std::pair<std::int64_t, std::int64_t>> runs{
      {30000, 120000}, {500000, 560000}, {200001, 300003}, {200001, 260000}, {700000, 800000}};
  std::vector<float> edit;
  for (const auto& [begin, end] : runs) append(edit, cut(raw, begin, end));
  const Alignment found = aligned(raw, edit);
  REQUIRE(found.edl.segments.size() == runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    INFO("run " << i);
    CHECK(std::abs(found.edl.segments[i].begin - runs[i].first) <= 2);
    CHECK(std::abs(found.edl.segments[i].end - runs[i].second) <= 2);
    CHECK(found.edl.segments[i].gain_db == Approx(0.0).margin(0.05));
    CHECK(found.edl.segments[i].confidence > 0.95);
  }
  CHECK(found.edl.output_samples() == static_cast<std::int64_t>(edit.size()));
  CHECK(problems(found.edl).empty());
  CHECK(found.edl.segments[1].op == Op::skip);
  CHECK(found.edl.segments[2].op == Op::loop_start);
}

TEST_CASE("gain and inserted material are found") {
  const auto raw = tune(30.0, 2);
  const auto foreign = tune(3.0, 77);
  auto first = cut(raw, 50000, 150000);
  for (auto& v : first) v *= 0.5F;
  std::vector<float> edit = first;
  append(edit, foreign);
  append(edit, cut(raw, 400000, 500000));
  const Alignment found = aligned(raw, edit);
  REQUIRE(found.edl.segments.size() == 3);
  CHECK(found.edl.segments[0].gain_db == Approx(-6.02).margin(0.2));
  REQUIRE(found.edl.segments[1].is_gap());
  CHECK(std::abs(found.edl.segments[1].gap - static_cast<std::int64_t>(foreign.size())) < 1000);
  CHECK(std::abs(found.edl.segments[2].begin - 400000) < 1000);
}

TEST_CASE("an unrelated edit becomes a gap of no confidence") {
  const Alignment found = aligned(tune(20.0, 3), tune(6.0, 99));
  double sum = 0.0;
  for (const float c : found.confidence) sum += c;
  CHECK(sum / static_cast<double>(found.confidence.size()) < 0.1);
  CHECK(found.edl.output_samples() == static_cast<std::int64_t>(6.0 * kRate));
}

TEST_CASE("odd lengths and silence give a sound EDL and no failure") {
  const auto raw = tune(10.0, 4);
  const std::vector<float> silence(30000, 0.0F);
  std::vector<std::pair<std::vector<float>, std::vector<float>>> cases{
      {raw, {0.1F}},  {{0.1F}, raw}, {raw, cut(raw, 0, 3000)},  {silence, raw},
      {raw, silence}, {raw, raw},    {cut(raw, 0, 50000), raw}, {silence, silence}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO("case " << i);
    const Alignment found = aligned(cases[i].first, cases[i].second);
    CHECK(problems(found.edl).empty());
    CHECK(found.edl.output_samples() == static_cast<std::int64_t>(cases[i].second.size()));
    CHECK(static_cast<std::int64_t>(found.confidence.size()) == found.grid.rows);
  }
}

TEST_CASE("the result does not depend on the number of threads") {
  const auto raw = tune(60.0, 5);
  auto edit = cut(raw, 100000, 300000);
  append(edit, cut(raw, 900000, 1000000));
  const auto one = aligned(raw, edit, 1);
  const auto three = aligned(raw, edit, 3);
  CHECK(to_json(to_value(one.edl)) == to_json(to_value(three.edl)));
  CHECK(one.confidence == three.confidence);
}

TEST_CASE("a sample that is no number is an error that names the file") {
  auto raw = tune(5.0, 6);
  raw[7000] = std::nanf("");
  CHECK_THROWS_AS(aligned(raw, tune(2.0, 7)), DataError);
}

TEST_CASE("identity copies from the start and has a gap beyond the raw's end") {
  const auto raw = tune(2.0, 8);
  const auto edit = tune(3.0, 9);
  const auto a = audio_from_buffer(mono(raw), "raw.wav");
  const auto b = audio_from_buffer(mono(edit), "edit.wav");
  const Alignment found = Identity().align(*a, *b, PlainContext(1));
  REQUIRE(found.edl.segments.size() == 2);
  CHECK(found.edl.segments[0].end == static_cast<std::int64_t>(raw.size()));
  CHECK(found.edl.output_samples() == static_cast<std::int64_t>(edit.size()));
  CHECK(found.confidence.front() == 1.0F);
  CHECK(found.confidence.back() == 0.0F);
}
