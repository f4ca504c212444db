#include "catch.hpp"
#include "retake/edit/metrics.hpp"

using namespace retake;

namespace {

Edl edl_of(std::initializer_list<std::pair<double, double>> seconds, double rate = 1000) {
  Edl edl;
  EdlSource source;
  source.sample_rate = rate;
  edl.sources.push_back(source);
  for (const auto& [begin, end] : seconds) {
    Segment s;
    s.begin = static_cast<std::int64_t>(begin * rate);
    s.end = static_cast<std::int64_t>(end * rate);
    edl.segments.push_back(s);
  }
  return edl;
}

}  // namespace

TEST_CASE("an edit compared with itself is right in everything") {
  const Edl edl = edl_of({{5, 20}, {40, 50}, {30, 35}});
  const EditComparison c = compare_edits(edl, edl, 100000, 1000);
  CHECK(c.points.f1() == 1.0);
  CHECK(c.points.truth == 6);
  CHECK(c.jumps.f1() == 1.0);
  CHECK(c.forward_jumps.truth == 1);
  CHECK(c.backward_jumps.truth == 1);
  CHECK(c.kept_iou == Approx(1.0));
  CHECK(c.length_error == 0.0);
  CHECK(c.keep_ratio == Approx(0.3));
}

TEST_CASE("points count within the tolerance, by kind, and not at the ends") {
  const Edl truth = edl_of({{0, 20}, {40, 100}});
  CHECK(compare_edits(truth, truth, 100000, 1000).points.truth == 2);
  const Edl near = edl_of({{0, 20.4}, {39, 100}}, 2000);  // another rate of the same recording
  const EditComparison c = compare_edits(near, truth, 100000, 1000);
  CHECK(c.points.matched == 1);
  CHECK(c.jumps.matched == 0);
  CHECK(c.kept_iou == Approx(80.0 / 81.4));
  // Entering where the truth leaves is not the same point.
  const EditComparison swapped = compare_edits(edl_of({{20, 40}}), truth, 100000, 1000);
  CHECK(swapped.points.matched == 0);
  CHECK(swapped.kept_iou == 0.0);
}

TEST_CASE("contiguous segments are one run, and matching is one to one") {
  const Edl truth = edl_of({{10, 20}, {20, 30}});
  CHECK(compare_edits(edl_of({{10, 30}}), truth, 100000, 1000).points.f1() == 1.0);
  const Edl many = edl_of({{10, 10.1}, {10.2, 10.3}, {10.4, 30}});
  const EditComparison c = compare_edits(many, truth, 100000, 1000);
  CHECK(c.points.matched == 2);
  CHECK(c.points.found == 6);
  CHECK(compare_edits(edl_of({}), truth, 100000, 1000).points.f1() == 0.0);
}
