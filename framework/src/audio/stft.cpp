#include "retake/audio/stft.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "audio/complex_fft.hpp"
#include "audio/padded_stream.hpp"
#include "retake/audio/time_grid.hpp"

namespace retake {
namespace {

constexpr std::int64_t kBlockRows = 8;           // 8 power rows of 1025 bins are 33 kB
constexpr std::int64_t kBatchRows = 1024;        // read at once, then shared among threads
constexpr std::int64_t kBatchSamples = 1 << 20;  // or less, where hops are long

std::int64_t padding_of(const StftOptions& o) {
  switch (o.padding) {
    case Padding::center:
      return o.n_fft / 2;
    case Padding::same:
      return std::max<std::int64_t>(0, (o.n_fft - o.hop) / 2);
    case Padding::none:
      return 0;
  }
  throw std::logic_error("no such padding");
}

/// Storage of one thread.
struct Scratch {
  Scratch(std::int64_t n_fft, std::int64_t stride)
      : time(audio::aligned_floats(static_cast<std::size_t>(n_fft))),
        spectrum(audio::aligned_floats(static_cast<std::size_t>(n_fft + 2))),
        power(static_cast<std::size_t>(kBlockRows * stride)) {}
  audio::AlignedFloats time;
  audio::AlignedFloats spectrum;
  std::vector<float> power;
};

void multiply(const float* __restrict a, const float* __restrict b, std::int64_t n,
              float* __restrict out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = a[i] * b[i];
}

/// Eight floats, or four complex values: one register of AVX2, two of what is older.
using Vector __attribute__((vector_size(32))) = float;

Vector load(const float* p) {
  Vector v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

/// Factors of `unravel`, four complex values k to k + 3 at a time: U as (re, re, ...) and then as
/// (-im, im, ...), for k = 0, 4, 8, ...
std::vector<float> turning_factors(std::int64_t n) {
  std::vector<float> factors;
  for (std::int64_t k = 0; k <= n / 4; k += 4) {
    std::array<float, 16> group{};
    for (std::size_t j = 0; j < 4; ++j) {
      const double phase = 2.0 * std::numbers::pi *
                               static_cast<double>(k + static_cast<std::int64_t>(j)) /
                               static_cast<double>(n) +
                           std::numbers::pi / 2.0;
      group[2 * j] = group[2 * j + 1] = static_cast<float>(std::cos(phase));
      group[8 + 2 * j] = static_cast<float>(std::sin(phase));
      group[8 + 2 * j + 1] = -group[8 + 2 * j];
    }
    factors.insert(factors.end(), group.begin(), group.end());
  }
  return factors;
}

/// Squared magnitudes of the spectrum of 2m real samples from the transform Z of the m complex
/// values that they form in pairs: X[k] = E + U O and X[m - k] = conj(E - U O), where
/// E = Z[k] + conj Z[m - k], O = Z[k] - conj Z[m - k], U = -i exp(-2 pi i k / 2m); the halves lie
/// in the window. Z[m] must be there and equal Z[0]. (Press et al., Numerical Recipes, 12.3.2.)
void unravel(const float* __restrict z, const float* __restrict factors, std::int64_t m,
             float* __restrict out) {
  const Vector conjugate = {1, -1, 1, -1, 1, -1, 1, -1};
  std::int64_t k = 0;
  for (; k + 3 <= m / 2; k += 4, factors += 16) {
    const Vector there = load(z + 2 * k);
    const Vector back = load(z + 2 * (m - k - 3));
    const Vector mirror = __builtin_shufflevector(back, back, 6, 7, 4, 5, 2, 3, 0, 1) * conjugate;
    const Vector even = there + mirror;
    const Vector odd = there - mirror;
    const Vector swapped = __builtin_shufflevector(odd, odd, 1, 0, 3, 2, 5, 4, 7, 6);
    const Vector turned = load(factors) * odd + load(factors + 8) * swapped;
    const Vector low = (even + turned) * (even + turned);
    const Vector high = (even - turned) * (even - turned);
    const Vector pairs = __builtin_shufflevector(low, high, 0, 2, 8, 10, 4, 6, 12, 14) +
                         __builtin_shufflevector(low, high, 1, 3, 9, 11, 5, 7, 13, 15);
    const Vector sums = __builtin_shufflevector(pairs, pairs, 0, 1, 4, 5, 7, 6, 3, 2);
    std::memcpy(out + k, &sums, 16);
    std::memcpy(out + m - k - 3, reinterpret_cast<const char*>(&sums) + 16, 16);
  }
  for (std::int64_t j = 0; k <= m / 2; ++k, ++j) {
    const float even_r = z[2 * k] + z[2 * (m - k)];
    const float even_i = z[2 * k + 1] - z[2 * (m - k) + 1];
    const float odd_r = z[2 * k] - z[2 * (m - k)];
    const float odd_i = z[2 * k + 1] + z[2 * (m - k) + 1];
    const float ur = factors[2 * j];
    const float ui = factors[8 + 2 * j + 1];
    const float turned_r = ur * odd_r - ui * odd_i;
    const float turned_i = ur * odd_i + ui * odd_r;
    out[k] = (even_r + turned_r) * (even_r + turned_r) + (even_i + turned_i) * (even_i + turned_i);
    out[m - k] =
        (even_r - turned_r) * (even_r - turned_r) + (even_i - turned_i) * (even_i - turned_i);
  }
}

}  // namespace

struct Stft::Impl {
  StftOptions options;
  std::int64_t pad = 0;
  std::int64_t stride = 0;
  std::vector<float> window;  ///< halved
  std::vector<float> factors;
  fftwf_plan plan = nullptr;

  explicit Impl(const StftOptions& o) : options(o) {
    if (options.win_length == 0) options.win_length = options.n_fft;
    const std::int64_t n = options.n_fft;
    if (n < 8 || n % 2 != 0 || options.hop < 1 || options.sample_rate < 1 ||
        options.win_length < 1 || options.win_length > n) {
      throw std::invalid_argument(
          "STFT: n_fft is even and >= 8, hop and sample rate >= 1, 1 <= win_length <= n_fft");
    }
    pad = padding_of(options);
    stride = (n / 2 + 1 + 7) / 8 * 8 + 8;
    window.assign(static_cast<std::size_t>(n), 0.0F);
    const std::int64_t length = options.win_length;
    const std::int64_t lead = (n - length) / 2;
    for (std::int64_t i = 0; i < length; ++i) {
      const double phase =
          2.0 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(length);
      // Hann as a float, as librosa's callers have it; the half is that of `unravel`.
      window[static_cast<std::size_t>(lead + i)] =
          0.5F * static_cast<float>(0.5 - 0.5 * std::cos(phase));
    }
    factors = turning_factors(n);
    plan = audio::forward_complex_plan(static_cast<std::size_t>(n / 2));
  }

  void power_row(const float* samples, Scratch& s, float* out) const {
    const std::int64_t n = options.n_fft;
    const std::int64_t m = n / 2;
    multiply(samples, window.data(), n, s.time.get());
    fftwf_execute_dft(plan, reinterpret_cast<fftwf_complex*>(s.time.get()),
                      reinterpret_cast<fftwf_complex*>(s.spectrum.get()));
    float* z = s.spectrum.get();
    z[n] = z[0];
    z[n + 1] = z[1];
    unravel(z, factors.data(), m, out);
  }
};

Stft::Stft(const StftOptions& options) : impl_(std::make_unique<const Impl>(options)) {}
Stft::~Stft() = default;

const StftOptions& Stft::options() const {
  return impl_->options;
}
std::int64_t Stft::bins() const {
  return impl_->options.n_fft / 2 + 1;
}
std::int64_t Stft::stride() const {
  return impl_->stride;
}

std::int64_t Stft::rows(const AudioInfo& info) const {
  const StftOptions& o = impl_->options;
  const std::int64_t samples =
      resampled_length(info.samples, info.sample_rate, static_cast<double>(o.sample_rate));
  // Even frames centred at the ends hang over by n_fft / 2 on both sides: 1 + samples / hop rows.
  const std::int64_t room = samples + 2 * impl_->pad - o.n_fft;
  return room < 0 ? 1 : 1 + room / o.hop;
}

void Stft::power(AudioSource& source, const Context& context, float gain,
                 const Block& block) const {
  const Impl& s = *impl_;
  const StftOptions& o = s.options;
  const std::int64_t rows = this->rows(source.info());
  const std::int64_t batch_rows =
      std::clamp(kBatchSamples / o.hop / kBlockRows * kBlockRows, kBlockRows, kBatchRows);
  audio::PaddedStream stream(source, static_cast<double>(o.sample_rate), s.pad, o.pad_mode, gain);
  std::vector<float> samples(static_cast<std::size_t>((batch_rows - 1) * o.hop + o.n_fft));
  std::int64_t held = 0;  // samples at the front that the last batch left

  for (std::int64_t first = 0; first < rows && !context.stop_requested(); first += batch_rows) {
    const std::int64_t count = std::min(batch_rows, rows - first);
    const std::int64_t need = (count - 1) * o.hop + o.n_fft;
    stream.pull(samples.data() + held, need - held);
    const auto blocks = static_cast<std::size_t>((count + kBlockRows - 1) / kBlockRows);
    context.parallel_for(blocks, 16, [&](std::size_t begin, std::size_t end) {
      Scratch scratch(o.n_fft, s.stride);
      for (std::size_t b = begin; b < end; ++b) {
        const std::int64_t row = static_cast<std::int64_t>(b) * kBlockRows;
        const std::int64_t n = std::min(kBlockRows, count - row);
        for (std::int64_t i = 0; i < n; ++i) {
          s.power_row(samples.data() + (row + i) * o.hop, scratch,
                      scratch.power.data() + i * s.stride);
        }
        block(first + row, n, scratch.power.data());
      }
    });
    context.progress("spectra", static_cast<double>(first + count), static_cast<double>(rows));
    if (first + count == rows) break;
    // The next batch starts `count` hops on; hops longer than a frame skip samples.
    const std::int64_t advance = count * o.hop;
    held = std::max<std::int64_t>(0, need - advance);
    std::memmove(samples.data(), samples.data() + (need - held),
                 static_cast<std::size_t>(held) * sizeof(float));
    for (std::int64_t skip = advance - need; skip > 0;) {
      const std::int64_t n =
          std::min<std::int64_t>(skip, static_cast<std::int64_t>(samples.size()));
      stream.pull(samples.data(), n);
      skip -= n;
    }
  }
}

}  // namespace retake
