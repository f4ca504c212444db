// Key functions of the environment's kinds: their type information lives here.

#include "retake/kinds/action_space.hpp"
#include "retake/kinds/reward.hpp"

namespace retake {

ActionSpace::~ActionSpace() = default;
Reward::~Reward() = default;

}  // namespace retake
