#include <algorithm>
#include <array>
#include <cmath>

#include "../unit/audio/mel_reference.hpp"
#include "../unit/audio/sound_kit.hpp"
#include "../unit/audio/test_context.hpp"
#include "catch.hpp"
#include "plugin/registry.hpp"
#include "retake/kinds/feature_extractor.hpp"

using namespace retake;

namespace {

plugin::Registry& registry() {
  static plugin::Registry r({std::string(RETAKE_BINARY_DIR) + "/plugins"});
  return r;
}

Table with(std::initializer_list<std::pair<const char*, Value>> values) {
  Table t;
  for (const auto& [key, value] : values) t[key] = value;
  return t;
}

FeatureTable extract(const Table& params, std::vector<float> x, double rate, int threads = 1) {
  kit::Context context(threads);
  const auto extractor = registry().create<FeatureExtractor>("log_mel", params, context);
  const auto source = audio_from_buffer(kit::buffer(std::move(x), rate));
  return extractor->extract(*source, context);
}

/// Largest difference from rows of float64.
double worst(const FeatureTable& got, const std::vector<reference::Row>& want) {
  REQUIRE(got.rows() == static_cast<std::int64_t>(want.size()));
  double most = 0.0;
  for (std::int64_t t = 0; t < got.rows(); ++t) {
    for (std::size_t m = 0; m < want[0].size(); ++m) {
      most = std::max(most, std::abs(got.row(t)[m] - want[static_cast<std::size_t>(t)][m]));
    }
  }
  return most;
}

std::vector<reference::Row> librosa_db(const std::vector<float>& x, double rate, long hop) {
  const auto bank = reference::filters(rate, 2048, 128, 0, rate / 2, false, true);
  return reference::decibels(
      reference::apply(bank, reference::power(x, 2048, 2048, hop, 1024, false)));
}

std::vector<float> sweep(std::int64_t n) {
  std::vector<float> x(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double t = static_cast<double>(i) / 22050.0;
    x[i] = static_cast<float>(0.3 * std::sin(2000.0 * t * t) * std::exp(-t) +
                              1e-3 * std::sin(300.0 * t));
  }
  return x;
}

}  // namespace

TEST_CASE("db80, the default, is (dB + 80) / 80 below the recording's maximum") {
  const std::vector<float> x = sweep(60000);
  const FeatureTable got = extract({}, x, 22050.0);
  auto want = librosa_db(x, 22050.0, 256);
  for (auto& row : want) {
    for (double& v : row) v = (v + 80.0) / 80.0;
  }
  CHECK(worst(got, want) < 0.01 / 80.0);
  CHECK(got.grid() == frame_grid(60000, 22050.0));
  CHECK(got.block("mel").width == 128);
  CHECK(got.block("mel").normalised);
  CHECK(*std::max_element(got.data(), got.data() + got.rows() * 128) == 1.0F);
  CHECK(*std::min_element(got.data(), got.data() + got.rows() * 128) == 0.0F);
  CHECK(got.spec().params.at("sample_rate").as_int() == 22050);
}

TEST_CASE("db is the same in decibels and minmax over the recording's own range") {
  const std::vector<float> x = sweep(50000);
  CHECK(worst(extract(with({{"preset", "db"}}), x, 22050.0), librosa_db(x, 22050.0, 256)) < 0.01);
  std::vector<float> loud = x;
  auto want = librosa_db(loud, 44100.0, 512);
  double low = 0.0;
  for (const auto& row : want) low = std::min(low, *std::min_element(row.begin(), row.end()));
  for (auto& row : want) {
    for (double& v : row) v = (v - low) / (0.0 - low + 1e-8);
  }
  const FeatureTable got = extract(with({{"preset", "minmax"}}), loud, 44100.0);
  CHECK(worst(got, want) < 0.01 / 80.0);
  CHECK(got.grid().hop == 512);
  CHECK(got.grid().rate == 44100);
}

TEST_CASE("bigvgan_log follows the vocoder's front end") {
  const std::vector<float> x = sweep(50000);
  float peak = 0.0F;
  for (const float v : x) peak = std::max(peak, std::abs(v));
  auto spectra = reference::power(x, 2048, 2048, 512, 768, true, 0.95 / peak);
  for (auto& row : spectra) {
    for (double& v : row) v = std::sqrt(v + 1e-9);
  }
  const auto bank = reference::filters(44100, 2048, 128, 0, 22050, false, true);
  auto want = reference::apply(bank, spectra);
  for (auto& row : want) {
    for (double& v : row) v = std::clamp((std::log(std::max(v, 1e-5)) + 11.5) / 14.0, 0.0, 1.0);
  }
  const FeatureTable got = extract(with({{"preset", "bigvgan_log"}}), x, 44100.0);
  CHECK(got.rows() == 50000 / 512);
  // Near its floor, 120 dB below the peak, float32 transforms round by as much as there is.
  double loud = 0.0;
  double quiet = 0.0;
  for (std::int64_t t = 0; t < got.rows(); ++t) {
    for (std::size_t m = 0; m < 128; ++m) {
      const double v = want[static_cast<std::size_t>(t)][m];
      double& most = v > 0.35 ? loud : quiet;
      most = std::max(most, std::abs(got.row(t)[m] - v));
    }
  }
  CHECK(loud < 1e-5);
  CHECK(quiet < 5e-3);
}

TEST_CASE("silence, one sample and less than a frame have a defined result") {
  const FeatureTable silent = extract({}, std::vector<float>(30000, 0.0F), 22050.0);
  CHECK(std::all_of(silent.data(), silent.data() + silent.rows() * 128,
                    [](float v) { return v == 1.0F; }));
  for (const char* preset : {"db80", "db", "minmax", "bigvgan_log"}) {
    for (const std::int64_t n : {1, 2, 100, 2047}) {
      for (const double rate : {8000.0, 22050.0, 192000.0}) {
        const FeatureTable t = extract(with({{"preset", preset}}), kit::noise(n), rate);
        INFO(preset << " " << n << " " << rate);
        REQUIRE(t.rows() >= 1);
        CHECK(std::all_of(t.data(), t.data() + t.rows() * 128,
                          [](float v) { return std::isfinite(v); }));
      }
    }
  }
}

TEST_CASE("results do not depend on the thread count") {
  for (const char* preset : {"db80", "minmax", "bigvgan_log"}) {
    const std::vector<float> x = kit::noise(44100 * 12);
    const FeatureTable one = extract(with({{"preset", preset}}), x, 48000.0, 1);
    const FeatureTable three = extract(with({{"preset", preset}}), x, 48000.0, 3);
    CHECK(std::equal(one.data(), one.data() + one.rows() * 128, three.data()));
  }
}

TEST_CASE("a fixed reference keeps the level that the maximum hides") {
  std::vector<float> x = kit::noise(40000);
  std::vector<float> half = x;
  for (float& v : half) v *= 0.5F;
  const FeatureTable hidden = extract({}, x, 22050.0);
  const FeatureTable hidden_half = extract({}, half, 22050.0);
  CHECK(std::abs(hidden.row(40)[60] - hidden_half.row(40)[60]) < 1e-5F);
  const Table fixed = with({{"preset", "db"}, {"reference", "fixed"}, {"reference_level", 100.0}});
  const FeatureTable a = extract(fixed, x, 22050.0);
  const FeatureTable b = extract(fixed, half, 22050.0);
  CHECK(a.row(40)[60] - b.row(40)[60] == Approx(20.0 * std::log10(2.0)).margin(1e-3));
  const Table top = with({{"reference", "fixed"}, {"reference_level", 1e6}, {"top_db", 60.0}});
  const FeatureTable scaled = extract(top, x, 22050.0);
  const FeatureTable plain = extract(
      with({{"preset", "db"}, {"reference", "fixed"}, {"reference_level", 1e6}}), x, 22050.0);
  CHECK(scaled.row(9)[50] == Approx((plain.row(9)[50] + 60.0F) / 60.0F).margin(1e-6));
}

TEST_CASE("stored golden values of every preset") {
  // Of `sweep`: the first three presets by librosa 0.11.0, bigvgan_log by NumPy in float64. A
  // change of these is a change of the features and needs a new algorithm version.
  struct Golden {
    const char* preset;
    double rate;
    std::int64_t row;
    std::size_t band;
    double value;
  };
  const std::vector<float> x = sweep(60000);
  for (const Golden& g :
       std::initializer_list<Golden>{{"db80", 22050.0, 30, 7, 0.942133129},
                                     {"db80", 22050.0, 119, 31, 0.500378728},
                                     {"db80", 22050.0, 77, 23, 0.588353217},
                                     {"db80", 22050.0, 45, 9, 0.39730233},
                                     {"db80", 22050.0, 44, 1, 0.393160343},
                                     {"db80", 22050.0, 179, 47, 0.580926239},
                                     {"db80", 22050.0, 200, 127, 0},
                                     {"db", 22050.0, 143, 38, -39.3499222},
                                     {"db", 22050.0, 83, 22, -11.5514698},
                                     {"db", 22050.0, 197, 52, -20.6499081},
                                     {"db", 22050.0, 115, 31, -17.1301193},
                                     {"db", 22050.0, 110, 29, -25.2956791},
                                     {"db", 22050.0, 228, 56, -46.3138809},
                                     {"db", 22050.0, 200, 127, -80},
                                     {"minmax", 44100.0, 2, 0, 0.959397972},
                                     {"minmax", 44100.0, 22, 20, 0.947731495},
                                     {"minmax", 44100.0, 51, 43, 0.774345517},
                                     {"minmax", 44100.0, 12, 2, 0.394676059},
                                     {"minmax", 44100.0, 82, 59, 0.768751979},
                                     {"minmax", 44100.0, 39, 33, 0.558639467},
                                     {"bigvgan_log", 44100.0, 22, 1, 0.545698022},
                                     {"bigvgan_log", 44100.0, 15, 7, 0.473401714},
                                     {"bigvgan_log", 44100.0, 10, 2, 0.621696643},
                                     {"bigvgan_log", 44100.0, 69, 56, 0.526077102},
                                     {"bigvgan_log", 44100.0, 23, 22, 0.975035399},
                                     {"bigvgan_log", 44100.0, 25, 27, 0.664116411}}) {
    INFO(g.preset << " " << g.row << " " << g.band);
    CHECK(extract(with({{"preset", g.preset}}), x, g.rate).row(g.row)[g.band] ==
          Approx(g.value).margin(2e-5 * (std::string(g.preset) == "db" ? 80.0 : 1.0)));
  }
}

TEST_CASE("parameters that do not go together are refused, naming the remedy") {
  kit::Context context;
  const auto refused = [&](const Table& params) {
    try {
      registry().create<FeatureExtractor>("log_mel", params, context);
    } catch (const ConfigError& error) {
      return !error.diagnostics().front().help.empty();
    }
    return false;
  };
  CHECK(refused(with({{"n_fft", 1023}})));
  CHECK(refused(with({{"win_length", 4096}})));
  CHECK(refused(with({{"fmax", 20000.0}})));
  CHECK(refused(with({{"fmin", 9000.0}, {"fmax", 8000.0}})));
  CHECK(refused(with({{"preset", "bigvgan_log"}, {"reference", "fixed"}})));
  CHECK_FALSE(refused(with({{"mel_scale", "htk"}, {"norm", "none"}, {"padding", "none"}})));
}
