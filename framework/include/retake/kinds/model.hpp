#pragma once
// Kind `model`: a LibTorch module with named inputs and outputs. This header only declares torch
// types; implementations include retake/nn/torch.hpp.

#include <memory>

#include "retake/component.hpp"
#include "retake/context.hpp"

namespace torch::nn {
class Module;
}

namespace retake {

class TensorMap;  // retake/nn/tensor_map.hpp: ordered names -> at::Tensor

/// What a model is told about its inputs at construction time, after the wiring is known.
struct ModelInputs {
  /// Width of each feature block it may ask for: ("mel.mel", 128), ("similarity.lag", 6).
  std::vector<std::pair<std::string, std::int64_t>> feature_widths;
};

class Model : public Component {
 public:
  static constexpr const char* kind = "model";
  ~Model() override;

  /// Feature blocks it reads, as "table.block"; every one of the experiment's tables by default.
  virtual std::vector<std::string> wanted_features() const { return {}; }
  /// Creates the parameters. Called once, before anything else, with the generator seeded.
  virtual void build(const ModelInputs& inputs) = 0;
  /// The module tree: parameters and buffers by name.
  virtual torch::nn::Module& module() = 0;
  /// One forward pass on named tensors. Results do not depend on padding or batch mates.
  virtual TensorMap forward(const TensorMap& inputs) = 0;
};

}  // namespace retake
