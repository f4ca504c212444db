// The invertible coding, and the prototype's with its golden numbers.

#include "retake/edit/pointer_coding.hpp"

#include <cmath>

#include "catch.hpp"
#include "edl_support.hpp"

using namespace retake;
using namespace retake::testing;

namespace {

/// Copies, small steps, jumps of any length, gaps; up to `rows` raw frames.
std::vector<std::int64_t> random_sequence(Rng& rng, std::int64_t rows) {
  std::vector<std::int64_t> p;
  std::int64_t at = rng.integer(0, rows - 1);
  const std::int64_t length = rng.integer(0, 24);
  for (std::int64_t t = 0; t < length; ++t) {
    const std::uint64_t kind = rng.below(8);
    if (kind == 0) at = rng.integer(0, rows - 1);
    if (kind == 1) at += rng.integer(-66, 66);
    if (kind == 2) at += rng.chance(0.5) ? 65 : -65;  // either side of the last delta class
    at = std::clamp<std::int64_t>(at, 0, rows - 1);
    p.push_back(kind == 3 ? -1 : at);
    at = std::min(at + 1, rows - 1);
  }
  return p;
}

}  // namespace

TEST_CASE("a million random sequences decode to themselves") {
  Rng rng(derive_seed(7, {"coding/identity"}));
  for (int i = 0; i < 1000000; ++i) {
    const PointerCoding coding{static_cast<std::int64_t>(rng.chance(0.9) ? 64 : rng.below(5)),
                               rng.chance(0.5) ? 16 : 32};
    const auto p = random_sequence(rng, rng.chance(0.5) ? 300 : 806196);
    const PointerTargets targets = encode_pointers(p, coding);
    if (decode_pointers(targets, coding) != p) FAIL("sequence " << i);
  }
}

TEST_CASE("targets are classes of their heads, each frame in one of them") {
  Rng rng(derive_seed(8, {"coding/ranges"}));
  const PointerCoding coding;
  const std::int64_t rows = 5000;
  for (int i = 0; i < 20000; ++i) {
    const auto p = random_sequence(rng, rows);
    const PointerTargets targets = encode_pointers(p, coding);
    REQUIRE(targets.stop.size() == p.size() + 1);
    for (std::size_t t = 0; t <= p.size(); ++t) {
      const bool source = t < p.size() && p[t] >= 0;
      const bool jump = source && targets.use_jump[t] == 1;
      bool good = targets.stop[t] == (t == p.size() ? 1 : 0);
      good = good && (targets.use_jump[t] == kIgnoreClass) == !source;
      good = good && (targets.delta[t] == kIgnoreClass) == !(source && !jump);
      good = good && (targets.bin[t] == kIgnoreClass) == !jump;
      good = good && (targets.fine[t] == kIgnoreClass) == !jump;
      if (jump) {
        good = good && targets.bin[t] >= 0 && targets.bin[t] < coding.bins(rows) &&
               targets.fine[t] >= 0 && targets.fine[t] < coding.bin_frames;
      } else if (source) {
        good = good && targets.delta[t] >= 0 && targets.delta[t] < coding.delta_classes();
      }
      if (!good) FAIL("sequence " << i << " frame " << t);
    }
  }
}

TEST_CASE("a copy is delta 0, and the frame behind a gap is a jump") {
  const PointerCoding coding{64, 16};
  const std::vector<std::int64_t> p{0, 1, 2, 67, 68, 134, 70, 5, -1, -1, 6, 7};
  const PointerTargets targets = encode_pointers(p, coding);
  const std::int64_t no = kIgnoreClass;
  // Steps: 0 0 0 64 0 65(jump) -65(jump) -66(jump) . . jump 0
  CHECK(targets.delta ==
        std::vector<std::int64_t>{64, 64, 64, 128, 64, no, no, no, no, no, no, 64, no});
  CHECK(targets.use_jump == std::vector<std::int64_t>{0, 0, 0, 0, 0, 1, 1, 1, no, no, 1, 0, no});
  CHECK(targets.bin == std::vector<std::int64_t>{no, no, no, no, no, 8, 4, 0, no, no, 0, no, no});
  CHECK(targets.fine == std::vector<std::int64_t>{no, no, no, no, no, 6, 6, 5, no, no, 6, no, no});
  CHECK(targets.stop.back() == 1);
  CHECK(decode_pointers(targets, coding) == p);
  // Any start of a recording is reached: near ones by delta, others by a jump.
  CHECK(encode_pointers(std::vector<std::int64_t>{64}, coding).use_jump[0] == 0);
  CHECK(encode_pointers(std::vector<std::int64_t>{65}, coding).use_jump[0] == 1);
}

TEST_CASE("the coding goes through EDLs") {
  Rng rng(derive_seed(9, {"coding/edl"}));
  const PointerCoding coding;
  for (int i = 0; i < 20000; ++i) {
    const double rate = rng.chance(0.5) ? 44100 : 48000;
    const Edl edl = random_edl(rng, rate);
    const TimeGrid raw = frame_grid(edl.sources[0].samples, rate);
    const TimeGrid out = frame_grid(edl.output_samples(), rate);
    const auto p = pointers(edl, out, raw);
    const auto decoded = decode_pointers(encode_pointers(p, coding), coding);
    REQUIRE(pointers(from_pointers(decoded, edl.sources[0], out), out, raw) == p);
  }
}

TEST_CASE("what is no pointer is refused") {
  CHECK_THROWS_AS(encode_pointers(std::vector<std::int64_t>{-2}, {}), std::invalid_argument);
  CHECK_THROWS_AS(encode_pointers(std::vector<std::int64_t>{0}, {64, 0}), std::invalid_argument);
  PointerTargets uneven;
  uneven.stop = {1};
  CHECK_THROWS_AS(decode_pointers(uneven, {}), std::invalid_argument);
}

TEST_CASE("expected_position has the prototype's buckets") {
  const ExpectedPositionCoding coding;
  const double edges[] = {64.0,  64.9,  66.8,  70.4,   77.4,   91.0,   117.6,   169.3,
                          270.1, 466.4, 848.8, 1593.5, 3044.0, 5869.1, 11371.8, 22089.5};
  for (int b = 0; b < 16; ++b) {
    CHECK(coding.bucket_offset(16 + b) == Approx(edges[b]).margin(0.05));
    CHECK(coding.bucket_offset(15 - b) == Approx(-edges[b]).margin(0.05));
    CHECK(coding.bucket_of(edges[b] + 0.5) == 16 + b);
    CHECK(coding.bucket_of(-edges[b] - 0.5) == 15 - b);
  }
  CHECK(coding.bucket_offset(coding.bucket_of(1000)) == Approx(848.8).margin(0.05));
  CHECK(coding.bucket_offset(coding.bucket_of(5000)) == Approx(3044.0).margin(0.05));
  CHECK(coding.bucket_offset(coding.bucket_of(1e9)) == Approx(22089.5).margin(0.05));
}

TEST_CASE("expected_position drifts on an untouched copy as the prototype's did") {
  const ExpectedPositionCoding coding;
  // A sequential chunk whose raw crop starts 100 frames earlier: ptr = t + 100.
  int jumps = 0;
  for (std::int64_t t = 0; t < 512; ++t) jumps += coding.encode(t, t + 100).jump ? 1 : 0;
  CHECK(coding.offset(0, 100) == Approx(100.0));
  CHECK(coding.offset(73, 173) == Approx(64.0).margin(0.05));
  CHECK(coding.offset(203, 303) == Approx(0.0).margin(0.05));
  CHECK(coding.offset(333, 433) == Approx(-64.0).margin(0.05));
  CHECK(coding.offset(511, 611) == Approx(-151.7).margin(0.05));
  CHECK(jumps / 512.0 == Approx(0.494).margin(0.001));
  // Perfect labels decode wrong by seconds: that is why it was replaced.
  const auto decoded = coding.decode(0, coding.encode(0, 20000), 806196);
  CHECK(decoded == 11372);
  CHECK(coding.decode(0, coding.encode(0, 64), 806196) == 64);
  CHECK(coding.encode(0, 3000).delta == 128);
  CHECK(coding.decode(10, {false, 64, 0}, 5) == 4);
}
