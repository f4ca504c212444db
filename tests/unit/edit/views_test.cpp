// Pointers, ops and labels, and the way back, as properties and by hand.

#include <map>

#include "catch.hpp"
#include "edl_support.hpp"
#include "retake/error.hpp"

using namespace retake;
using namespace retake::testing;

namespace {

constexpr double kRates[] = {48000, 44100, 22050, 96000, 8000, 11025, 32000};

/// The definition, word for word, frame by frame.
std::vector<std::int64_t> pointers_by_definition(const Edl& edl, std::int64_t frames,
                                                 std::int64_t raw_frames) {
  using Real = long double;
  const Real sr = edl.sources[0].sample_rate;
  const auto starts = edl.output_starts();
  std::vector<std::int64_t> result(static_cast<std::size_t>(frames), -1);
  for (std::int64_t t = 0; t < frames; ++t) {
    for (std::size_t i = 0; i < edl.segments.size(); ++i) {
      const Segment& s = edl.segments[i];
      const bool inside = static_cast<Real>(t * 256) * sr >= Real(starts[i]) * 22050 &&
                          static_cast<Real>(t * 256) * sr < Real(starts[i + 1]) * 22050;
      const bool last = t + 1 == frames && i + 1 == edl.segments.size() &&
                        static_cast<Real>(t * 256) * sr >= Real(starts[i + 1]) * 22050;
      if (!inside && !last) continue;
      if (s.is_gap()) break;
      Real ptr;
      if (s.rate == 1.0 && !s.reverse) {
        ptr = t + std::floor(Real(s.begin - starts[i]) * 22050 / (sr * 256) + 0.5L);
      } else if (s.rate == 1.0) {
        ptr = std::floor(Real(s.end + starts[i]) * 22050 / (sr * 256) - t + 0.5L);
      } else {
        const double played =
            s.rate * (static_cast<double>(t * 256) / 22050.0 -
                      static_cast<double>(starts[i]) / edl.sources[0].sample_rate);
        const double at = s.reverse
                              ? static_cast<double>(s.end) / edl.sources[0].sample_rate - played
                              : static_cast<double>(s.begin) / edl.sources[0].sample_rate + played;
        ptr = std::floor(at * (22050.0 / 256.0) + 0.5);
      }
      const auto frame = static_cast<std::int64_t>(ptr);
      result[static_cast<std::size_t>(t)] =
          std::max<std::int64_t>(0, std::min(frame, raw_frames - 1));
      break;
    }
  }
  return result;
}

std::vector<std::int64_t> random_pointers(Rng& rng, std::int64_t raw_rows) {
  std::vector<std::int64_t> p;
  const std::int64_t runs = rng.integer(1, 6);
  for (std::int64_t k = 0; k < runs; ++k) {
    const std::int64_t length = rng.chance(0.3) ? rng.integer(1, 3) : rng.integer(1, 40);
    if (rng.chance(0.2)) {
      p.insert(p.end(), static_cast<std::size_t>(length), -1);
      continue;
    }
    std::int64_t at = rng.integer(0, raw_rows - 1);
    if (rng.chance(0.2)) at = 0;
    if (rng.chance(0.2)) at = raw_rows - 1;
    if (rng.chance(0.2)) at = std::max<std::int64_t>(0, raw_rows - length);
    for (std::int64_t i = 0; i < length && at < raw_rows; ++i) p.push_back(at++);
  }
  return p;
}

/// Ops of a pointer sequence without fades: jumps seen in the frames.
std::vector<Op> ops_of_pointers(const std::vector<std::int64_t>& p) {
  std::vector<Op> result(p.size(), Op::copy);
  std::map<std::int64_t, int> used;
  std::int64_t previous = -1;  // last pointer that was a source
  bool first = true;
  for (std::size_t begin = 0; begin < p.size();) {
    if (p[begin] < 0) {
      ++begin;
      continue;
    }
    std::size_t end = begin + 1;
    while (end < p.size() && p[end] == p[end - 1] + 1) ++end;
    bool again = false;
    for (std::size_t t = begin; t < end; ++t) again = again || used.contains(p[t]);
    for (std::size_t t = begin; t < end; ++t) used[p[t]] = 1;
    const std::int64_t step = p[begin] - previous - 1;
    if (again || (!first && step < 0)) {
      result[end - 1] = Op::loop_end;
      result[begin] = Op::loop_start;
    }
    if (!first && step > 0) result[begin] = Op::skip;
    first = false;
    previous = p[end - 1];
    begin = end;
  }
  return result;
}

std::vector<int> codes(const std::vector<Op>& ops) {
  std::vector<int> result;
  for (Op op : ops) result.push_back(static_cast<int>(op));
  return result;
}

}  // namespace

TEST_CASE("pointers of any EDL follow the definition") {
  Rng rng(derive_seed(2, {"views/pointers"}));
  for (int i = 0; i < 20000; ++i) {
    const double rate = kRates[rng.below(std::size(kRates))];
    const Edl edl = random_edl(rng, rate);
    const TimeGrid raw = frame_grid(edl.sources[0].samples, rate);
    const TimeGrid out = frame_grid(edl.output_samples(), rate);
    REQUIRE(pointers(edl, out, raw) == pointers_by_definition(edl, out.rows, raw.rows));
  }
}

TEST_CASE("from_pointers gives back its pointers exactly") {
  Rng rng(derive_seed(3, {"views/from_pointers"}));
  for (int i = 0; i < 120000; ++i) {
    const double rate = kRates[rng.below(std::size(kRates))];
    // Recordings of a whole number of hops, give or take a sample, are the hard ones.
    std::int64_t samples = rng.integer(1, static_cast<std::int64_t>(rate * 2));
    if (rng.chance(0.5)) {
      const double hops = static_cast<double>(rng.integer(1, 60));
      samples = std::max<std::int64_t>(
          1, static_cast<std::int64_t>(hops * 256.0 * rate / 22050.0) + rng.integer(-2, 2));
    }
    const TimeGrid raw = frame_grid(samples, rate);
    const std::vector<std::int64_t> p = random_pointers(rng, raw.rows);
    if (p.empty()) continue;
    TimeGrid out;
    out.rows = static_cast<std::int64_t>(p.size());
    const Edl edl = from_pointers(p, source_of(samples, rate), out);
    INFO("rate " << rate << " samples " << samples << " case " << i);
    const std::vector<std::string> found = problems(edl);
    INFO((found.empty() ? "" : found.front()));
    REQUIRE(found.empty());
    REQUIRE(frame_grid(edl.output_samples(), rate).rows == out.rows);
    REQUIRE(pointers(edl, out, raw) == p);
    // At the recording's edges boundaries move: half frames are used again, or too few samples are.
    const bool at_edge = std::any_of(p.begin(), p.end(),
                                     [&](std::int64_t f) { return f == 0 || f >= raw.rows - 2; });
    if (!at_edge) REQUIRE(codes(ops(edl, out)) == codes(ops_of_pointers(p)));
  }
}

TEST_CASE("EDL to pointers to EDL keeps the pointers") {
  Rng rng(derive_seed(4, {"views/round"}));
  for (int i = 0; i < 20000; ++i) {
    const double rate = kRates[rng.below(std::size(kRates))];
    const Edl edl = random_edl(rng, rate);
    if (edl.segments.empty()) continue;
    const TimeGrid raw = frame_grid(edl.sources[0].samples, rate);
    const TimeGrid out = frame_grid(edl.output_samples(), rate);
    const auto p = pointers(edl, out, raw);
    REQUIRE(pointers(from_pointers(p, edl.sources[0], out), out, raw) == p);
  }
}

TEST_CASE("an identity EDL survives the way through pointers sample for sample") {
  Rng rng(derive_seed(5, {"views/identity"}));
  for (int i = 0; i < 2000; ++i) {
    const double rate = kRates[rng.below(std::size(kRates))];
    const Edl edl = identity_edl(source_of(rng.integer(1, 2000000), rate));
    const TimeGrid grid = frame_grid(edl.sources[0].samples, rate);
    const Edl back = from_pointers(pointers(edl, grid, grid), edl.sources[0], grid);
    REQUIRE(to_value(back) == to_value(edl));
  }
}

TEST_CASE("pointers outside the recording are refused") {
  const TimeGrid grid = frame_grid(44100, 44100);
  for (std::int64_t bad : {std::int64_t{-2}, grid.rows, std::int64_t{1} << 62}) {
    const std::vector<std::int64_t> p{0, bad};
    CHECK_THROWS_AS(from_pointers(p, source_of(44100, 44100), grid), DataError);
    CHECK_THROWS_AS(from_pointers(p, source_of(bad == grid.rows ? 44100 : -1, 44100), grid),
                    DataError);
  }
  CHECK_THROWS_AS(from_pointers(std::vector<std::int64_t>{0}, source_of(44100, 0), grid),
                  DataError);
}

TEST_CASE("a frame belongs to the run that its centre lies in") {
  // At 22,050 Hz a hop is 256 samples, so all can be seen by eye.
  Edl edl;
  edl.sources.push_back(source_of(256 * 100, 22050));
  edl.segments = {copy_of(0, 256), copy_of(256 * 10, 256 * 10 + 257), gap_of(255),
                  copy_of(256 * 5 + 100, 256 * 7)};
  // Starts 0, 256, 513, 768, 1180: frame 1 (256) is the second run's first, frame 2 (512) its last,
  // frame 3 (768) the last run's.
  const TimeGrid raw = frame_grid(25600, 22050);
  const TimeGrid out = frame_grid(edl.output_samples(), 22050);
  CHECK(out.rows == 5);
  CHECK(pointers(edl, out, raw) == std::vector<std::int64_t>{0, 10, 11, 5, 6});
  // One sample later for the gap's end and frame 3 is without source.
  edl.segments[2].gap = 256;
  CHECK(pointers(edl, out, raw) == std::vector<std::int64_t>{0, 10, 11, -1, 6});
}

TEST_CASE("the last frame belongs to the last run, beyond it there is none") {
  Edl edl;
  edl.sources.push_back(source_of(25600, 22050));
  edl.segments = {copy_of(2560, 2560 + 512)};
  const TimeGrid raw = frame_grid(25600, 22050);
  TimeGrid out = frame_grid(512, 22050);
  CHECK(pointers(edl, out, raw) == std::vector<std::int64_t>{10, 11, 12});
  out.rows = 5;
  CHECK(pointers(edl, out, raw) == std::vector<std::int64_t>{10, 11, 12, -1, -1});
  edl.segments = {copy_of(25600 - 256, 25600)};
  out.rows = 2;
  CHECK(pointers(edl, out, raw) == std::vector<std::int64_t>{99, 100});
  edl.segments = {gap_of(512)};
  CHECK(pointers(edl, out, raw) == std::vector<std::int64_t>{-1, -1});
  edl.segments.clear();
  CHECK(pointers(edl, out, raw) == std::vector<std::int64_t>{-1, -1});
}

TEST_CASE("speed and direction") {
  Edl edl;
  edl.sources.push_back(source_of(25600, 22050));
  edl.segments = {copy_of(2560, 2560 + 1024)};
  edl.segments[0].rate = 2.0;
  const TimeGrid raw = frame_grid(25600, 22050);
  const TimeGrid out = frame_grid(512, 22050);
  CHECK(edl.output_samples() == 512);
  CHECK(pointers(edl, out, raw) == std::vector<std::int64_t>{10, 12, 14});
  edl.segments[0].reverse = true;
  CHECK(pointers(edl, out, raw) == std::vector<std::int64_t>{14, 12, 10});
  edl.segments[0].rate = 1.0;
  CHECK(pointers(edl, frame_grid(1024, 22050), raw) ==
        std::vector<std::int64_t>{14, 13, 12, 11, 10});
}

TEST_CASE("ops by hand") {
  Edl edl;
  edl.sources.push_back(source_of(256 * 100, 22050));
  const auto frames = [](std::int64_t a, std::int64_t b) { return copy_of(a * 256, b * 256); };
  const auto op_codes = [&] { return codes(ops(edl, frame_grid(edl.output_samples(), 22050))); };
  // Start in the middle (no jump on the edit's first frame), forward, back, forward into used
  // material, one frame long.
  edl.segments = {frames(10, 13), frames(20, 23), frames(11, 14), frames(22, 23)};
  CHECK(op_codes() == std::vector<int>{0, 0, 0, 3, 0, 0, 1, 0, 2, 3, 2});
  // Back to unused material is a loop as well; a gap has no op, and going on behind it is no jump.
  edl.segments = {frames(10, 12), frames(2, 4), gap_of(512), frames(4, 6)};
  CHECK(op_codes() == std::vector<int>{0, 0, 1, 2, 0, 0, 0, 0, 0});
  // Fades, with SKIP before them; segments that go on are one run.
  edl.segments = {frames(0, 3), frames(3, 6), frames(8, 12)};
  edl.segments[0].fade_in.samples = 512;
  edl.segments[1].gain_db = -3.0;
  edl.segments[1].fade_out.samples = 512;
  edl.segments[2].fade_in.samples = 512;
  edl.segments[2].fade_out.samples = 256;
  CHECK(op_codes() == std::vector<int>{4, 4, 0, 0, 5, 5, 3, 4, 0, 5, 5});
  // A step of some samples is no jump.
  edl.segments = {copy_of(0, 1000), copy_of(1003, 2000)};
  CHECK(op_codes() == std::vector<int>(static_cast<std::size_t>(1 + 1997 / 256), 0));
  // Reversed material goes back.
  edl.segments = {frames(0, 3), frames(3, 6)};
  edl.segments[1].reverse = true;
  CHECK(op_codes() == std::vector<int>{0, 0, 0, 3, 0, 0, 2});
}

TEST_CASE("labels by hand") {
  Edl edl;
  edl.sources.push_back(source_of(256 * 12, 22050));
  const auto frames = [](std::int64_t a, std::int64_t b) { return copy_of(a * 256, b * 256); };
  const auto said = [&] {
    TimeGrid grid = frame_grid(256 * 12, 22050);
    grid.rows += 2;
    std::string text;
    for (Label l : labels(edl, grid)) text += static_cast<char>('0' + static_cast<int>(l));
    return text;
  };
  edl.segments = {frames(0, 4), frames(6, 8), frames(2, 4)};
  CHECK(said() ==
        "11220011000"
        "00"
        "77");
  edl.segments = {frames(8, 12)};  // the recording's last frame goes with its last sample
  CHECK(said() ==
        "00000000"
        "11111"
        "77");
  edl.segments = {frames(0, 4), frames(6, 10)};
  edl.segments[0].fade_in.samples = 256;
  edl.segments[1].fade_out.samples = 512;
  CHECK(said() ==
        "3111001144000"
        "77");
  edl.segments[0].join.samples = 512;  // one frame on either side of both places
  CHECK(said() ==
        "3116666144000"
        "77");
  // Loudness off the edit's own median, not off zero.
  edl.segments = {frames(0, 4), frames(6, 8)};
  edl.segments[0].gain_db = -6.0;
  edl.segments[1].gain_db = -5.0;
  CHECK(said() ==
        "1111005500000"
        "77");
  edl.segments[1].gain_db = -5.1;
  CHECK(said() ==
        "1111001100000"
        "77");
  edl.segments[1].gain_db = -6.0;
  edl.segments[1].gain_curve = {{0, -6.0}, {255, -6.0}, {256, 0.0}};
  CHECK(said() ==
        "1111001500000"
        "77");
  // Equaliser by band, other effects by presence.
  edl.segments = {frames(0, 4), frames(6, 8)};
  EdlEffect shelf{"low_shelf", {}};
  shelf.params["gain_db"] = 1.4;
  edl.segments[1].effects = {shelf};
  CHECK(said() ==
        "1111001100000"
        "77");
  edl.segments[1].effects[0].params["gain_db"] = 1.5;
  CHECK(said() ==
        "1111005500000"
        "77");
  edl.segments[1].effects = {EdlEffect{"reverb", {}}};
  CHECK(said() ==
        "1111005500000"
        "77");
  edl.segments[0].effects = {EdlEffect{"reverb", {}}};
  CHECK(said() ==
        "1111001100000"
        "77");
}

TEST_CASE("a raw frame is labelled CUT exactly when no pointer leads to it") {
  Rng rng(derive_seed(6, {"views/labels"}));
  for (int i = 0; i < 5000; ++i) {
    const double rate = kRates[rng.below(std::size(kRates))];
    const std::int64_t samples = rng.integer(static_cast<std::int64_t>(rate), 2 * 96000);
    const TimeGrid raw = frame_grid(samples, rate);
    std::vector<std::int64_t> p = random_pointers(rng, raw.rows);
    // Boundaries that had to move to the recording's start or end may fall on a centre.
    std::erase_if(p, [&](std::int64_t f) { return f == 0 || f >= raw.rows - 2; });
    if (p.empty()) continue;
    TimeGrid out;
    out.rows = static_cast<std::int64_t>(p.size());
    const auto found = labels(from_pointers(p, source_of(samples, rate), out), raw);
    std::vector<Label> expected(found.size(), Label::cut);
    for (std::int64_t f : p) {
      Label& label = expected[static_cast<std::size_t>(std::max<std::int64_t>(f, 0))];
      if (f >= 0) label = label == Label::cut ? Label::keep : Label::loop;
    }
    INFO("case " << i);
    REQUIRE((found == expected));
  }
}
