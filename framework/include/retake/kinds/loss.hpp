#pragma once
// Kind `loss`: outputs and targets in, a scalar out. Weighted and summed by the trainer.

#include "retake/component.hpp"
#include "retake/context.hpp"

namespace at {
class Tensor;
}

namespace retake {

class TensorMap;  // retake/nn/tensor_map.hpp

class Loss : public Component {
 public:
  static constexpr const char* kind = "loss";
  ~Loss() override;

  /// Scalar, differentiable, finite; every reduction is the tested masked mean of retake/nn.
  /// `outputs` are the model's, `batch` holds inputs and targets; names as declared by traits().
  virtual at::Tensor compute(const TensorMap& outputs, const TensorMap& batch) const = 0;
};

}  // namespace retake
