#include "front_end.hpp"

#include <Eigen/Dense>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "retake/audio/fft.hpp"

namespace self_similarity {

namespace {

constexpr std::int64_t kWindow = 2048, kStep = 1024;  // samples of the short-time transform
constexpr std::int64_t kSteps = kHop / kStep;         // transforms averaged per row
constexpr float kRange = 80.0F;                       // dB

double mel_to_hz(double mel) {
  return mel < 15.0 ? mel * 200.0 / 3.0 : 1000.0 * std::exp((mel - 15.0) * std::log(6.4) / 27.0);
}

double hz_to_mel(double hz) {
  return hz < 1000.0 ? hz * 3.0 / 200.0 : 15.0 + 27.0 * std::log(hz / 1000.0) / std::log(6.4);
}

/// Triangles with Slaney's area norm, as (first bin, weights).
struct Band {
  std::int64_t first = 0;
  std::vector<float> weights;
};

std::vector<Band> mel_bands(std::int64_t bands) {
  const double top = hz_to_mel(kRate / 2.0);
  auto edge = [&](std::int64_t i) {
    return mel_to_hz(top * static_cast<double>(i) / static_cast<double>(bands + 1));
  };
  std::vector<Band> result(static_cast<std::size_t>(bands));
  for (std::int64_t b = 0; b < bands; ++b) {
    const double low = edge(b), centre = edge(b + 1), high = edge(b + 2);
    Band& band = result[static_cast<std::size_t>(b)];
    for (std::int64_t k = 0; k <= kWindow / 2; ++k) {
      const double hz = static_cast<double>(k * kRate) / kWindow;
      const double w = std::min((hz - low) / (centre - low), (high - hz) / (high - centre));
      if (w <= 0) continue;
      if (band.weights.empty()) band.first = k;
      band.weights.push_back(static_cast<float>(w * 2.0 / (high - low)));
    }
  }
  return result;
}

/// The resampled recording as overlapping windows, zeros before its start and behind its end.
class Windows {
 public:
  explicit Windows(retake::AudioSource& source)
      : stream_(source, static_cast<double>(kRate)), samples_(kWindow, 0.0F) {}

  /// Moves on by kStep and returns the window. The first window is centred `kStep / 2` samples
  /// before the middle of row 0's four.
  const std::vector<float>& next() {
    std::copy(samples_.begin() + kStep, samples_.end(), samples_.begin());
    float* out = samples_.data() + (kWindow - kStep);
    std::int64_t n = kStep;
    const std::int64_t silent = std::min(n, silence_);
    std::fill(out, out + silent, 0.0F);
    silence_ -= silent;
    out += silent;
    n -= silent;
    while (n > 0) {
      const std::int64_t got = stream_.pull(out, n);
      if (got == 0) break;
      out += got;
      n -= got;
    }
    std::fill(out, out + n, 0.0F);
    return samples_;
  }

 private:
  retake::MonoStream stream_;
  std::vector<float> samples_;
  // Window j spans [-2560 + 1024 j, -512 + 1024 j): its new samples start at -1536 + 1024 j.
  std::int64_t silence_ = kHop / 2 - kStep / 2;
};

}  // namespace

std::vector<float> slow_log_mel(retake::AudioSource& source, std::int64_t rows,
                                std::int64_t bands) {
  const retake::RealFft fft(kWindow);
  const std::vector<Band> filters = mel_bands(bands);
  std::vector<float> hann(kWindow), windowed(kWindow);
  for (std::int64_t i = 0; i < kWindow; ++i) {
    hann[static_cast<std::size_t>(i)] = static_cast<float>(
        0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * static_cast<double>(i) / kWindow));
  }
  std::vector<std::complex<float>> spectrum(fft.bins());
  std::vector<float> power(fft.bins());
  std::vector<float> mel(static_cast<std::size_t>(rows * bands), 0.0F);
  Windows windows(source);
  for (std::int64_t r = 0; r < rows; ++r) {
    float* row = mel.data() + r * bands;
    for (std::int64_t s = 0; s < kSteps; ++s) {
      const std::vector<float>& samples = windows.next();
      for (std::size_t i = 0; i < windowed.size(); ++i) windowed[i] = samples[i] * hann[i];
      fft.forward(windowed.data(), spectrum.data());
      for (std::size_t k = 0; k < power.size(); ++k) power[k] = std::norm(spectrum[k]);
      for (std::int64_t b = 0; b < bands; ++b) {
        const Band& band = filters[static_cast<std::size_t>(b)];
        float sum = 0.0F;
        const float* p = power.data() + band.first;
        for (std::size_t k = 0; k < band.weights.size(); ++k) sum += band.weights[k] * p[k];
        row[b] += 10.0F / kSteps * std::log10(std::max(sum, 1e-10F));
      }
    }
  }
  const float floor = *std::max_element(mel.begin(), mel.end()) - kRange;
  for (float& v : mel) v = std::max(v, floor);
  return mel;
}

std::vector<float> whiten(const std::vector<float>& mel, std::int64_t bands,
                          std::int64_t components) {
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto rows = static_cast<Eigen::Index>(mel.size()) / bands;
  Rows x = Eigen::Map<const Rows>(mel.data(), rows, bands);
  x.colwise() -= x.rowwise().mean().eval();
  x.rowwise() -= x.colwise().mean().eval();
  const Eigen::MatrixXd covariance = (x.transpose() * x).cast<double>() / static_cast<double>(rows);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);
  const Eigen::Index kept = std::min<Eigen::Index>(components, bands);
  const double largest = std::max(solver.eigenvalues()(bands - 1), 1e-9);
  // Directions that hardly vary are noise: their gain is limited.
  const Eigen::VectorXd gain =
      (solver.eigenvalues().tail(kept).array().max(0.0) + 1e-3 * largest).rsqrt();
  const Eigen::MatrixXf basis =
      (solver.eigenvectors().rightCols(kept) * gain.asDiagonal()).cast<float>();
  Rows y = Rows::Zero(rows, components);
  y.leftCols(kept).noalias() = x * basis;
  for (Eigen::Index r = 0; r < rows; ++r) {
    const float norm = y.row(r).norm();
    y.row(r) *= norm > 1e-6F ? 1.0F / norm : 0.0F;
  }
  return {y.data(), y.data() + y.size()};
}

}  // namespace self_similarity
