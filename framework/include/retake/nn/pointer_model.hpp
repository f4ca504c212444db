#pragma once
// What an editor needs of a model that points: encode a recording once, then score output frames
// block by block, going back where a guess was wrong.
//
// Shapes: T output frames of a block (a multiple of 8), D largest delta, J jumps, C = ceil(S / Q)
// bins of Q frames, N = ceil(S / 8) tokens.

#include <memory>
#include <vector>

#include "retake/edit/pointer_coding.hpp"
#include "retake/nn/tensor_map.hpp"

namespace retake {

/// An encoded recording; made by PointerModel::encode and read by the same model alone.
class PointerMemory {
 public:
  virtual ~PointerMemory();
  virtual std::int64_t frames() const = 0;
};

/// What a decoder remembers of the output frames before a block. Immutable.
class PointerState {
 public:
  virtual ~PointerState();
};

/// Per output frame of a block.
struct PointerScores {
  at::Tensor delta;     ///< logits [T, 2 D + 1]
  at::Tensor use_jump;  ///< logits [T]
  at::Tensor stop;      ///< logits [T]
  at::Tensor query;     ///< [T, E]: where a jump from here would go, for jump_bins and jump_fine
};

/// Optional interface of models that point. Called in evaluation mode, without gradients, from one
/// thread.
class PointerModel {
 public:
  virtual ~PointerModel();

  virtual PointerCoding coding() const = 0;
  /// `inputs` as of retake/nn/inputs.hpp with B = 1. O(S).
  virtual std::shared_ptr<const PointerMemory> encode(const TensorMap& inputs) = 0;
  /// The heads on the raw timeline: keep, start, end logits [N].
  virtual TensorMap timeline(const PointerMemory& memory) = 0;

  /// The state before the first output frame.
  virtual std::shared_ptr<const PointerState> start(const PointerMemory& memory) = 0;
  /// Scores output frames whose running pointers (the raw frame that a plain copy would take next)
  /// are `running` int64 [T], T a multiple of 8. `block` receives what advance needs.
  virtual PointerScores score(const PointerMemory& memory, const PointerState& before,
                              const at::Tensor& running,
                              std::shared_ptr<const PointerState>& block) = 0;
  /// The state after the first `frames` (a multiple of 8) frames of a scored block.
  virtual std::shared_ptr<const PointerState> advance(const PointerState& before,
                                                      const PointerState& block,
                                                      std::int64_t frames) = 0;
  /// log P(bin | jump) for queries [J, E] from the running pointers `from` [J]: [J, C].
  virtual at::Tensor jump_bins(const PointerMemory& memory, const at::Tensor& queries,
                               const at::Tensor& from) = 0;
  /// log P(frame inside the bin | jump, bin): [J, Q] for `bins` [J].
  virtual at::Tensor jump_fine(const PointerMemory& memory, const at::Tensor& queries,
                               const at::Tensor& bins) = 0;
};

}  // namespace retake
