#include "front_end.hpp"

#include <Eigen/Dense>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "retake/audio/feature_table.hpp"
#include "retake/audio/mel.hpp"

namespace self_similarity {

namespace {

constexpr std::int64_t kWindow = 2048, kStep = 1024;  // samples of the short-time transform
constexpr std::int64_t kSteps = kHop / kStep;         // transforms per row
constexpr float kRange = 80.0F;                       // dB

}  // namespace

std::vector<float> slow_log_mel(retake::AudioSource& source, const retake::Context& context,
                                std::int64_t rows, std::int64_t bands) {
  retake::MelOptions options;
  options.stft.sample_rate = kRate;
  options.stft.n_fft = kWindow;
  options.stft.hop = kStep;
  options.n_mels = bands;
  const retake::MelSpectrogram spectrogram(options);
  const std::int64_t steps = spectrogram.rows(source.info());
  std::vector<float> fine = retake::feature_values(steps * bands);
  spectrogram.compute(source, context, fine.data());
  retake::to_decibels(fine.data(), steps * bands, 1e-10F);

  std::vector<float> mel(static_cast<std::size_t>(rows * bands), 0.0F);
  for (std::int64_t r = 0; r < rows; ++r) {
    float* row = mel.data() + r * bands;
    for (std::int64_t offset = -kSteps / 2; offset <= kSteps / 2; ++offset) {
      const float weight = (std::abs(offset) == kSteps / 2 ? 0.5F : 1.0F) / kSteps;
      const std::int64_t t = std::clamp<std::int64_t>(kSteps * r + offset, 0, steps - 1);
      for (std::int64_t b = 0; b < bands; ++b)
        row[b] += weight * fine[static_cast<std::size_t>(t * bands + b)];
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
