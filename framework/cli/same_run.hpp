#pragma once
// Whether a run has been made already.

#include <optional>

#include "command.hpp"
#include "config/experiment.hpp"
#include "plugin/registry.hpp"
#include "run/run_folder.hpp"

namespace retake::cli {

/// The newest finished run below run.dir with the same configuration hash (data by content), the
/// same host and libraries and the same plugin files. Lists and hashes the data, as a run would.
std::optional<run::RunFolder> find_same_run(const Arguments& arguments,
                                            const config::ResolvedExperiment& experiment,
                                            plugin::Registry& registry);

}  // namespace retake::cli
