// Pairs with exact truth: the same whatever the threads, the edit is the rendering of the truth,
// and nothing but listening tells what is kept.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "audio/pcm_file.hpp"
#include "catch.hpp"
#include "core/files.hpp"
#include "core/hash.hpp"
#include "data/corpus_builder.hpp"
#include "data/material.hpp"
#include "dataset.hpp"
#include "edit/renderer.hpp"
#include "junk.hpp"
#include "plan.hpp"
#include "report/evaluation.hpp"
#include "retake/audio/hash.hpp"
#include "retake/audio/source.hpp"
#include "session.hpp"
#include "unit/run/temp_folder.hpp"

using namespace retake;
using namespace retake::synthetic;
namespace fs = std::filesystem;

namespace {

using Folder = TempFolder;

class TestContext final : public Context {
 public:
  explicit TestContext(int threads = 1, int stop_after = 1 << 30)
      : threads_(threads), left_(stop_after) {}
  std::uint64_t seed(std::string_view, std::uint64_t) const override { return 1; }
  int threads() const override { return threads_; }
  std::string device() const override { return "cpu"; }
  fs::path run_dir() const override { return {}; }
  bool stop_requested() const override { return left_ <= 0; }
  void progress(std::string_view, double, double) const override { --left_; }

 private:
  int threads_;
  mutable std::atomic<int> left_;
};

Params small() {
  Params p;
  p.pairs = 4;
  p.minutes = 1.0;
  p.sample_rate = 11025;
  p.channels = 1;
  p.run_s = 6.0;
  return p;
}

/// Path below `root` -> hash of the bytes.
std::map<std::string, std::string> files(const fs::path& root) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) {
      out[fs::relative(entry.path(), root).string()] = sha256_file(entry.path());
    }
  }
  return out;
}

std::vector<Plan> many_plans(const Params& p, int n, std::vector<Music>* songs = nullptr) {
  std::vector<Plan> plans;
  for (int i = 0; i < n; ++i) {
    Rng rng(static_cast<std::uint64_t>(100 + i));
    const Lengths lengths = draw_lengths(p, rng);
    Music music = play_band(lengths.edit_s / 0.9 + 15.0, p.sample_rate, p.channels, rng);
    plans.push_back(make_plan(p, lengths, music, p.splices, rng));
    if (songs != nullptr) songs->push_back(std::move(music));
  }
  return plans;
}

}  // namespace

TEST_CASE("the same set whatever the threads, another seed is another set") {
  Folder a;
  Folder b;
  Folder c;
  Params p = small();
  SyntheticEdits(p).generate(a.path, TestContext(1));
  SyntheticEdits(p).generate(b.path, TestContext(3));
  CHECK(files(a.path) == files(b.path));
  p.seed = 2;
  SyntheticEdits(p).generate(c.path, TestContext(2));
  CHECK(files(a.path) != files(c.path));
}

TEST_CASE("a stopped set goes on, a finished one is left alone, a foreign one is refused") {
  Folder whole;
  Folder stopped;
  Params p = small();
  SyntheticEdits(p).generate(whole.path, TestContext());
  const PairSet some = SyntheticEdits(p).generate(stopped.path, TestContext(1, 2));
  CHECK(some.pairs.size() == 2);
  // What a killed process leaves lies aside and is swept away.
  fs::create_directories(stopped.path / ".making-band_0003_01.999999999" / "input");
  SyntheticEdits(p).generate(stopped.path, TestContext());
  CHECK(files(whole.path) == files(stopped.path));
  CHECK(!fs::exists(stopped.path / ".making-band_0003_01.999999999"));

  const auto before = fs::last_write_time(whole.path / "truth" / "band_0001_01.meta.json");
  SyntheticEdits(p).generate(whole.path, TestContext());
  CHECK(fs::last_write_time(whole.path / "truth" / "band_0001_01.meta.json") == before);
  // A file that has gone is made again, the same.
  const auto all = files(whole.path);
  fs::remove(whole.path / "desired_output" / "band_0002_01_edit.wav");
  SyntheticEdits(p).generate(whole.path, TestContext());
  CHECK(files(whole.path) == all);

  p.minutes = 2.0;
  CHECK_THROWS_AS(SyntheticEdits(p).generate(whole.path, TestContext()), DataError);
  CHECK(files(whole.path) == all);
}

TEST_CASE("more pairs leave those that are there, and their splits, alone") {
  Folder f;
  Params p = small();
  const PairSet few = SyntheticEdits(p).generate(f.path, TestContext(2));
  p.pairs = 8;
  const PairSet more = SyntheticEdits(p).generate(f.path, TestContext(2));
  REQUIRE(more.pairs.size() == 8);
  for (const Pair& a : few.pairs) {
    for (const Pair& b : more.pairs) {
      if (a.id == b.id) CHECK(a.split == b.split);
    }
  }
}

TEST_CASE("the edit is the rendering of the truth, and material covers the raw") {
  Folder f;
  Params p = small();
  p.channels = 2;
  p.sample_rate = 22050;
  p.loops = 2;
  p.out_of_order = 1.0;
  const PairSet set = SyntheticEdits(p).generate(f.path, TestContext(2));
  REQUIRE(set.pairs.size() == 4);
  for (const Pair& pair : set.pairs) {
    const Edl edl = read_edl(pair.truth.string());
    edit::RenderRequest request;
    request.base = pair.truth.parent_path();
    request.output = f.path / "again.wav";
    const edit::RenderReport report = edit::render(edl, request);
    CHECK(report.clipped == 0);
    CHECK(report.short_joins == 0);
    CHECK(sha256_pcm((f.path / "again.wav").string()) == sha256_pcm(pair.edit.string()));

    const auto raw = open_audio(pair.raw.string());
    CHECK(material_problems(pair.material, raw->info().samples).empty());
    std::int64_t kept_samples = 0;
    for (const MaterialSpan& span : pair.material) {
      if (span.kind != "kept") continue;
      kept_samples += span.end - span.begin;
    }
    // Every used sample is kept material, and all of it is used.
    std::set<std::pair<std::int64_t, std::int64_t>> used;
    for (const Segment& s : edl.segments) used.insert({s.begin, s.end});
    std::int64_t used_samples = 0;
    for (const auto& [begin, end] : used) used_samples += end - begin;
    CHECK(used_samples == kept_samples);
  }
}

TEST_CASE("damage changes the edit file and nothing else") {
  Folder clean;
  Folder hurt;
  Params p = small();
  p.pairs = 1;
  p.sample_rate = 22050;
  const Pair a = SyntheticEdits(p).generate(clean.path, TestContext()).pairs.at(0);
  p.snr_db = 20.0;
  p.eq_db = 6.0;
  p.resample = 44100;
  p.codec = "vorbis";
  const Pair b = SyntheticEdits(p).generate(hurt.path, TestContext()).pairs.at(0);
  CHECK(sha256_pcm(a.raw.string()) == sha256_pcm(b.raw.string()));
  CHECK(b.edit.extension() == ".ogg");
  const auto edit = open_audio(b.edit.string());
  CHECK(edit->info().sample_rate == 44100.0);
  const auto pristine = open_audio(a.edit.string());
  CHECK(std::abs(edit->info().samples - 2 * pristine->info().samples) <= 2);
}

TEST_CASE("songs never cross a split, and the test split hears another splice") {
  Folder f;
  Params p = small();
  p.pairs = 12;
  p.minutes = 0.5;
  p.sample_rate = 8000;
  const PairSet set = SyntheticEdits(p).generate(f.path, TestContext(2));
  CHECK(set.in_split("test").size() == 3);
  CHECK(set.in_split("val").size() == 1);
  for (const Pair& pair : set.pairs) {
    const Value meta = parse_json(read_file(pair.meta), pair.meta.string());
    const Value* splices = find_path(meta, "recipe.session.splices");
    REQUIRE(splices != nullptr);
    const bool dips = splices->as_array().at(0) == Value("dip");
    CHECK(dips == (pair.split == "test"));
  }
}

TEST_CASE("splices follow one law at all kinds of boundaries") {
  Params p = small();
  p.minutes = 6.0;
  p.punch_in = 0.4;
  std::map<std::string, std::map<std::string, double>> shares;
  std::map<std::string, double> total;
  std::map<std::string, double> length;
  for (const Plan& plan : many_plans(p, 25)) {
    for (std::size_t i = 0; i + 1 < plan.pieces.size(); ++i) {
      const bool left = plan.pieces[i].parts.back().kind == "kept";
      const bool right = plan.pieces[i + 1].parts.front().kind == "kept";
      const std::string kind = left && right ? "kept-kept" : left || right ? "kept-cut" : "cut-cut";
      shares[kind][plan.pieces[i].next.kind] += 1.0;
      length[kind] += static_cast<double>(plan.pieces[i].next.half) / 11025.0;
      total[kind] += 1.0;
    }
  }
  REQUIRE(total.size() == 3);
  for (const auto& [kind, n] : total) {
    REQUIRE(n > 60.0);
    for (const std::string& splice : p.splices) {
      // Three standard deviations of a fair draw among five.
      CHECK(std::abs(shares[kind][splice] / n - 0.2) < 3.0 * std::sqrt(0.16 / n));
    }
    CHECK(std::abs(length[kind] / n - length["cut-cut"] / total["cut-cut"]) < 0.03);
  }
}

TEST_CASE("plans keep their promises: order, policy, ratio") {
  Params p = small();
  p.minutes = 5.0;
  p.minutes_spread = 1.0;
  p.keep = 0.3;
  p.bad_after = 0.0;
  p.out_of_order = 0.0;
  for (const Plan& plan : many_plans(p, 20)) {
    const double seconds = static_cast<double>(plan.samples) / 11025.0;
    CHECK(seconds == Approx(300.0).epsilon(0.1));
    const double keep =
        static_cast<double>(plan.truth.output_samples()) / static_cast<double>(plan.samples);
    CHECK(keep == Approx(0.3).margin(0.05));
    CHECK(material_problems(plan.material, plan.samples).empty());
    // Kept runs follow one another in the song and in the raw.
    double song = -1.0;
    for (const Piece& piece : plan.pieces) {
      if (piece.run < 0) continue;
      CHECK(piece.pass.drift.begin > song);
      song = piece.pass.drift.begin;
    }
    // The last complete pass of a stretch is the kept one: what comes after it lies behind it.
    double taken = -1.0;
    for (const Piece& piece : plan.pieces) {
      if (!piece.is_pass) continue;
      CHECK(piece.pass.drift.begin > taken - 1.0);
      if (piece.run >= 0) taken = piece.pass.drift.begin;
    }
  }
}

TEST_CASE("what is cut is as loud as what is kept") {
  Params p = small();
  p.minutes = 3.0;
  std::vector<Music> songs;
  const std::vector<Plan> plans = many_plans(p, 12, &songs);
  std::map<std::string, double> power;
  std::map<std::string, double> count;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    std::vector<float> raw;
    perform(plans[i], p, songs[i], 1, [&](std::span<const std::span<const float>> block) {
      raw.insert(raw.end(), block[0].begin(), block[0].end());
    });
    REQUIRE(static_cast<std::int64_t>(raw.size()) == plans[i].samples);
    CHECK(*std::max_element(raw.begin(), raw.end()) < 0.98 * std::pow(10.0, -3.0 / 20.0));
    for (const MaterialSpan& span : plans[i].material) {
      // Blocks of 0.4 s in which something sounds, as a listener compares loudness.
      const bool kept = span.kind == "kept";
      for (std::int64_t at = span.begin; at + 4410 <= span.end; at += 4410) {
        double sum = 0.0;
        for (std::int64_t t = at; t < at + 4410; ++t) {
          const double x = raw[static_cast<std::size_t>(t)];
          sum += x * x;
        }
        const double db = 10.0 * std::log10(sum / 4410.0 + 1e-12);
        if (db < -45.0 || span.kind == "silence") continue;
        power[kept ? "kept" : span.kind] += db;
        count[kept ? "kept" : span.kind] += 1.0;
      }
    }
  }
  double cut = 0.0;
  double cut_count = 0.0;
  for (const auto& [kind, sum] : power) {
    INFO(kind << " " << sum / count[kind]);
    // A count-in is clicks with pauses: as loud where it sounds, less over a block.
    const double tolerance = kind == "count_in" ? 8.0 : 4.0;
    CHECK(std::abs(sum / count[kind] - power["kept"] / count["kept"]) < tolerance);
    if (kind == "kept") continue;
    cut += sum;
    cut_count += count[kind];
  }
  CHECK(std::abs(cut / cut_count - power["kept"] / count["kept"]) < 1.5);
}

TEST_CASE("oracles score what they know") {
  Folder f;
  Params p = small();
  p.minutes = 3.0;
  p.out_of_order = 0.0;
  const PairSet set = SyntheticEdits(p).generate(f.path, TestContext(2));
  const TestContext context(2);
  const data::FeatureStore store(f.path / "features");
  const Corpus corpus = data::build_corpus(set, {}, store, context);
  std::vector<const Song*> songs;
  for (const Song& song : corpus.songs()) songs.push_back(&song);
  const auto mean = [&](const report::Contestant& contestant, const std::string& metric) {
    const Value table = report::evaluate({contestant}, songs, context);
    return find_path(table.as_table().at(contestant.name), metric + ".mean")->as_double();
  };
  const auto oracles = report::oracles(songs);
  REQUIRE(oracles.size() == 5);
  CHECK(mean(oracles[0], "edit_f1") == Approx(1.0));
  CHECK(mean(oracles[0], "kept_iou") == Approx(1.0));
  for (std::size_t i = 1; i < oracles.size(); ++i) {
    CHECK(mean(oracles[i], "edit_f1") <= mean(oracles[i - 1], "edit_f1") + 1e-9);
  }
  const auto baselines = report::baselines(songs, context);
  REQUIRE(baselines[2].name == "energy_gate");
  CHECK(mean(baselines[2], "edit_f1") < 0.5);
}

TEST_CASE("wrong parameters and wrong music are errors with a remedy") {
  Params p = small();
  const auto wrong_key = [](const Params& given) {
    Problems problems;
    Params::check(given, problems);
    REQUIRE(problems.items().size() == 1);
    CHECK_FALSE(problems.items()[0].help.empty());
    return problems.items()[0].key;
  };
  p.splices = {"butt", "glue"};
  CHECK(wrong_key(p) == "splices");
  p = small();
  p.test = 0.6;
  p.val = 0.5;
  CHECK(wrong_key(p) == "test");
  Folder f;
  p = small();
  p.music = {(f.path / "none").string()};
  CHECK_THROWS_AS(SyntheticEdits(p).generate(f.path / "out", TestContext()), DataError);
  fs::create_directories(f.path / "none");
  CHECK_THROWS_AS(SyntheticEdits(p).generate(f.path / "out", TestContext()), DataError);
  write_file_atomic(f.path / "none" / "broken.wav", "no audio");
  CHECK_THROWS_AS(SyntheticEdits(p).generate(f.path / "out", TestContext()), DataError);
}

TEST_CASE("a folder of tracks: names, stems, groups") {
  Folder f;
  const auto write = [&](const fs::path& file, double hz) {
    fs::create_directories(file.parent_path());
    audio::PcmWriter writer(file.string(), {"wav", "pcm_16", 16000, 2}, 16000 * 40);
    std::vector<std::int32_t> block(32000);
    for (int s = 0; s < 40; ++s) {
      for (int i = 0; i < 16000; ++i) {
        const double beat = std::exp(-8.0 * std::fmod(i / 16000.0, 0.5));
        const auto v =
            static_cast<std::int32_t>(9000.0 * beat * std::sin(hz * (s + 1) * i / 16000.0));
        block[static_cast<std::size_t>(2 * i)] = block[static_cast<std::size_t>(2 * i + 1)] =
            v * 65536;
      }
      writer.write(block.data(), 16000);
    }
    writer.finish();
  };
  write(f.path / "music" / "Blå tune.wav", 900.0);
  write(f.path / "music" / "second.wav", 1300.0);
  Params p = small();
  p.music = {(f.path / "music").string()};
  p.sample_rate = 0;
  p.channels = 0;
  p.keep = 0.3;
  const PairSet set = SyntheticEdits(p).generate(f.path / "out", TestContext(2));
  REQUIRE(set.pairs.size() == 4);
  CHECK(set.pairs[0].id == "Blå_tune_01");
  CHECK(set.pairs[1].id == "Blå_tune_02");
  CHECK(set.pairs[0].group == set.pairs[1].group);
  CHECK(set.pairs[0].split == set.pairs[1].split);
  CHECK(sha256_pcm(set.pairs[0].raw.string()) != sha256_pcm(set.pairs[1].raw.string()));
  const auto raw = open_audio(set.pairs[0].raw.string());
  CHECK(raw->info().sample_rate == 16000.0);
  CHECK(raw->info().channels == 2);
}
