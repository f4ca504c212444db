#pragma once
// From feature tables to the named tensors that editing models read.
//
// Names and shapes (B batch, S raw frames of the standard grid, R = ceil(S / 16)):
//   frames      f32  [B, S, F]   blocks of tables on the standard grid (86.13 rows per second)
//   slow        f32  [B, R, C]   blocks of all coarser tables, the row nearest in time to frame 16
//   r frame_mask  bool [B, S]      true where there is a recording
// `slow` is absent where no slow block is read.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "retake/audio/feature_table.hpp"
#include "retake/kinds/model.hpp"
#include "retake/nn/tensor_map.hpp"

namespace retake {

/// The feature blocks a model reads, as "table.block", in the order of its input channels.
struct InputLayout {
  std::vector<std::string> frames;
  std::vector<std::string> slow;
};

/// Optional interface of models that read a raw recording.
class ReadsRecording {
 public:
  virtual ~ReadsRecording();
  virtual const InputLayout& layout() const = 0;
};

/// Sum of the blocks' widths. Throws ConfigError naming a block that is missing and those there
/// are.
std::int64_t total_width(const ModelInputs& inputs, const std::vector<std::string>& blocks);

/// Frames of the recording: rows of the tables on the standard grid. Throws DataError when a block
/// is missing, a table is not on the grid it must be on, or lengths differ.
std::int64_t raw_frames(const std::map<std::string, FeatureTable>& features,
                        const InputLayout& layout);

/// Raw frames [begin, begin + count) as tensors without the batch dimension; `begin` must be a
/// multiple of 16 and the range lie inside the recording. Copies; throws as raw_frames.
TensorMap recording_inputs(const std::map<std::string, FeatureTable>& features,
                           const InputLayout& layout, std::int64_t begin, std::int64_t count);

/// Puts recordings of different lengths into one batch, padded with zeros behind a false mask.
TensorMap batch_inputs(std::span<const TensorMap> recordings);

}  // namespace retake
