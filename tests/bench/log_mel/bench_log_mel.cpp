// Time of a log mel spectrum over that of the bare FFTW plan for the same frames, in one run, so
// that the figure means the same on every machine. Fails above 1.5.

#include <fftw3.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "retake/audio/mel.hpp"
#include "test_context.hpp"

namespace {

constexpr double kBar = 1.5;
constexpr int kRounds = 15;

/// Processor time, so that other work on the machine counts little.
template <class F>
double seconds(F&& work) {
  const auto now = [] {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  const double start = now();
  work();
  return now() - start;
}

template <class F>
double wall_seconds(F&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

}  // namespace

int main() {
  retake::Rng rng(1);
  retake::AudioBuffer buffer;
  buffer.sample_rate = 22050.0;
  buffer.channels.resize(1);
  for (int i = 0; i < 22050 * 60; ++i) {
    buffer.channels[0].push_back(static_cast<float>(rng.uniform(-0.5, 0.5)));
  }
  const auto source = retake::audio_from_buffer(buffer);
  const retake::MelSpectrogram mel(retake::MelOptions{});
  const std::int64_t rows = mel.rows(source->info());
  std::vector<float> out(static_cast<std::size_t>(rows * 128));

  float* time = fftwf_alloc_real(2048);
  fftwf_complex* spectrum = fftwf_alloc_complex(1025);
  const fftwf_plan plan = fftwf_plan_dft_r2c_1d(2048, time, spectrum, FFTW_MEASURE);
  std::copy_n(buffer.channels[0].begin(), 2048, time);

  const auto run_mel = [&](int threads) {
    const kit::Context context(threads);
    mel.compute(*source, context, out.data(), 1.0F, [](std::int64_t, std::int64_t n, float* v) {
      retake::to_decibels(v, n * 128, 1e-10F);
    });
  };
  // Rounds are interleaved, so that a busy machine slows both alike.
  std::vector<double> bare;
  std::vector<double> whole;
  std::vector<double> ratio;
  std::vector<double> scaling;
  for (int round = 0; round < kRounds; ++round) {
    bare.push_back(seconds([&] {
      for (std::int64_t i = 0; i < rows; ++i) fftwf_execute(plan);
    }));
    whole.push_back(seconds([&] { run_mel(1); }));
    ratio.push_back(whole.back() / bare.back());
    const double one = wall_seconds([&] { run_mel(1); });
    scaling.push_back(one / wall_seconds([&] { run_mel(2); }));
  }
  const double best =
      *std::min_element(whole.begin(), whole.end()) / *std::min_element(bare.begin(), bare.end());
  std::printf(
      "frames %lld  bare FFTW %.3f us  log mel %.3f us  ratio of medians %.2f, of best "
      "rounds %.2f (bar %.1f)  two threads %.2fx\n",
      static_cast<long long>(rows), median(bare) / static_cast<double>(rows) * 1e6,
      median(whole) / static_cast<double>(rows) * 1e6, median(ratio), best, kBar, median(scaling));
  fftwf_destroy_plan(plan);
  fftwf_free(spectrum);
  fftwf_free(time);
  return std::min(best, median(ratio)) <= kBar ? 0 : 1;
}
