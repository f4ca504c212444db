#pragma once
// The weights of a model: by name, grouped for optimizers, averaged over time.

#include <memory>
#include <string>
#include <vector>

#include "retake/kinds/model.hpp"
#include "retake/kinds/optimizer.hpp"
#include "retake/nn/tensor_map.hpp"
#include "retake/nn/torch.hpp"

namespace retake::nn {

/// `[optimizer]` or one `[optimizer.NAME]`. A named one owns the parameters whose dotted name
/// starts with NAME and a dot; the unnamed one owns all.
struct NamedOptimizer {
  std::string name;  ///< "main" for the unnamed one
  Optimizer* optimizer = nullptr;
  std::vector<at::Tensor> parameters;
};

/// Hands every trainable parameter to exactly one optimizer. No weight decay on vectors (biases,
/// norms) and embeddings: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, as
/// practised since. Throws ConfigError naming parameters that no or two optimizers own.
void attach_optimizers(torch::nn::Module& module, std::vector<NamedOptimizer>& optimizers);

/// Parameters and buffers by dotted name; the tensors are shared, not copied.
TensorMap module_state(torch::nn::Module& module);

/// Copies `state` into the module. Throws DataError naming `origin` and every name that is missing,
/// too many or of another shape.
void load_module_state(torch::nn::Module& module, const TensorMap& state,
                       const std::string& origin);

/// Global L2 norm of the gradients; scales them down to `max_norm` when it is above (0: never).
/// The norm may be NaN or infinite: the caller decides.
double clip_gradients(const std::vector<NamedOptimizer>& optimizers, double max_norm);

/// Exponential moving average of the parameters (Polyak and Juditsky 1992), for validation and
/// export. Off when `decay` is 0.
class AveragedWeights {
 public:
  AveragedWeights(torch::nn::Module& module, double decay);
  bool on() const { return decay_ > 0.0; }
  void update();
  /// Parameters and averages change places; a second call changes them back.
  void swap();
  /// The averages by name; empty when off.
  TensorMap state() const;
  void load(const TensorMap& state);

 private:
  double decay_;
  std::vector<std::string> names_;
  std::vector<at::Tensor> live_;
  std::vector<at::Tensor> average_;
};

}  // namespace retake::nn
