#pragma once
// Kind `lr_schedule`: the learning rate over the steps of a run.

#include <cstdint>

#include "retake/component.hpp"
#include "retake/context.hpp"

namespace retake {

/// A pure function of the step. Torch-free.
class LrSchedule : public Component {
 public:
  static constexpr const char* kind = "lr_schedule";
  ~LrSchedule() override;

  /// Factor on the base learning rate at `step` of `total` (0 when unlimited); > 0.
  virtual double factor(std::int64_t step, std::int64_t total) const = 0;
};

}  // namespace retake
