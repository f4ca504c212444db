#pragma once
// EXP [OVERRIDES] on a command line: what check, show, run and others have in common.

#include <string>
#include <vector>

#include "command.hpp"
#include "config/experiment.hpp"
#include "plugin/registry.hpp"

namespace retake::cli {

/// Adds --set-file and --unset.
void add_override_options(po::options_description& options);

/// Which word of the command line holds an option's value.
int value_index(const Arguments& arguments, const TypedOption& option);

/// Overrides from the positionals behind the first `first` and from --unset, in the order typed;
/// --set-file and --config-path besides.
config::LoadOptions read_load_options(const Arguments& arguments, std::size_t first = 1);

/// Adds a note where the experiment has a [sweep], which checking and running it leave alone.
void note_sweep(config::ResolvedExperiment& experiment);

/// Adds a note for each component of the experiment that another folder holds too, further back on
/// the path.
void note_shadowed(config::ResolvedExperiment& experiment, const plugin::Registry& registry);

/// The one experiment a command takes as its first argument. Throws E005 when there is none.
std::string experiment_argument(const Arguments& arguments);

/// Positionals apart: `key=value` words, and the others (files, which may hold `=` where they exist
/// or have a folder in front).
struct SplitPositionals {
  std::vector<std::string> plain;
  std::vector<config::OverrideText> assignments;
};
SplitPositionals split_positionals(const Arguments& arguments);

}  // namespace retake::cli
