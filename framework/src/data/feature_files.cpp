#include "data/feature_files.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/npy.hpp"
#include "retake/error.hpp"

namespace retake::data {
namespace {

constexpr std::int64_t kTile = 64;  // rows and columns of a tile that stays in the cache

/// `to[c * rows + r]` = `from[r * stride + c]` for `rows` by `columns` values.
void transpose(const float* from, std::int64_t stride, std::int64_t rows, std::int64_t columns,
               float* to) {
  for (std::int64_t r0 = 0; r0 < rows; r0 += kTile) {
    const std::int64_t r1 = std::min(rows, r0 + kTile);
    for (std::int64_t c0 = 0; c0 < columns; c0 += kTile) {
      const std::int64_t c1 = std::min(columns, c0 + kTile);
      for (std::int64_t c = c0; c < c1; ++c) {
        for (std::int64_t r = r0; r < r1; ++r) to[c * rows + r] = from[r * stride + c];
      }
    }
  }
}

[[noreturn]] void wrong_layout(const std::filesystem::path& path, const std::string& what) {
  throw DataError(file_diagnostic("E444", path.string(), what,
                                  "compute the features from the audio: retake features AUDIO"));
}

/// The uniform grid that `times` (seconds) lie on.
TimeGrid grid_of(const NpyArray& times, std::int64_t rows, const std::filesystem::path& path) {
  const std::vector<double> t = times.values<double>();
  if (static_cast<std::int64_t>(t.size()) != rows) {
    wrong_layout(path, "`times` has " + std::to_string(t.size()) + " values for " +
                           std::to_string(rows) + " rows of `mel`");
  }
  TimeGrid grid;
  grid.rows = rows;
  if (rows < 2) return grid;
  for (const auto& [hop, rate] : {std::pair<std::int64_t, std::int64_t>{256, 22050},
                                  {512, 44100},
                                  {512, 22050},
                                  {512, 48000},
                                  {256, 44100}}) {
    grid.hop = hop;
    grid.rate = rate;
    if (std::abs(t.back() - grid.seconds(rows - 1)) < 1e-6 * std::max(1.0, t.back())) return grid;
  }
  wrong_layout(path, "`times` lie on no grid that is known");
}

}  // namespace

void write_features_npz(const std::filesystem::path& path, const FeatureTable& table) {
  NpzWriter writer(path);
  for (const FeatureBlock& block : table.blocks()) {
    std::vector<float> turned = feature_values(block.width * table.rows());
    transpose(table.data() + block.offset, table.columns(), table.rows(), block.width,
              turned.data());
    writer.add(block.name, std::move(turned), {block.width, table.rows()});
  }
  std::vector<double> times;
  for (std::int64_t t = 0; t < table.rows(); ++t) times.push_back(table.grid().seconds(t));
  writer.add("times", std::move(times), {table.rows()});
  writer.finish();
}

FeatureTable read_mel_npz(const std::filesystem::path& path) {
  const NpyArray mel = read_npz(path, "mel");
  if (mel.shape.size() != 2 || mel.shape[0] < 1 || mel.shape[1] < 1) {
    wrong_layout(path, "`mel` is not an array of (n_mels, rows)");
  }
  const std::int64_t n_mels = mel.shape[0];
  const std::int64_t rows = mel.shape[1];
  const std::vector<float> stored = mel.to_f32();
  for (const float v : stored) {
    if (!std::isfinite(v)) wrong_layout(path, "`mel` holds NaN or infinity");
    if (v < -0.001F || v > 1.001F) {
      wrong_layout(path,
                   "`mel` is not scaled to 0..1 as (dB + 80) / 80: it holds " + std::to_string(v));
    }
  }
  TimeGrid grid;
  grid.rows = rows;
  const std::vector<std::string> names = npz_names(path);
  if (std::find(names.begin(), names.end(), "times") != names.end()) {
    grid = grid_of(read_npz(path, "times"), rows, path);
  }
  std::vector<float> values(stored.size());
  transpose(stored.data(), rows, n_mels, rows, values.data());
  FeatureSpec spec{"imported", "1", {}};
  spec.params["layout"] = Value("mel_db80");
  return FeatureTable(grid, {{"mel", 0, n_mels, "0..1", true}}, std::move(values), std::move(spec));
}

}  // namespace retake::data
