// Baseline edits.

#include "edit/baselines.hpp"

#include <cmath>
#include <stdexcept>

#include "catch.hpp"
#include "edit/metrics.hpp"
#include "edl_support.hpp"

using namespace retake;
using namespace retake::edit;
using namespace retake::testing;

namespace {

/// Mono, `seconds` long: loud where `loud` says so, 40 dB quieter elsewhere.
template <class F>
std::unique_ptr<AudioSource> recording(double rate, double seconds, F loud) {
  AudioBuffer buffer;
  buffer.sample_rate = rate;
  buffer.channels.resize(1);
  Rng rng(1);
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(seconds * rate); ++i) {
    const double level = loud(static_cast<double>(i) / rate) ? 0.5 : 0.005;
    buffer.channels[0].push_back(static_cast<float>(rng.uniform(-level, level)));
  }
  return audio_from_buffer(std::move(buffer));
}

}  // namespace

TEST_CASE("copy and keep all") {
  const EdlSource source = source_of(1000, 44100);
  CHECK(keep_all_edit(source).output_samples() == 1000);
  CHECK(copy_edit(source, 300).output_samples() == 300);
  CHECK(copy_edit(source, 3000).output_samples() == 1000);
  CHECK(copy_edit(source, 0).segments.empty());
}

TEST_CASE("linear ratio spreads over the recording") {
  for (double ratio : {0.1, 0.35, 0.67, 1.0}) {
    const EdlSource source = source_of(48000 * 20, 48000);
    const Edl edl = linear_ratio_edit(source, ratio);
    CHECK(problems(edl).empty());
    const TimeGrid raw = frame_grid(source.samples, 48000);
    const auto p = pointers(edl, frame_grid(edl.output_samples(), 48000), raw);
    for (std::size_t t = 0; t < p.size(); ++t) {
      REQUIRE(p[t] == static_cast<std::int64_t>(std::floor(static_cast<double>(t) / ratio)));
    }
    CHECK(static_cast<double>(p.size()) / static_cast<double>(raw.rows) ==
          Approx(ratio).margin(0.001));
  }
  CHECK_THROWS_AS(linear_ratio_edit(source_of(1000, 44100), 0.0), std::invalid_argument);
}

TEST_CASE("random edits keep their share, in order, and differ by seed") {
  const EdlSource source = source_of(44100 * 600, 44100);
  for (double ratio : {0.05, 0.35, 1.0}) {
    Rng rng(derive_seed(1, {"baseline/random"}));
    const Edl edl = random_edit(source, ratio, rng);
    CHECK(problems(edl).empty());
    CHECK(static_cast<double>(edl.output_samples()) / static_cast<double>(source.samples) ==
          Approx(ratio).margin(1e-5));
    for (std::size_t i = 1; i < edl.segments.size(); ++i) {
      REQUIRE(edl.segments[i].begin >= edl.segments[i - 1].end);
    }
    Rng again(derive_seed(1, {"baseline/random"}));
    CHECK(to_value(random_edit(source, ratio, again)) == to_value(edl));
    if (ratio < 1.0) CHECK_FALSE(to_value(random_edit(source, ratio, again)) == to_value(edl));
  }
  Rng rng(3);
  CHECK(random_edit(source_of(1, 44100), 0.5, rng).segments.size() <= 1);
}

TEST_CASE("the energy gate keeps what is loud") {
  const auto loud = [](double s) {
    return (s >= 5 && s < 12) || (s >= 12.5 && s < 20) || (s >= 25 && s < 26) || s >= 30;
  };
  for (double rate : {8000.0, 44100.0}) {
    const auto audio = recording(rate, 40, loud);
    const auto levels = frame_levels(*audio);
    CHECK(static_cast<std::int64_t>(levels.size()) == frame_grid(audio->info().samples, rate).rows);
    CHECK(levels[600] == Approx(10 * std::log10(0.25 / 3)).margin(0.7));
    CHECK(levels[100] == Approx(10 * std::log10(0.25 / 3) - 40).margin(0.7));
    EdlSource source = source_of(audio->info().samples, rate);
    const Edl edl = energy_gate_edit(source, levels, {});
    // The pause of half a second stays, the sound of one second goes.
    REQUIRE(edl.segments.size() == 2);
    CHECK(static_cast<double>(edl.segments[0].begin) / rate == Approx(5.0).margin(0.3));
    CHECK(static_cast<double>(edl.segments[0].end) / rate == Approx(20.0).margin(0.3));
    CHECK(static_cast<double>(edl.segments[1].begin) / rate == Approx(30.0).margin(0.3));
    CHECK(edl.segments[1].end == source.samples);
    CHECK(problems(edl).empty());
    EnergyGate open;
    open.threshold_db = -60.0;
    CHECK(energy_gate_edit(source, levels, open).output_samples() == source.samples);
  }
}

TEST_CASE("the gate is tuned to the threshold that finds the edit") {
  const auto audio = recording(8000, 40, [](double s) { return s >= 10 && s < 30; });
  GateSong song;
  song.source = source_of(audio->info().samples, 8000);
  song.level_db = frame_levels(*audio);
  song.truth.sources.push_back(song.source);
  song.truth.segments.push_back(copy_of(80000, 240000));
  EnergyGate bad;
  bad.threshold_db = -60.0;
  const std::vector<GateSong> songs{song};
  const EnergyGate tuned = tune_energy_gate(songs, bad);
  CHECK(tuned.threshold_db >= -42.0);
  const Edl edl = energy_gate_edit(song.source, song.level_db, tuned);
  CHECK(edit_metrics(song.truth, edl, song.source.samples).at("edit_f1") == 1.0);
  CHECK(tune_energy_gate({}, bad).threshold_db == -60.0);
}

TEST_CASE("levels of silence and of one sample are finite") {
  AudioBuffer buffer;
  buffer.sample_rate = 44100;
  buffer.channels = {{0.0F}};
  const auto audio = audio_from_buffer(std::move(buffer));
  const auto levels = frame_levels(*audio);
  REQUIRE(levels.size() == 1);
  CHECK(levels[0] == -120.0);
  CHECK(energy_gate_edit(source_of(1, 44100), levels, {}).segments.size() <= 1);
}
