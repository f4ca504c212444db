#pragma once
// Windows of output frames with teacher-forced running pointers, and their targets.

#include <cstdint>
#include <vector>

#include "retake/data/corpus.hpp"
#include "retake/edit/pointer_coding.hpp"
#include "retake/nn/tensor_map.hpp"
#include "retake/nn/torch.hpp"
#include "retake/rng.hpp"

namespace pointer_trainer {

/// A song as pointers.
struct Path {
  std::vector<std::int64_t> pointers;  ///< per edit frame, -1 without source
  std::vector<retake::Op> ops;         ///< per edit frame
  std::vector<std::uint8_t> used;      ///< per raw frame
  std::vector<std::int64_t> enters;    ///< raw frames where runs begin, ascending
  std::int64_t raw_rows = 0;
};

Path make_path(const retake::Song& song);

struct WindowOptions {
  std::int64_t windows = 8;    ///< per song
  std::int64_t frames = 1024;  ///< per window; a multiple of 8
  std::int64_t jumps = 512;    ///< most jump targets per song
  double recovery = 0.5;       ///< share of windows that run over the raw instead of along the edit
  double noise = 0.3;          ///< probability that a landing is off
  std::int64_t noise_frames = 16;
};

/// Tensors without the batch dimension (W windows, T frames, J jumps):
///   running i64 [W,T]          raw frame that a plain copy would take next
///   window_mask bool [W,T]     false behind the window's own end
///   delta_target i64 [W,T]     class, or negative
///   use_jump_target, stop_target f32 [W,T] with use_jump_mask, stop_mask bool [W,T]
///   op_target i64 [W,T]        operation code, or -1
///   jump_index i64 [J]         position w * T + t of a jump; jump_mask bool [J]
///   jump_bin, jump_fine i64 [J]
/// Windows along the edit take what the edit did. Windows over the raw say what to do from there:
/// copy what the edit uses, else go to the next place where it enters, stop behind the last: an
/// editor that has strayed learns to come back.
retake::TensorMap make_windows(const Path& path, const retake::PointerCoding& coding,
                               const WindowOptions& options, retake::Rng& rng);

}  // namespace pointer_trainer
