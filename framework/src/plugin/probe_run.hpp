#pragma once
// Running probes, each safe from the others: in child processes, under a time limit.

#include <chrono>
#include <functional>
#include <vector>

#include "plugin/plugin_file.hpp"
#include "plugin/probe.hpp"

namespace retake::plugin {

struct ProbeRun {
  const PluginFile* file = nullptr;  ///< by an absolute path
  std::size_t component = 0;         ///< of the file
  Table params;                      ///< resolved
  /// Required parameters that nobody gave: the component is loaded, and not made.
  std::vector<std::string> missing;
  std::chrono::duration<double> limit{60};  ///< for each probe
  /// Called in the child before anything is loaded: opens LibTorch for a plugin that needs it.
  std::function<void()> prepare;
};

/// Asks one component all general probes and those of its kind. A child process runs them in order
/// and is replaced when one of them ends it, so each probe has its verdict whatever the others do.
/// It works in an empty folder, which is deleted.
/// Throws as run_in_child, and PluginError with what `prepare` threw, told by libtorch_problem;
/// never because of the plugin.
std::vector<ProbeResult> run_probes(const ProbeRun& run);

}  // namespace retake::plugin
