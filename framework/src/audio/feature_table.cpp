#include "retake/audio/feature_table.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "retake/error.hpp"

namespace retake {
namespace {

/// Blocks must tile the columns from 0 on: returns their number.
std::int64_t count_columns(const std::vector<FeatureBlock>& blocks) {
  std::int64_t columns = 0;
  for (const FeatureBlock& block : blocks) {
    if (block.offset != columns || block.width < 1) {
      throw std::invalid_argument("feature block `" + block.name +
                                  "` does not start where the one before it ends");
    }
    columns += block.width;
  }
  return columns;
}

constexpr std::uintptr_t kLargePage = 1 << 21;  // of x86-64 and of arm64 with 4 kB pages

}  // namespace

std::vector<float> feature_values(std::int64_t count) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(count));  // address space, not touched yet
  const auto begin = reinterpret_cast<std::uintptr_t>(values.data());
  const std::uintptr_t end = begin + values.capacity() * sizeof(float);
  const std::uintptr_t first = (begin + kLargePage - 1) / kLargePage * kLargePage;
  // A wish: where it is not granted, nothing but time is lost.
  if (first + kLargePage <= end) {
    ::madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
  }
  values.resize(static_cast<std::size_t>(count));
  return values;
}

FeatureTable::FeatureTable(TimeGrid grid, std::vector<FeatureBlock> blocks,
                           std::vector<float> values, FeatureSpec spec)
    : grid_(std::move(grid)),
      blocks_(std::move(blocks)),
      columns_(count_columns(blocks_)),
      spec_(std::move(spec)) {
  if (static_cast<std::int64_t>(values.size()) != grid_.rows * columns_) {
    throw std::invalid_argument("a feature table of " + std::to_string(grid_.rows) + " rows and " +
                                std::to_string(columns_) + " columns was given " +
                                std::to_string(values.size()) + " values");
  }
  auto owned = std::make_shared<const std::vector<float>>(std::move(values));
  values_ = owned->data();
  owner_ = std::move(owned);
}

FeatureTable::FeatureTable(TimeGrid grid, std::vector<FeatureBlock> blocks, const float* values,
                           std::shared_ptr<const void> owner, FeatureSpec spec)
    : grid_(std::move(grid)),
      blocks_(std::move(blocks)),
      columns_(count_columns(blocks_)),
      values_(values),
      owner_(std::move(owner)),
      spec_(std::move(spec)) {}

bool FeatureTable::has(std::string_view name) const {
  return std::any_of(blocks_.begin(), blocks_.end(),
                     [&](const FeatureBlock& block) { return block.name == name; });
}

const FeatureBlock& FeatureTable::block(std::string_view name) const {
  for (const FeatureBlock& block : blocks_) {
    if (block.name == name) return block;
  }
  Diagnostic diagnostic;
  diagnostic.id = "E430";
  diagnostic.message = "the features have no block named `" + std::string(name) + "`";
  std::string there;
  for (const FeatureBlock& block : blocks_) there += (there.empty() ? "" : ", ") + block.name;
  diagnostic.facts.push_back("extractor `" + spec_.extractor + "` gives: " + there);
  diagnostic.help = "use one of these blocks, or another feature extractor";
  throw DataError(std::move(diagnostic));
}

}  // namespace retake
