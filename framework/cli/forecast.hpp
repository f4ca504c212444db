#pragma once
// What a run would take, before it is started.

#include "command.hpp"
#include "config/experiment.hpp"
#include "plugin/registry.hpp"

namespace retake::cli {

/// `retake run --dry-run`: builds everything, tries a few steps and one validation on noise as long
/// as the recordings of the data, and prints time, memory and disk. Nothing is written beside
/// temporary files. Returns the exit code.
int forecast_run(const Arguments& arguments, const config::ResolvedExperiment& experiment,
                 plugin::Registry& registry);

}  // namespace retake::cli
