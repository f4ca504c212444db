#pragma once
// librosa's mel spectrum written down again in float64, the slow and obvious way.

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

namespace reference {

using Row = std::vector<double>;

inline void fft(std::vector<std::complex<double>>& x) {
  const std::size_t n = x.size();
  if (n == 1) return;
  if (n % 2 != 0) {  // plain DFT of what is left
    std::vector<std::complex<double>> y(n);
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t t = 0; t < n; ++t) {
        const double phase =
            -2.0 * std::numbers::pi * static_cast<double>(k * t % n) / static_cast<double>(n);
        y[k] += x[t] * std::polar(1.0, phase);
      }
    }
    x = y;
    return;
  }
  std::vector<std::complex<double>> even;
  std::vector<std::complex<double>> odd;
  for (std::size_t i = 0; i < n; i += 2) {
    even.push_back(x[i]);
    odd.push_back(x[i + 1]);
  }
  fft(even);
  fft(odd);
  for (std::size_t k = 0; k < n / 2; ++k) {
    const double phase = -2.0 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n);
    const std::complex<double> t = std::polar(1.0, phase) * odd[k];
    x[k] = even[k] + t;
    x[k + n / 2] = even[k] - t;
  }
}

/// numpy.pad(x, pad, mode) at index i of the unpadded signal.
inline double padded(const std::vector<float>& x, long i, bool reflect) {
  const long n = static_cast<long>(x.size());
  if (i >= 0 && i < n) return x[static_cast<std::size_t>(i)];
  if (!reflect) return 0.0;
  while (n > 1 && (i < 0 || i >= n)) i = i < 0 ? -i : 2 * (n - 1) - i;
  return x[static_cast<std::size_t>(n == 1 ? 0 : i)];
}

/// Squared magnitudes [rows][n_fft / 2 + 1].
inline std::vector<Row> power(const std::vector<float>& x, long n_fft, long win, long hop, long pad,
                              bool reflect, double gain = 1.0) {
  std::vector<Row> rows;
  const long lead = (n_fft - win) / 2;
  for (long start = -pad; start + n_fft <= static_cast<long>(x.size()) + pad; start += hop) {
    std::vector<std::complex<double>> frame(static_cast<std::size_t>(n_fft));
    for (long i = 0; i < win; ++i) {
      const double hann = 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * static_cast<double>(i) /
                                               static_cast<double>(win));
      frame[static_cast<std::size_t>(lead + i)] =
          hann * gain * padded(x, start + lead + i, reflect);
    }
    fft(frame);
    Row row;
    for (long k = 0; k <= n_fft / 2; ++k) {
      row.push_back(std::norm(frame[static_cast<std::size_t>(k)]));
    }
    rows.push_back(row);
  }
  return rows;
}

inline double hz_of_mel(double mel, bool htk) {
  if (htk) return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
  return mel < 15.0 ? mel * 200.0 / 3.0 : 1000.0 * std::pow(6.4, (mel - 15.0) / 27.0);
}

inline double mel_of_hz(double hz, bool htk) {
  if (htk) return 2595.0 * std::log10(1.0 + hz / 700.0);
  return hz < 1000.0 ? hz * 3.0 / 200.0 : 15.0 + 27.0 * std::log(hz / 1000.0) / std::log(6.4);
}

/// Filter weights [n_mels][bins].
inline std::vector<Row> filters(double rate, long n_fft, long n_mels, double fmin, double fmax,
                                bool htk, bool area) {
  std::vector<Row> all;
  const double low = mel_of_hz(fmin, htk);
  const double step = (mel_of_hz(fmax, htk) - low) / static_cast<double>(n_mels + 1);
  for (long m = 0; m < n_mels; ++m) {
    const double a = hz_of_mel(low + step * static_cast<double>(m), htk);
    const double b = hz_of_mel(low + step * static_cast<double>(m + 1), htk);
    const double c = hz_of_mel(low + step * static_cast<double>(m + 2), htk);
    Row row;
    for (long k = 0; k <= n_fft / 2; ++k) {
      const double f = static_cast<double>(k) * rate / static_cast<double>(n_fft);
      double w = f <= a || f >= c ? 0.0 : f <= b ? (f - a) / (b - a) : (c - f) / (c - b);
      if (area) w *= 2.0 / (c - a);
      row.push_back(w);
    }
    all.push_back(row);
  }
  return all;
}

/// [rows][n_mels].
inline std::vector<Row> apply(const std::vector<Row>& bank, const std::vector<Row>& spectra) {
  std::vector<Row> out;
  for (const Row& spectrum : spectra) {
    Row row;
    for (const Row& filter : bank) {
      double sum = 0.0;
      for (std::size_t k = 0; k < spectrum.size(); ++k) sum += filter[k] * spectrum[k];
      row.push_back(sum);
    }
    out.push_back(row);
  }
  return out;
}

/// librosa.power_to_db(x, ref=max, top_db=80).
inline std::vector<Row> decibels(std::vector<Row> mel) {
  double loudest = 0.0;
  for (const Row& row : mel) {
    for (const double v : row) loudest = std::max(loudest, v);
  }
  for (Row& row : mel) {
    for (double& v : row) {
      v = 10.0 * std::log10(std::max(1e-10, v)) - 10.0 * std::log10(std::max(1e-10, loudest));
      v = std::max(v, -80.0);  // the loudest is 0 dB
    }
  }
  return mel;
}

}  // namespace reference
