#pragma once
// What is known of a raw recording, per token of 8 frames: the targets of the raw-timeline heads.

#include <cstdint>

#include "retake/data/corpus.hpp"
#include "retake/nn/torch.hpp"

namespace pointer_trainer {

/// All of one length N = ceil(frames / 8); token n covers the time from n - 1/2 to n + 1/2 tokens.
struct Timeline {
  at::Tensor keep;   ///< f32: share of the token that the edit uses
  at::Tensor start;  ///< f32: 1 where the edit enters the raw, falling off within two tokens
  at::Tensor end;    ///< f32: 1 where it leaves
  at::Tensor kind;   ///< i64: index into material_kinds(), -1 where unknown
  at::Tensor known;  ///< bool: false where the alignment is not to be trusted
};

/// `frames` raw frames on the standard grid. Segments below `min_confidence` are unknown.
Timeline make_timeline(const retake::Song& song, std::int64_t frames, double min_confidence);

}  // namespace pointer_trainer
