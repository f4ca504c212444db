// `retake render` and `retake edl` from outside: files, exit codes, what errors name.

#include "catch.hpp"
#include "core/files.hpp"
#include "data/npy.hpp"
#include "retake_in.hpp"
#include "unit/edit/audio_support.hpp"

using namespace retake;
using namespace retake::testing;

namespace {

std::string edl_text(const std::string& segments) {
  return R"({"schema":"retake.edl/1","sources":[{"path":"räw 1.wav"}],"segments":[)" + segments +
         "]}";
}

}  // namespace

TEST_CASE("render and edl over files with spaces and Unicode") {
  const Scratch scratch("cli");
  write_wave(scratch / "räw 1.wav", format_of("wav", "pcm_24", 2, 48000), 96000, noise(1));
  write_text(scratch / "my song.v2.edl.json",
             edl_text(R"({"begin":0,"end":24000},{"begin":48000,"end":72000},{"gap":4800})"));

  SECTION("render writes beside the EDL, copies and says so") {
    const Result r = retake_in(scratch, "render 'my song.v2.edl.json' --json --quiet");
    INFO(r.text);
    REQUIRE(r.code == 0);
    const Table report = parse_json(r.text, "x").as_table();
    CHECK(report.at("output").as_string() == "my song.v2_edited.wav");
    CHECK(report.at("copied").as_int() == 48000);
    const auto raw = samples_of(scratch / "räw 1.wav");
    const auto got = samples_of(scratch / "my song.v2_edited.wav");
    REQUIRE(got.size() == 2 * 52800);
    CHECK(std::equal(got.begin(), got.begin() + 48000, raw.begin()));
    CHECK(std::equal(got.begin() + 48000, got.begin() + 96000, raw.begin() + 96000));
    CHECK(retake_in(scratch, "render 'my song.v2.edl.json' -o a.flac").code == 0);
    CHECK((samples_of(scratch / "a.flac") == got));
    std::filesystem::rename(scratch / "räw 1.wav", scratch / "moved.wav");
    CHECK(retake_in(scratch, "render 'my song.v2.edl.json' -o b.wav").code == 5);
    CHECK(retake_in(scratch, "render 'my song.v2.edl.json' -o b.wav --source moved.wav").code == 0);
    CHECK((samples_of(scratch / "b.wav") == got));
  }

  SECTION("convert goes to arrays and back") {
    const std::string words = "edl convert 'my song.v2.edl.json' s_pointers.npy";
    REQUIRE(retake_in(scratch, words).code == 0);
    CHECK(std::filesystem::exists(scratch / "s_ops.npy"));
    CHECK(retake_in(scratch, "edl convert s_pointers.npy back.edl.json").code == 2);
    REQUIRE(
        retake_in(scratch, "edl convert s_pointers.npy back.edl.json --source 'räw 1.wav'").code ==
        0);
    REQUIRE(retake_in(scratch, "edl convert back.edl.json t_pointers.npy").code == 0);
    CHECK(read_file(scratch / "s_pointers.npy") == read_file(scratch / "t_pointers.npy"));
    CHECK(read_file(scratch / "s_ops.npy") == read_file(scratch / "t_ops.npy"));
    const Result same = retake_in(scratch, "edl diff back.edl.json back.edl.json --json");
    CHECK(parse_json(same.text, "x").as_table().at("equal").as_bool());
    const Result other = retake_in(scratch, "edl diff 'my song.v2.edl.json' back.edl.json --json");
    CHECK_FALSE(parse_json(other.text, "x").as_table().at("equal").as_bool());
    CHECK(contains(retake_in(scratch, "edl show 'my song.v2.edl.json'").text, "0:01.000"));
    REQUIRE(retake_in(scratch, "edl convert back.edl.json p.npy --dialect prototype").code == 0);
  }

  SECTION("diff follows paths from each EDL's own folder") {
    std::filesystem::create_directories(scratch / "deeper");
    REQUIRE(retake_in(scratch, "edl convert 'my song.v2.edl.json' deeper/b.edl.json").code == 0);
    CHECK(retake_in(scratch, "edl diff 'my song.v2.edl.json' deeper/b.edl.json").text == "equal\n");
    write_text(scratch / "deeper/c.edl.json", read_file(scratch / "my song.v2.edl.json"));
    CHECK(contains(retake_in(scratch, "edl diff 'my song.v2.edl.json' deeper/c.edl.json").text,
                   "the sources differ"));
  }

  SECTION("arrays that are no pointers, and pointers outside the recording, are named") {
    data::write_npy(scratch / "f.npy", std::vector<double>{1.0, 2.0}, {2});
    const Result floats = retake_in(scratch, "edl convert f.npy f.edl.json --source 'räw 1.wav'");
    CHECK(floats.code == 5);
    CHECK(contains(floats.text, "astype('<i8')"));
    data::write_npy(scratch / "o.npy", std::vector<std::int64_t>{1, 999999}, {2});
    const Result outside = retake_in(scratch, "edl convert o.npy o.edl.json --source 'räw 1.wav'");
    CHECK(outside.code == 5);
    CHECK(contains(outside.text, "--> o.npy"));
    CHECK(contains(outside.text, "räw 1.wav"));
  }

  SECTION("errors name the EDL and the segment, and leave nothing") {
    write_text(scratch / "bad.edl.json",
               edl_text(R"({"begin":0,"end":9,"gian_db":1},{"begin":0,"end":960000})"));
    write_text(scratch / "far.edl.json", edl_text(R"({"begin":0,"end":960000})"));
    write_text(scratch / "torn.edl.json", R"({"schema":"retake.edl/1","sour)");
    const Result bad = retake_in(scratch, "render bad.edl.json -o out.wav");
    CHECK(bad.code == 5);
    CHECK(contains(bad.text, "bad.edl.json"));
    CHECK(contains(bad.text, "segments[0]"));
    CHECK(contains(bad.text, "did you mean `gain_db`"));
    const Result far = retake_in(scratch, "render far.edl.json -o out.wav");
    CHECK(far.code == 5);
    CHECK(contains(far.text, "far.edl.json"));
    CHECK(contains(far.text, "segments[0]"));
    const Result torn = retake_in(scratch, "render torn.edl.json -o out.wav");
    CHECK(torn.code == 5);
    CHECK(contains(torn.text, "torn.edl.json:1:"));
    CHECK_FALSE(contains(torn.text, "json.exception"));
    write_text(scratch / "lost.edl.json",
               R"({"schema":"retake.edl/1","sources":[{"path":"gone.wav"}],)"
               R"("segments":[{"gap":5},{"begin":0,"end":9}]})");
    for (const char* words : {"render lost.edl.json -o out.wav", "edl show lost.edl.json"}) {
      const Result lost = retake_in(scratch, words);
      CHECK(lost.code == 5);
      CHECK(contains(lost.text, "--> lost.edl.json"));
      CHECK(contains(lost.text, "segments[1]"));
      CHECK(contains(lost.text, "--source"));
    }
    CHECK(retake_in(scratch, "render nowhere.json").code == 5);
    CHECK(retake_in(scratch, "edl show torn.edl.json").code == 5);
    CHECK(retake_in(scratch, "render").code == 2);
    CHECK(retake_in(scratch, "edl convert a.txt b.txt").code == 2);
    CHECK_FALSE(std::filesystem::exists(scratch / "out.wav"));
  }
}
