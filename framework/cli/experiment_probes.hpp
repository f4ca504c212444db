#pragma once
// What `retake plugins check --experiment` asks of a plugin: to be trained, twice, and resumed.

#include <chrono>
#include <string>
#include <vector>

#include "command.hpp"
#include "plugin/probe.hpp"

namespace retake::cli {

struct ExperimentProbe {
  std::string experiment;
  std::vector<std::string> plugin_path;  ///< the folder of the plugin first
  std::vector<std::string> config_path;
  std::chrono::duration<double> limit{600};  ///< for each training
};

/// The components of the experiment that come from this file, as kind/name. Throws ConfigError as
/// resolving does, UsageError when there is none.
std::vector<std::string> components_from(const ExperimentProbe& probe, const std::string& file);

/// Trains a few steps in temporary folders, each in a process of its own: once, again, and stopped
/// in the middle and resumed.
std::vector<plugin::ProbeResult> probe_experiment(const ExperimentProbe& probe);

}  // namespace retake::cli
