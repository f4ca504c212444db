#include "retake/nn/inputs.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "retake/error.hpp"
#include "retake/nn/masked.hpp"
#include "retake/nn/raw_encoder.hpp"

namespace retake {

ReadsRecording::~ReadsRecording() = default;

namespace {

constexpr std::int64_t kHop = 256, kRate = 22050;

[[noreturn]] void fail(const std::string& message, const std::string& help) {
  throw DataError(Diagnostic{Severity::error, "E163", message, {}, {}, {}, help});
}

struct BlockOf {
  const FeatureTable* table = nullptr;
  FeatureBlock block;
};

BlockOf find_block(const std::map<std::string, FeatureTable>& features, const std::string& name) {
  const std::size_t dot = name.find('.');
  const auto table = features.find(name.substr(0, dot));
  if (dot == std::string::npos || table == features.end()) {
    std::string known;
    for (const auto& [key, value] : features) known += (known.empty() ? "" : ", ") + key;
    fail("the model reads `" + name + "`, but there is no such feature table",
         "add [feature_extractor." + name.substr(0, dot) + "]; there are: " + known);
  }
  return {&table->second, table->second.block(name.substr(dot + 1))};
}

bool on_standard_grid(const TimeGrid& grid) {
  return grid.hop == kHop && grid.rate == kRate;
}

/// Rows [first, first + count) of a block, by `row_of`.
template <class RowOf>
void copy_rows(const BlockOf& from, std::int64_t count, RowOf row_of, at::Tensor& into,
               std::int64_t column) {
  auto* out = into.data_ptr<float>();
  const std::int64_t stride = into.size(1);
  for (std::int64_t t = 0; t < count; ++t) {
    const float* row = from.table->row(row_of(t)).data() + from.block.offset;
    std::copy(row, row + from.block.width, out + t * stride + column);
  }
}

/// The row of a coarse table nearest in time to a frame of the standard grid.
std::int64_t nearest_row(const TimeGrid& grid, std::int64_t frame) {
  const double row = static_cast<double>(frame) * kHop / kRate * grid.rows_per_second();
  return std::clamp<std::int64_t>(std::llround(row), 0, grid.rows - 1);
}

}  // namespace

std::int64_t total_width(const ModelInputs& inputs, const std::vector<std::string>& blocks) {
  std::int64_t total = 0;
  for (const std::string& name : blocks) {
    const auto found = std::find_if(inputs.feature_widths.begin(), inputs.feature_widths.end(),
                                    [&](const auto& item) { return item.first == name; });
    if (found == inputs.feature_widths.end()) {
      std::string known;
      for (const auto& [key, width] : inputs.feature_widths) {
        known += (known.empty() ? "" : ", ") + key;
      }
      throw ConfigError(Diagnostic{
          Severity::error,
          "E160",
          "the model reads the feature block `" + name + "`, which no feature extractor gives",
          {},
          {},
          {"there are: " + (known.empty() ? "none" : known)},
          "add the extractor, or name another block"});
    }
    total += found->second;
  }
  return total;
}

std::int64_t raw_frames(const std::map<std::string, FeatureTable>& features,
                        const InputLayout& layout) {
  std::int64_t frames = -1;
  for (const std::string& name : layout.frames) {
    const BlockOf b = find_block(features, name);
    if (!on_standard_grid(b.table->grid())) {
      fail("`" + name + "` is not on the standard grid (22,050 Hz, hop 256)",
           "read it as a slow feature, or extract it at that rate and hop");
    }
    if (frames >= 0 && b.table->rows() != frames) {
      fail("the tables that the model reads have " + std::to_string(frames) + " and " +
               std::to_string(b.table->rows()) + " rows",
           "compute the features again from the same recording");
    }
    frames = b.table->rows();
  }
  for (const std::string& name : layout.slow) {
    const BlockOf b = find_block(features, name);
    if (b.table->grid().hop == 0 || b.table->rows() < 1) {
      fail("`" + name + "` is not on a uniform grid", "read features that have a hop");
    }
  }
  if (frames < 1) fail("the recording has no feature rows", "give a recording with samples in it");
  return frames;
}

TensorMap recording_inputs(const std::map<std::string, FeatureTable>& features,
                           const InputLayout& layout, std::int64_t begin, std::int64_t count) {
  const std::int64_t frames = raw_frames(features, layout);
  if (begin < 0 || begin % kSlowFrames != 0 || count < 1 || begin + count > frames) {
    fail("frames " + std::to_string(begin) + " to " + std::to_string(begin + count) +
             " are no part of a recording of " + std::to_string(frames),
         "this is a mistake in the program: please report it");
  }
  auto gather = [&](const std::vector<std::string>& names, std::int64_t rows, auto row_of) {
    std::int64_t width = 0, column = 0;
    for (const std::string& name : names) width += find_block(features, name).block.width;
    at::Tensor values = at::empty({rows, width}, at::kFloat);
    for (const std::string& name : names) {
      const BlockOf b = find_block(features, name);
      copy_rows(
          b, rows, [&](std::int64_t t) { return row_of(b.table->grid(), t); }, values, column);
      column += b.block.width;
    }
    return values;
  };
  TensorMap tensors;
  tensors.set("frames", gather(layout.frames, count,
                               [&](const TimeGrid&, std::int64_t t) { return begin + t; }));
  if (!layout.slow.empty()) {
    const std::int64_t rows = (count + kSlowFrames - 1) / kSlowFrames;
    tensors.set("slow", gather(layout.slow, rows, [&](const TimeGrid& grid, std::int64_t r) {
                  return nearest_row(grid, begin + r * kSlowFrames);
                }));
  }
  return tensors;
}

TensorMap batch_inputs(std::span<const TensorMap> recordings) {
  std::int64_t frames = 0;
  std::vector<std::int64_t> lengths;
  for (const TensorMap& r : recordings) {
    lengths.push_back(r.at("frames").size(0));
    frames = std::max(frames, lengths.back());
  }
  auto stack = [&](const char* name, std::int64_t rows) {
    const at::Tensor& first = recordings.front().at(name);
    at::Tensor all = at::zeros({static_cast<std::int64_t>(recordings.size()), rows, first.size(1)},
                               first.options());
    for (std::size_t i = 0; i < recordings.size(); ++i) {
      const at::Tensor& one = recordings[i].at(name);
      all[static_cast<std::int64_t>(i)].narrow(0, 0, one.size(0)).copy_(one);
    }
    return all;
  };
  TensorMap batch;
  batch.set("frames", stack("frames", frames));
  if (recordings.front().contains("slow")) {
    batch.set("slow", stack("slow", (frames + kSlowFrames - 1) / kSlowFrames));
  }
  batch.set("frame_mask", length_mask(at::tensor(lengths), frames));
  return batch;
}

}  // namespace retake
