#pragma once
// Features over time, with named blocks.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "retake/audio/time_grid.hpp"
#include "retake/value.hpp"

namespace retake {

/// A named run of columns. Consumers ask by block name; a bare column index never appears.
struct FeatureBlock {
  std::string name;
  std::int64_t offset = 0;  ///< first column
  std::int64_t width = 1;
  std::string unit;  ///< "dB", "0..1", "s", ...
  bool normalised = false;
};

/// Which computation made a table: two tables combine only when all of it is equal.
struct FeatureSpec {
  std::string extractor;  ///< component name
  std::string version;    ///< its algorithm_version()
  Table params;           ///< resolved, only those that affect results
  friend bool operator==(const FeatureSpec&, const FeatureSpec&) = default;
};

/// Zeros to compute the values of a table in: in large pages where the system has them, because
/// touching long arrays page by page costs as much as a tenth of a mel spectrum.
std::vector<float> feature_values(std::int64_t count);

/// Row-major `[rows, columns]` float32 over a TimeGrid. The values are immutable once made and
/// shared: copies are cheap, and a table read from the store is a view of the mapped file.
class FeatureTable {
 public:
  FeatureTable() = default;
  FeatureTable(TimeGrid grid, std::vector<FeatureBlock> blocks, std::vector<float> values,
               FeatureSpec spec);
  /// A view: `values` points at rows * columns floats that `owner` keeps alive.
  FeatureTable(TimeGrid grid, std::vector<FeatureBlock> blocks, const float* values,
               std::shared_ptr<const void> owner, FeatureSpec spec);

  const TimeGrid& grid() const { return grid_; }
  const std::vector<FeatureBlock>& blocks() const { return blocks_; }
  const FeatureSpec& spec() const { return spec_; }
  std::int64_t rows() const { return grid_.rows; }
  std::int64_t columns() const { return columns_; }
  std::span<const float> row(std::int64_t t) const {
    return {values_ + t * columns_, static_cast<std::size_t>(columns_)};
  }
  const float* data() const { return values_; }
  bool has(std::string_view block) const;
  /// Throws DataError listing the blocks there are.
  const FeatureBlock& block(std::string_view name) const;

 private:
  TimeGrid grid_;
  std::vector<FeatureBlock> blocks_;
  std::int64_t columns_ = 0;
  const float* values_ = nullptr;
  std::shared_ptr<const void> owner_;
  FeatureSpec spec_;
};

}  // namespace retake
