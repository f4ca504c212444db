// Key functions of the kinds that need nothing but the core: their type information lives here.

#include "retake/kinds/lr_schedule.hpp"

namespace retake {

LrSchedule::~LrSchedule() = default;

}  // namespace retake
