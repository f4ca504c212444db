#pragma once
// Kind `optimizer`: turns gradients into updates.

#include <memory>
#include <string>
#include <vector>

#include "retake/component.hpp"
#include "retake/context.hpp"

namespace at {
class Tensor;
}

namespace retake {

class TensorMap;  // retake/nn/tensor_map.hpp

/// One parameter as the engine hands it over.
struct NamedParameter {
  std::string name;              ///< dotted, as in the checkpoint
  at::Tensor* tensor = nullptr;  ///< leaf, owned by the model
  bool decay = true;             ///< false for norms, biases and embeddings
};

class Optimizer : public Component {
 public:
  static constexpr const char* kind = "optimizer";
  ~Optimizer() override;

  virtual void attach(std::vector<NamedParameter> parameters) = 0;
  /// The base learning rate of its parameters table, before the schedule.
  virtual double learning_rate() const = 0;
  /// One update with this learning rate from the gradients present; clears them.
  virtual void step(double learning_rate) = 0;
  /// State by "parameter/slot", e.g. "encoder.0.weight/exp_avg".
  virtual void save(TensorMap& state) const = 0;
  virtual void load(const TensorMap& state) = 0;
};

}  // namespace retake
