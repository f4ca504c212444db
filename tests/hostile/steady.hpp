#pragma once
#include "retake/kinds/lr_schedule.hpp"
#include "retake/plugin.hpp"

namespace hostile {

/// A sound component, for plugins whose defect is elsewhere.
class Steady : public retake::LrSchedule {
 public:
  double factor(std::int64_t, std::int64_t) const override { return 1.0; }
};

}  // namespace hostile
