// Measures against values worked out by hand.

#include "edit/metrics.hpp"

#include <cmath>

#include "catch.hpp"
#include "edl_support.hpp"

using namespace retake;
using namespace retake::edit;
using namespace retake::testing;

namespace {

constexpr double kRate = 22050;

/// Segments in seconds over a recording of `seconds`.
Edl edl_of(double seconds, const std::vector<std::pair<double, double>>& ranges) {
  Edl edl;
  edl.sources.push_back(source_of(static_cast<std::int64_t>(seconds * kRate), kRate));
  for (const auto& [begin, end] : ranges) {
    edl.segments.push_back(
        copy_of(static_cast<std::int64_t>(begin * kRate), static_cast<std::int64_t>(end * kRate)));
  }
  return edl;
}

Metrics measure(const Edl& truth, const Edl& edit, std::span<const MaterialRange> material = {}) {
  return edit_metrics(truth, edit, truth.sources[0].samples, material);
}

/// Size of the largest matching, by trying everything.
int brute_force(const std::vector<Jump>& a, const std::vector<Jump>& b, double tolerance,
                std::size_t i = 0, unsigned taken = 0) {
  if (i == a.size()) return 0;
  int best = brute_force(a, b, tolerance, i + 1, taken);
  for (std::size_t j = 0; j < b.size(); ++j) {
    const bool near = std::abs(a[i].leave - b[j].leave) <= tolerance &&
                      std::abs(a[i].enter - b[j].enter) <= tolerance;
    if (near && (taken & (1u << j)) == 0) {
      best = std::max(best, 1 + brute_force(a, b, tolerance, i + 1, taken | (1u << j)));
    }
  }
  return best;
}

}  // namespace

TEST_CASE("matching is one to one and the largest there is") {
  CHECK(match_places({1.0, 1.4}, {1.2, 0.6}, 0.5).hits == 2);  // nearest first would find one
  CHECK(match_places({1.0}, {1.0, 1.1, 0.9}, 0.5).hits == 1);
  CHECK(match_places({1.0}, {1.51}, 0.5).hits == 0);
  CHECK(match_places({}, {}, 0.5).f1() == 1.0);
  CHECK(match_places({1.0}, {}, 0.5).f1() == 0.0);
  CHECK(match_places({1.0, 2.0, 3.0}, {1.0, 9.0}, 0.1).f1() == Approx(2.0 / 5.0));
  Rng rng(derive_seed(11, {"metrics/matching"}));
  for (int i = 0; i < 3000; ++i) {
    std::vector<Jump> a(rng.below(6));
    std::vector<Jump> b(rng.below(7));
    std::vector<double> x;
    std::vector<double> y;
    for (Jump& j : a) j = {rng.uniform(0, 3), rng.uniform(0, 2)};
    for (Jump& j : b) j = {rng.uniform(0, 3), rng.uniform(0, 2)};
    REQUIRE(match_jumps(a, b, 0.5).hits == brute_force(a, b, 0.5));
    for (Jump& j : a) x.push_back(j.leave), j.enter = 0;
    for (Jump& j : b) y.push_back(j.leave), j.enter = 0;
    REQUIRE(match_places(x, y, 0.5).hits == brute_force(a, b, 0.5));
  }
}

TEST_CASE("edit points: enters and leaves apart, the recording's ends left out") {
  // Truth: enter at 0 (start: not counted), leave 10, enter 20, leave 30, enter 50, leave 60 (end).
  const Edl truth = edl_of(60, {{0, 10}, {20, 30}, {50, 60}});
  CHECK(measure(truth, truth).at("edit_f1") == 1.0);
  // leave 10.3 hits, enter 20.6 misses, leave 30 hits; its end 59 is a point, enter 50 hits.
  const Metrics m = measure(truth, edl_of(60, {{0, 10.3}, {20.6, 30}, {50, 59}}));
  CHECK(m.at("edit_precision") == Approx(3.0 / 5.0));
  CHECK(m.at("edit_recall") == Approx(3.0 / 4.0));
  CHECK(m.at("edit_f1") == Approx(6.0 / 9.0));
  CHECK(m.at("edit_f1_0.1s") == Approx(4.0 / 9.0));
  CHECK(m.at("edit_f1_0.05s") == Approx(4.0 / 9.0));
  CHECK(m.at("edit_f1_3s") == Approx(8.0 / 9.0));
  // An enter where the truth leaves is no hit.
  const Metrics swapped = measure(edl_of(60, {{0, 10}}), edl_of(60, {{10, 60}}));
  CHECK(swapped.at("edit_f1") == 0.0);
  // Keeping all has no points: recall 0, precision unknown.
  const Metrics all = measure(truth, identity_edl(truth.sources[0]));
  CHECK(all.at("edit_f1") == 0.0);
  CHECK(all.count("edit_precision") == 0);
  CHECK(measure(identity_edl(truth.sources[0]), identity_edl(truth.sources[0])).at("edit_f1") ==
        1.0);
  // Neighbours that go on, whatever their gain, are one run.
  Edl split = edl_of(60, {{0, 5}, {5, 10}, {20, 30}, {50, 60}});
  split.segments[1].gain_db = -3.0;
  CHECK(measure(truth, split).at("edit_f1") == 1.0);
}

TEST_CASE("jumps by class") {
  // Leaves 10 for 20 (adjacent), 30 for 50 (over used material? no: adjacent), 60 for 5 (back).
  const Edl truth = edl_of(100, {{0, 10}, {20, 30}, {50, 60}, {5, 8}});
  const Metrics same = measure(truth, truth);
  CHECK(same.at("jump_f1") == 1.0);
  CHECK(same.at("jump_f1_adjacent") == 1.0);
  CHECK(same.at("jump_f1_forward") == 1.0);
  CHECK(same.at("jump_f1_backward") == 1.0);
  // One of two forward jumps, no backward one.
  const Metrics m = measure(truth, edl_of(100, {{0, 10}, {20, 30}}));
  CHECK(m.at("jump_f1") == Approx(2.0 / 4.0));
  CHECK(m.at("jump_f1_forward") == Approx(2.0 / 3.0));
  CHECK(m.at("jump_f1_backward") == 0.0);
  // Both ends must lie within the tolerance.
  const Metrics off = measure(edl_of(100, {{0, 10}, {20, 30}}), edl_of(100, {{0, 10}, {21, 30}}));
  CHECK(off.at("jump_f1") == 0.0);
  CHECK(off.count("jump_f1_backward") == 0);
  // A forward jump over material that is used later is not adjacent.
  const Edl order = edl_of(100, {{0, 10}, {50, 60}, {20, 30}});
  const Metrics o = measure(edl_of(100, {{0, 10}, {50, 60}}), order);
  CHECK(o.at("jump_f1_forward") == 1.0);
  CHECK(o.at("jump_f1_adjacent") == 0.0);
}

TEST_CASE("kept time, lengths, contiguity, order") {
  const Edl truth = edl_of(100, {{0, 10}, {20, 40}});
  const Edl edit = edl_of(100, {{5, 10}, {30, 50}});
  const Metrics m = measure(truth, edit);
  CHECK(m.at("kept_iou") == Approx(15.0 / 40.0));
  CHECK(m.at("keep_ratio") == Approx(0.25));
  CHECK(m.at("keep_ratio_error") == Approx(0.05));
  CHECK(m.at("length_error") == Approx(5.0 / 30.0));
  CHECK(m.at("segments_per_minute") == Approx(2.0 / (25.0 / 60.0)));
  CHECK(m.at("segments_per_minute_truth") == Approx(4.0));
  const double frames = static_cast<double>(frame_grid(edit.output_samples(), kRate).rows);
  CHECK(m.at("contiguity") == Approx((frames - 2) / (frames - 1)));
  CHECK(m.at("order_tau") == 1.0);
  // Material used twice counts once for the union.
  CHECK(measure(edl_of(10, {{0, 5}}), edl_of(10, {{0, 5}, {0, 5}})).at("kept_iou") == 1.0);
  // Two halves the other way round: all pairs across are turned, n^2/2 of n(n-1)... of 2n frames.
  const Edl ab = edl_of(100, {{0, 20}, {40, 60}});
  const Edl ba = edl_of(100, {{40, 60}, {0, 20}});
  CHECK(measure(ab, ba).at("order_tau") == Approx(0.0).margin(0.01));
  // Nothing at all.
  const Metrics none = measure(truth, edl_of(100, {}));
  CHECK(none.at("kept_iou") == 0.0);
  CHECK(none.at("length_error") == 1.0);
  CHECK(none.count("contiguity") == 0);
}

TEST_CASE("accuracy per kind of material") {
  const Edl truth = edl_of(100, {{0, 40}});
  const Edl edit = edl_of(100, {{10, 50}});
  const auto at = [](double s) { return static_cast<std::int64_t>(s * kRate); };
  const std::vector<MaterialRange> material{{at(0), at(40), "kept"},
                                            {at(40), at(60), "talk"},
                                            {at(60), at(80), "silence"},
                                            {at(80), at(100), "talk"}};
  const Metrics m = measure(truth, edit, material);
  CHECK(m.at("accuracy/kept") == Approx(0.75));
  CHECK(m.at("accuracy/talk") == Approx(0.75));  // 10 of 40 seconds wrongly kept
  CHECK(m.at("accuracy/silence") == 1.0);
}

TEST_CASE("cuts are starts of runs, close ones one cut or none") {
  const auto frames = [](std::int64_t a, std::int64_t b) { return copy_of(a * 256, b * 256); };
  Edl edl;
  edl.sources.push_back(source_of(256 * 10000, kRate));
  const auto in_frames = [&] {
    std::vector<double> result;
    for (double s : cut_times(edl)) result.push_back(s * kRate / 256);
    return result;
  };
  const auto close = [](const std::vector<double>& a, const std::vector<double>& b) {
    bool same = a.size() == b.size();
    for (std::size_t i = 0; same && i < a.size(); ++i) same = std::abs(a[i] - b[i]) < 1e-6;
    return same;
  };
  edl.segments = {frames(100, 200), frames(300, 400), frames(50, 80)};
  CHECK(close(in_frames(), {100, 200}));
  // Steps at 100 and 104: one cut at 102.
  edl.segments = {frames(100, 200), frames(300, 304), frames(500, 600)};
  CHECK(close(in_frames(), {102}));
  // The same, back on the line it left: no cut.
  edl.segments = {frames(100, 200), frames(300, 304), frames(204, 300)};
  CHECK(close(in_frames(), {}));
  // Five frames apart: two cuts.
  edl.segments = {frames(100, 200), frames(300, 305), frames(205, 300)};
  CHECK(close(in_frames(), {100, 105}));
  // Steps at 100, 104, 108 are a group of nine frames; the one at 112 begins another.
  edl.segments = {frames(100, 200), frames(300, 304), frames(400, 404), frames(500, 504),
                  frames(600, 700)};
  CHECK(close(in_frames(), {104, 112}));
  // A gap: the start of the run behind it; a small hole on one line is none.
  edl.segments = {frames(100, 200), gap_of(256 * 50), frames(300, 400)};
  CHECK(close(in_frames(), {150}));
  edl.segments = {frames(100, 200), gap_of(256 * 3), frames(203, 400)};
  CHECK(close(in_frames(), {}));
  edl.segments = {gap_of(2560), frames(100, 200)};
  CHECK(close(in_frames(), {10}));
  edl.segments.clear();
  CHECK(in_frames().empty());
}

TEST_CASE("alignment accuracy leaves out joins, and counts inserted frames apart") {
  const auto frames = [](std::int64_t a, std::int64_t b) { return copy_of(a * 256, b * 256); };
  Edl truth;
  truth.sources.push_back(source_of(256 * 1000, kRate));
  truth.segments = {frames(0, 100), frames(200, 300), gap_of(25600)};
  const TimeGrid raw = frame_grid(256 * 1000, kRate);
  const TimeGrid grid = frame_grid(truth.output_samples(), kRate);
  REQUIRE(grid.rows == 301);
  Metrics m = alignment_metrics(truth, truth, grid, raw);
  CHECK(m.at("accuracy_0") == 1.0);
  CHECK(m.at("inserted_precision") == 1.0);
  CHECK(m.at("inserted_recall") == 1.0);
  CHECK(m.at("cut_f1_1frame") == 1.0);
  CHECK(m.count("exact_repeats") == 0);
  // The second run one frame late, the gap begun ten frames early. Frames 0..97 and 103..197 count
  // (98..102 and 198..202 are near joins): 98 and 95, of the latter 103..189 found one frame off
  // and 190..197 not found.
  Edl found = truth;
  found.segments = {frames(0, 100), frames(201, 291), gap_of(25600 + 2560)};
  m = alignment_metrics(truth, found, grid, raw);
  CHECK(m.at("accuracy_0") == Approx(98.0 / 193.0));
  CHECK(m.at("accuracy_1") == Approx(185.0 / 193.0));
  CHECK(m.at("accuracy_4") == Approx(185.0 / 193.0));
  CHECK(m.at("inserted_recall") == 1.0);
  CHECK(m.at("inserted_precision") == Approx(101.0 / 111.0));
  CHECK(m.at("cut_f1_1frame") == 1.0);
  // A join three frames off is not within one frame, but within 50 ms.
  found.segments = {frames(0, 103), frames(203, 300), gap_of(25600)};
  m = alignment_metrics(truth, found, grid, raw);
  CHECK(m.at("accuracy_0") == 1.0);  // it lies in the frames left out
  CHECK(m.at("cut_f1_1frame") == 0.0);
  CHECK(m.at("cut_f1_50ms") == 1.0);
}

TEST_CASE("exact repeats count as right and are counted apart") {
  // Frames 0..99 come again as 500..599, but for band 1 that is 2 dB (of 80) louder in half of
  // them.
  const std::int64_t columns = 2;
  std::vector<float> mel(1000 * columns);
  Rng rng(5);
  for (float& v : mel) v = static_cast<float>(rng.uniform());
  for (std::int64_t t = 0; t < 100; ++t) {
    for (std::int64_t c = 0; c < columns; ++c) {
      mel[static_cast<std::size_t>((500 + t) * columns + c)] =
          mel[static_cast<std::size_t>(t * columns + c)] +
          (t >= 50 && c == 1 ? 4.0F / 80.0F : 0.0F);
    }
  }
  const RepeatFinder repeats(mel.data(), 1000, columns, 80.0);
  CHECK(repeats.is_repeat(20, 520));
  CHECK(repeats.is_repeat(0, 500));         // at the edge as many frames as both have
  CHECK_FALSE(repeats.is_repeat(80, 580));  // 4 dB in one of two bands: 2 dB on average
  CHECK_FALSE(repeats.is_repeat(20, 530));
  CHECK_FALSE(repeats.is_repeat(20, 40));  // too near
  CHECK_FALSE(repeats.is_repeat(20, 5000));
  Edl truth = edl_of(10, {});
  truth.segments = {copy_of(20 * 256, 40 * 256)};
  Edl found = truth;
  found.segments = {copy_of(520 * 256, 540 * 256)};
  const TimeGrid raw = frame_grid(1000 * 256 - 1, kRate);
  const TimeGrid grid = frame_grid(20 * 256, kRate);
  CHECK(alignment_metrics(truth, found, grid, raw).at("accuracy_4") == 0.0);
  const Metrics m = alignment_metrics(truth, found, grid, raw, &repeats);
  CHECK(m.at("accuracy_0") == 1.0);
  CHECK(m.at("exact_repeats") == 1.0);
}

TEST_CASE("the bootstrap interval") {
  CHECK(bootstrap_ci95(std::vector<double>{0.7}, 1).low == 0.7);
  CHECK(bootstrap_ci95(std::vector<double>{0.7}, 1).high == 0.7);
  Rng rng(12);
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(rng.normal(5.0, 2.0));
  const Interval ci = bootstrap_ci95(values, 3);
  // The normal interval of the mean is +- 1.96 * 2 / 20 = 0.196.
  CHECK(ci.high - ci.low == Approx(0.392).epsilon(0.15));
  CHECK(ci.low < 5.1);
  CHECK(ci.high > 4.9);
  const Interval again = bootstrap_ci95(values, 3);
  CHECK(again.low == ci.low);
  CHECK(again.high == ci.high);
  CHECK(bootstrap_ci95(values, 4).low != ci.low);
}

TEST_CASE("a table of songs") {
  const Value table = aggregate({{"a", {{"f1", 0.5}, {"rare", 1.0}}}, {"b", {{"f1", 1.0}}}});
  const Table& f1 = table.as_table().at("f1").as_table();
  CHECK(f1.at("mean").as_double() == 0.75);
  CHECK(f1.at("per_song").as_table().at("b").as_double() == 1.0);
  CHECK(f1.at("ci95").as_array().at(0).as_double() == 0.5);
  CHECK(f1.at("ci95").as_array().at(1).as_double() == 1.0);
  CHECK(table.as_table().at("rare").as_table().at("per_song").as_table().size() == 1);
  CHECK(aggregate({}).as_table().empty());
}
