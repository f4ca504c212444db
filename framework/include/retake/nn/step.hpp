#pragma once
// What a trainer's step gives to the engine.

#include <map>
#include <string>
#include <vector>

#include "retake/nn/tensor_map.hpp"

namespace retake {

/// One term of the loss. The engine adds `weight * value` over the terms and runs backward once.
struct LossTerm {
  std::string name;
  double weight = 1.0;
  at::Tensor value;  ///< scalar
};

class StepResult {
 public:
  std::vector<LossTerm> terms;
  std::map<std::string, double> metrics;  ///< logged as they are: "train/clip_fraction"
  bool stop_iteration = false;            ///< e.g. the KL limit: begin a new iteration after this
};

}  // namespace retake
