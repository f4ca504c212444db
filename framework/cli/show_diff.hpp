#pragma once
// `retake show EXP --diff OTHER|RUN`: where two experiments differ.

#include <string>

#include "command.hpp"
#include "config/experiment.hpp"

namespace retake::cli {

/// Prints what differs between a resolved experiment and another file, or the resolved
/// configuration of a run, each value with its origin. `only`: one table, all when empty.
/// Throws as resolving does, and DataError E601/E602 when `other` is neither a file nor a run.
void show_difference(const Arguments& arguments, const config::ResolvedExperiment& experiment,
                     const std::string& other, const std::string& runs_dir, const std::string& only,
                     const config::Catalog& catalog);

}  // namespace retake::cli
