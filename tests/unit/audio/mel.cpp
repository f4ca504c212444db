#include "retake/audio/mel.hpp"

#include <atomic>
#include <complex>
#include <mutex>

#include "catch.hpp"
#include "mel_reference.hpp"
#include "retake/audio/fft.hpp"
#include "sound_kit.hpp"
#include "test_context.hpp"

using namespace retake;

namespace {

std::vector<float> music(std::int64_t n) {
  std::vector<float> x(static_cast<std::size_t>(n), 0.0F);
  Rng rng(9);
  for (int note = 0; note < 24; ++note) {
    const double hz = 55.0 * std::pow(2.0, static_cast<double>(rng.integer(0, 48)) / 12.0);
    const std::int64_t start = n * note / 26;
    for (std::int64_t i = start; i < n; ++i) {
      const double t = static_cast<double>(i - start) / 22050.0;
      for (int h = 1; h < 6; ++h) {
        x[static_cast<std::size_t>(i)] += static_cast<float>(
            0.2 / h * std::exp(-3.0 * t) * std::sin(2.0 * std::numbers::pi * hz * h * t));
      }
    }
  }
  return x;
}

std::vector<float> impulses(std::int64_t n) {
  std::vector<float> x(static_cast<std::size_t>(n), 0.0F);
  for (std::size_t i = 700; i < x.size(); i += 5511) x[i] = i % 2 == 0 ? 1.0F : -0.5F;
  return x;
}

std::vector<float> compute(const MelOptions& options, const std::vector<float>& x, int threads = 1,
                           float gain = 1.0F) {
  const MelSpectrogram mel(options);
  const auto source =
      audio_from_buffer(kit::buffer(x, static_cast<double>(options.stft.sample_rate)));
  std::vector<float> out(static_cast<std::size_t>(mel.rows(source->info()) * options.n_mels));
  const kit::Context context(threads);
  mel.compute(*source, context, out.data(), gain);
  return out;
}

/// Frobenius norm of the difference over that of the reference.
double relative_error(const std::vector<float>& got, const std::vector<reference::Row>& want) {
  double difference = 0.0;
  double total = 0.0;
  std::size_t i = 0;
  for (const auto& row : want) {
    for (const double v : row) {
      difference += (got[i] - v) * (got[i] - v);
      total += v * v;
      ++i;
    }
  }
  REQUIRE(i == got.size());
  return total == 0.0 ? difference : std::sqrt(difference / total);
}

/// Largest difference in dB below the loudest value, after top_db 80.
double worst_decibels(std::vector<float> got, const std::vector<reference::Row>& want) {
  to_decibels(got.data(), static_cast<std::int64_t>(got.size()), 1e-10F);
  const float loudest = *std::max_element(got.begin(), got.end());
  double worst = 0.0;
  std::size_t i = 0;
  for (const auto& row : reference::decibels(want)) {
    for (const double v : row) {
      const double db = std::max(got[i++] - loudest, -80.0F);
      worst = std::max(worst, std::abs(db - v));
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("mel spectra agree with librosa's definition in float64 on every kind of signal") {
  const auto bank = reference::filters(22050, 2048, 128, 0, 11025, false, true);
  const std::int64_t n = 40000;
  std::vector<float> quiet_noise = kit::noise(n, 3, 1e-4);
  const std::vector<std::pair<const char*, std::vector<float>>> signals{
      {"noise", kit::noise(n)},
      {"tone", kit::tone(n, 440.0, 22050.0)},
      {"music", music(n)},
      {"silence", std::vector<float>(static_cast<std::size_t>(n), 0.0F)},
      {"impulses", impulses(n)},
      {"quiet", quiet_noise},
      {"one sample", {0.7F}},
      {"shorter than a window", kit::noise(900)},
      {"a frame and one", kit::noise(2049)},
  };
  for (const auto& [name, x] : signals) {
    INFO(name);
    const auto want = reference::apply(bank, reference::power(x, 2048, 2048, 256, 1024, false));
    const std::vector<float> got = compute({}, x);
    CHECK(got.size() == static_cast<std::size_t>((1 + x.size() / 256) * 128));
    CHECK(relative_error(got, want) <= 5e-7);
    CHECK(worst_decibels(got, want) <= 0.01);
  }
}

TEST_CASE("every option of the mel spectrum follows its definition") {
  struct Case {
    std::int64_t n_fft, win, hop;
    Padding padding;
    PadMode mode;
    bool htk, area;
    double power, fmin, fmax;
    std::int64_t n_mels;
  };
  for (const Case& c :
       {Case{1024, 600, 300, Padding::center, PadMode::reflect, true, false, 1.0, 30, 8000, 64},
        Case{512, 512, 1000, Padding::none, PadMode::constant, false, false, 2.0, 0, 0, 40},
        Case{2048, 2048, 512, Padding::same, PadMode::reflect, false, true, 1.0, 0, 0, 128},
        Case{600, 600, 150, Padding::center, PadMode::reflect, true, true, 1.5, 0, 11025, 80},
        Case{4096, 4096, 441, Padding::center, PadMode::constant, false, true, 2.0, 20, 0, 256}}) {
    for (const std::int64_t n : {1, 30, 700, 5000, 50001}) {
      const std::vector<float> x = kit::noise(n, 11);
      const std::int64_t pad = c.padding == Padding::center ? c.n_fft / 2
                               : c.padding == Padding::same ? (c.n_fft - c.hop) / 2
                                                            : 0;
      if (n + 2 * pad < c.n_fft) continue;  // one frame filled with zeros, not in the definition
      MelOptions o;
      o.stft = {22050, c.n_fft, c.win, c.hop, c.padding, c.mode};
      o.n_mels = c.n_mels;
      o.fmin = c.fmin;
      o.fmax = c.fmax;
      o.scale = c.htk ? MelScale::htk : MelScale::slaney;
      o.norm = c.area ? MelNorm::slaney : MelNorm::none;
      o.power = c.power;
      o.magnitude_floor = 1e-9;
      auto spectra =
          reference::power(x, c.n_fft, c.win, c.hop, pad, c.mode == PadMode::reflect, 0.8F);
      for (auto& row : spectra) {
        for (double& v : row) v = std::pow(v + 1e-9, c.power / 2.0);
      }
      const auto bank = reference::filters(22050, c.n_fft, c.n_mels, c.fmin,
                                           c.fmax > 0 ? c.fmax : 11025.0, c.htk, c.area);
      INFO(c.n_fft << " " << n);
      CHECK(relative_error(compute(o, x, 1, 0.8F), reference::apply(bank, spectra)) < 1e-6);
    }
  }
}

TEST_CASE("spectra do not depend on the thread count, and long files join without a seam") {
  const std::vector<float> x = kit::noise(22050 * 40);
  const std::vector<float> one = compute({}, x, 1);
  CHECK(compute({}, x, 3) == one);
  // A row depends on its own samples alone: the same stretch somewhere else gives the same bits.
  const std::vector<float> part(x.begin() + 256 * 1500, x.begin() + 256 * 1600);
  const std::vector<float> alone = compute({}, part);
  for (std::size_t r = 4; r < 96; ++r) {
    for (std::size_t m = 0; m < 128; ++m) REQUIRE(alone[r * 128 + m] == one[(1500 + r) * 128 + m]);
  }
}

TEST_CASE("filters are librosa's, sparse or dense") {
  const MelFilterBank bank(22050, 2048, 128, 0.0, 0.0, MelScale::slaney, MelNorm::slaney);
  const auto want = reference::filters(22050, 2048, 128, 0, 11025, false, true);
  REQUIRE(bank.size() == 128);
  double worst = 0.0;
  for (std::int64_t m = 0; m < 128; ++m) {
    const auto row = bank.dense(m);
    for (std::size_t k = 0; k < row.size(); ++k) {
      worst = std::max(worst, std::abs(row[k] - want[static_cast<std::size_t>(m)][k]));
    }
  }
  CHECK(worst < 1e-8);
  // Golden: librosa 0.11.0, filters.mel(sr=22050, n_fft=2048).
  CHECK(bank.dense(0)[1] == Approx(0.016182853208219942).epsilon(1e-6));
  CHECK(bank.dense(0)[2] == Approx(0.032365706416439884).epsilon(1e-6));
  CHECK(bank.dense(127)[1000] == Approx(0.0031262471210668293).epsilon(1e-6));
  CHECK_THROWS_AS(MelFilterBank(22050, 2048, 128, 0.0, 12000.0, MelScale::slaney, MelNorm::slaney),
                  std::invalid_argument);
}

TEST_CASE("decibels and logarithms are right over the whole range of floats") {
  std::vector<float> x;
  for (float v = 1.2e-38F; v < 3e38F; v *= 1.0137F) x.push_back(v);
  x.push_back(1.0F);
  std::vector<float> db = x;
  std::vector<float> ln = x;
  to_decibels(db.data(), static_cast<std::int64_t>(x.size()), 1.1754944e-38F);
  to_log(ln.data(), static_cast<std::int64_t>(x.size()), 1.1754944e-38F);
  for (std::size_t i = 0; i < x.size(); ++i) {
    REQUIRE(std::abs(db[i] - 10.0 * std::log10(static_cast<double>(x[i]))) < 5e-5);
    REQUIRE(std::abs(ln[i] - std::log(static_cast<double>(x[i]))) < 1e-5);
  }
  CHECK(db.back() == 0.0F);
  float zero = 0.0F;
  to_decibels(&zero, 1, 1e-10F);
  CHECK(zero == Approx(-100.0F));
}

TEST_CASE("blocks come once each, with zeros behind the last bin") {
  const Stft stft({});
  const auto source = audio_from_buffer(kit::buffer(kit::noise(600000), 22050.0));
  const kit::Context context(2);
  std::vector<int> seen(static_cast<std::size_t>(stft.rows(source->info())));
  std::mutex mutex;
  std::atomic<int> not_zero = 0;
  stft.power(*source, context, 1.0F, [&](std::int64_t first, std::int64_t rows, const float* p) {
    const std::lock_guard lock(mutex);
    for (std::int64_t r = 0; r < rows; ++r) {
      ++seen[static_cast<std::size_t>(first + r)];
      for (std::int64_t k = stft.bins(); k < stft.stride(); ++k) {
        not_zero += p[r * stft.stride() + k] != 0.0F;
      }
    }
  });
  CHECK(std::count(seen.begin(), seen.end(), 1) == static_cast<std::ptrdiff_t>(seen.size()));
  CHECK(not_zero == 0);
}

TEST_CASE("the real transform returns, whatever the alignment of its buffers") {
  for (const std::size_t n : {2U, 6U, 64U, 1000U, 4096U}) {
    const RealFft fft(n);
    const std::vector<float> x = kit::noise(static_cast<std::int64_t>(n));
    std::vector<std::complex<float>> a(fft.bins() + 1);
    std::vector<float> shifted(n + 1);
    std::copy(x.begin(), x.end(), shifted.begin() + 1);
    fft.forward(x.data(), a.data());
    std::vector<std::complex<float>> b(fft.bins() + 1);
    fft.forward(shifted.data() + 1, b.data() + 1);
    CHECK(std::equal(a.begin(), a.begin() + static_cast<long>(fft.bins()), b.begin() + 1));
    fft.inverse(b.data() + 1, shifted.data() + 1);
    for (std::size_t i = 0; i < n; ++i) REQUIRE(std::abs(shifted[i + 1] - x[i]) < 1e-6F);
  }
  CHECK(RealFft::fast_size(7) == 8);
  CHECK(RealFft::fast_size(1025) == 1080);
}
