// The EDL as a value and as a file.

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "core/files.hpp"
#include "edl_support.hpp"
#include "retake/error.hpp"

using namespace retake;
using namespace retake::testing;

namespace {

/// The messages of the DataError that reading `text` as an EDL throws; empty when it is accepted.
std::string complaint(const std::string& text) {
  try {
    edl_from_value(parse_json(text, "x.edl.json"), "x.edl.json");
  } catch (const DataError& e) {
    std::string all;
    for (const Diagnostic& d : e.diagnostics()) {
      CHECK(d.place.has_value());
      CHECK(d.place->file == "x.edl.json");
      CHECK_FALSE(d.help.empty());
      all += d.message + "\n";
    }
    CHECK(e.code() == ExitCode::data);
    return all;
  }
  return {};
}

std::string with_segment(const std::string& segment) {
  return R"({"schema":"retake.edl/1","sources":[{"path":"a.wav","samples":1000}],"segments":[)" +
         segment + "]}";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a segment of begin and end alone is whole and neutral") {
  const Edl edl = edl_from_value(parse_json(with_segment(R"({"begin":0,"end":441})"), "x"), "x");
  REQUIRE(edl.segments.size() == 1);
  const Segment& s = edl.segments[0];
  CHECK(s.is_unity());
  CHECK(s.source == 0);
  CHECK(s.op == Op::copy);
  CHECK(s.confidence == 1.0);
  CHECK(s.join.samples == 0);
  CHECK(s.output_samples() == 441);
  CHECK(edl.output_samples() == 441);
}

TEST_CASE("the documented example reads") {
  const std::string text = R"({"schema": "retake.edl/1",
    "sources": [{"path": "raw.wav", "sample_rate": 44100, "channels": 2, "samples": 79380000}],
    "segments": [{"source": 0, "begin": 441000, "end": 1323000, "op": "COPY", "gain_db": -1.5,
      "fade_in": {"samples": 2205, "curve": "linear"},
      "fade_out": {"samples": 0, "curve": "equal_power"}, "rate": 1.0, "pitch": 0.0,
      "reverse": false, "effects": [{"plugin": "low_shelf", "gain_db": 3.0}],
      "join": {"samples": 1323, "curve": "equal_power"}, "confidence": 0.98}, {"gap": 22050}]})";
  const Edl edl = edl_from_value(parse_json(text, "x"), "x");
  REQUIRE(edl.segments.size() == 2);
  CHECK(edl.segments[0].effects.at(0).params.at("gain_db").as_double() == 3.0);
  CHECK(edl.segments[0].fade_in.samples == 2205);
  CHECK(edl.segments[0].join.samples == 1323);
  CHECK(edl.segments[1].is_gap());
  CHECK(edl.output_samples() == 882000 + 22050);
  CHECK(edl.output_starts() == std::vector<std::int64_t>{0, 882000, 904050});
}

TEST_CASE("any EDL survives JSON and the disk") {
  Rng rng(derive_seed(1, {"edl/json"}));
  const Scratch scratch("json");
  for (int i = 0; i < 3000; ++i) {
    const Edl edl = random_edl(rng, 44100);
    REQUIRE(problems(edl).empty());
    const Value value = to_value(edl);
    const Edl back = edl_from_value(parse_json(to_json(value), "x"), "x");
    REQUIRE(to_value(back) == value);
    if (i % 100 == 0) {
      write_edl(edl, scratch / "é dit.edl.json");
      REQUIRE(to_value(read_edl(scratch / "é dit.edl.json")) == value);
    }
  }
}

TEST_CASE("what an EDL file gets wrong is named with its segment") {
  const auto bad = [](const std::string& segment, const std::string& expected) {
    const std::string said = complaint(with_segment(R"({"begin":0,"end":9},)" + segment));
    INFO(segment << " -> " << said);
    CHECK(contains(said, "segments[1]"));
    CHECK(contains(said, expected));
  };
  bad(R"({"begin":0,"end":10,"gian_db":1})", "did you mean `gain_db`");
  bad(R"({"begin":0})", "needs `begin` and `end`, or `gap`");
  bad(R"({"begin":0,"end":1001})", "outside the source, which has 1000 samples");
  bad(R"({"begin":-1,"end":10})", "negative");
  bad(R"({"begin":10,"end":10})", "empty");
  bad(R"({"begin":0.5,"end":10})", "whole number");
  bad(R"({"begin":0,"end":1e300})", "whole number");
  bad(R"({"begin":"0","end":10})", "whole number");
  bad(R"({"begin":0,"end":10,"gain_db":"NaN"})", "finite number");
  bad(R"({"begin":0,"end":10,"gain_db":[]})", "at least one point");
  bad(R"({"begin":0,"end":10,"gain_db":[[5,0],[5,1]]})", "ascend");
  bad(R"({"begin":0,"end":10,"gain_db":[[11,0]]})", "inside the segment");
  bad(R"({"begin":0,"end":10,"gain_db":[[1]]})", "pair [sample, dB]");
  bad(R"({"begin":0,"end":10,"fade_in":{"samples":11}})", "0..10 samples");
  bad(R"({"begin":0,"end":10,"fade_in":{"samples":-1}})", "0..10 samples");
  bad(R"({"begin":0,"end":10,"fade_in":{"samples":1,"curve":"cubic"}})", "equal_power");
  bad(R"({"begin":0,"end":10,"rate":0})", "[0.01, 100]");
  bad(R"({"begin":0,"end":10,"reverse":1})", "true or false");
  bad(R"({"begin":0,"end":10,"op":"STOP"})", "LOOP_START");
  bad(R"({"begin":0,"end":10,"confidence":1.5})", "[0, 1]");
  bad(R"({"begin":0,"end":10,"source":1})", "no source 1");
  bad(R"({"begin":0,"end":10,"source":-1})", "out of range");
  bad(R"({"begin":0,"end":10,"effects":[{"gain_db":1}]})", "needs `plugin`");
  bad(R"({"begin":0,"end":10,"join":{"samples":-5}})", "join");
  bad(R"({"gap":0})", "1..2^46");
  bad(R"({"gap":10,"begin":0,"end":3})", "unknown key `begin`");
  bad("7", "must be an object");
}

TEST_CASE("what is wrong around the segments is named too, all of it at once") {
  CHECK(contains(complaint("[]"), "must be a JSON object"));
  CHECK(contains(complaint("{}"), "schema: is missing"));
  CHECK(contains(complaint(R"({"schema":"retake.edl/2"})"), "retake.edl/2"));
  CHECK(contains(complaint(R"({"schema":"retake.edl/1","sources":[]})"), "segments: is missing"));
  CHECK(contains(complaint(R"({"schema":"retake.edl/1","sources":[],"segments":[]})"),
                 "there is none"));
  CHECK(contains(complaint(R"({"schema":"retake.edl/1","sources":[{}],"segments":[]})"),
                 "sources[0].path: is missing"));
  CHECK(contains(complaint(R"({"schema":"retake.edl/1","x":1,"sources":[{"path":"a"}],
                               "segments":[]})"),
                 "unknown key `x`"));
  const std::string two =
      complaint(R"({"schema":"retake.edl/1","sources":[{"path":"a","sample_rate":44100},
                   {"path":"b","sample_rate":48000,"channels":0}],"segments":[{"begin":1}]})");
  CHECK(contains(two, "sources[1].channels"));
  CHECK(contains(two, "segments[0]"));
  CHECK(contains(complaint(R"({"schema":"retake.edl/1","sources":[{"path":"a","sample_rate":44100},
                   {"path":"b","sample_rate":48000}],"segments":[]})"),
                 "one rate"));
  const std::string both = complaint(with_segment(
      R"({"begin":0,"end":9,"gian_db":1},{"begin":0,"end":9000},{"begin":"x","end":0})"));
  CHECK(contains(both, "segments[0]: unknown key"));
  CHECK(contains(both, "segments[1]: the range"));
  CHECK(contains(both, "segments[2].begin"));
  CHECK_FALSE(contains(both, "segments[2]: the range"));
  CHECK_THROWS_AS(parse_json("{\"schema\": NaN}", "x"), DataError);
  CHECK_THROWS_AS(read_edl("/nowhere/at all.json"), DataError);
}

TEST_CASE("sums that would overflow are problems") {
  Edl edl;
  edl.sources.push_back(source_of(-1, 44100));
  for (int i = 0; i < 3; ++i) edl.segments.push_back(gap_of(std::int64_t{1} << 45));
  CHECK(problems(edl).size() == 1);
  edl.segments = {copy_of(0, std::numeric_limits<std::int64_t>::max())};
  CHECK_FALSE(problems(edl).empty());
  edl.segments = {copy_of(0, 10)};
  edl.segments[0].gain_db = std::nan("");
  CHECK(problems(edl).size() == 1);
  edl.segments[0].gain_db = 0.0;
  edl.segments[0].rate = std::numeric_limits<double>::infinity();
  CHECK(problems(edl).size() == 1);
}

TEST_CASE("an unsound EDL is not written") {
  const Scratch scratch("unsound");
  Edl edl;
  edl.sources.push_back(source_of(100, 44100));
  edl.segments.push_back(copy_of(50, 150));
  CHECK_THROWS_AS(write_edl(edl, scratch / "a.json"), DataError);
  CHECK_FALSE(std::filesystem::exists(scratch / "a.json"));
}

TEST_CASE("a segment lasts floor((end - begin) / rate + 1/2)") {
  Segment s = copy_of(0, 10);
  s.rate = 4.0;
  CHECK(s.output_samples() == 3);  // 2.5 + 0.5
  s.rate = 3.0;
  CHECK(s.output_samples() == 3);
  s.rate = 0.5;
  CHECK(s.output_samples() == 20);
  CHECK(gap_of(7).output_samples() == 7);
}

TEST_CASE("contiguous neighbours become one, and only they") {
  Edl edl;
  edl.sources.push_back(source_of(1000, 44100));
  edl.segments = {copy_of(0, 10), copy_of(10, 30), copy_of(31, 40), gap_of(3), gap_of(4)};
  edl.segments[0].fade_in.samples = 5;
  edl.segments[1].fade_out.samples = 6;
  edl.segments[1].join.samples = 8;
  edl.segments[1].confidence = 0.25;
  merge_contiguous(edl);
  REQUIRE(edl.segments.size() == 3);
  CHECK(edl.segments[0].begin == 0);
  CHECK(edl.segments[0].end == 30);
  CHECK(edl.segments[0].fade_in.samples == 5);
  CHECK(edl.segments[0].fade_out.samples == 6);
  CHECK(edl.segments[0].join.samples == 8);
  CHECK(edl.segments[0].confidence == Approx(0.5));
  CHECK(edl.segments[2].gap == 7);

  edl.segments = {copy_of(20, 30), copy_of(10, 20)};
  edl.segments[0].reverse = edl.segments[1].reverse = true;
  merge_contiguous(edl);
  REQUIRE(edl.segments.size() == 1);
  CHECK(edl.segments[0].begin == 10);
  CHECK(edl.segments[0].end == 30);

  const auto stays = [&](auto change) {
    edl.segments = {copy_of(0, 10), copy_of(10, 20)};
    change(edl.segments[0], edl.segments[1]);
    merge_contiguous(edl);
    CHECK(edl.segments.size() == 2);
  };
  stays([](Segment& a, Segment&) { a.join.samples = 1; });
  stays([](Segment& a, Segment&) { a.fade_out.samples = 1; });
  stays([](Segment&, Segment& b) { b.fade_in.samples = 1; });
  stays([](Segment&, Segment& b) { b.gain_db = 1.0; });
  stays([](Segment& a, Segment& b) { a.rate = b.rate = 1.5; });
  stays([](Segment& a, Segment&) { a.effects.push_back({"reverb", {}}); });
}

TEST_CASE("the identity EDL is the whole source") {
  const Edl edl = identity_edl(source_of(12345, 48000));
  REQUIRE(edl.segments.size() == 1);
  CHECK(edl.segments[0].is_unity());
  CHECK(edl.output_samples() == 12345);
  CHECK(problems(edl).empty());
}
