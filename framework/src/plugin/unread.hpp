#pragma once
// Values that the user set and no component read.

#include <cstdint>
#include <vector>

#include "config/experiment.hpp"
#include "plugin/arena.hpp"

namespace retake::plugin {

/// A warning (W26) for each parameter that was set away from its default and that its component has
/// not read in `steps` steps of training. Only members of type Param can be told.
std::vector<Diagnostic> unread_values(const config::ResolvedExperiment& experiment,
                                      const Arena& arena, std::int64_t steps);

}  // namespace retake::plugin
