#pragma once
// Loading a plugin. What is loaded stays until the process ends: deleters, autograd nodes and
// modules of a plugin outlive the objects that made them, and crash after dlclose.

#include <filesystem>
#include <vector>

#include "plugin/plugin_file.hpp"
#include "retake/error.hpp"
#include "retake/plugin.hpp"

namespace retake::plugin {

/// Opens the library and runs its registration into a staging registrar. The caller has compared
/// the stamp. Throws PluginError: E218 the system's loader refuses it, E219 no register function,
/// E220 the function comes from a dependency, E221 registration threw. Nothing is kept then.
std::vector<Registration> open_plugin(const std::filesystem::path& path, const Stamp& stamp);

/// What opening the host's LibTorch half was refused with, told to somebody who asked about a
/// plugin: it is not the plugin's fault.
Diagnostic libtorch_problem(const Error& refused);

/// As open_plugin, and what was registered must equal the embedded table: E224.
std::vector<Registration> load_plugin(const PluginFile& file);

}  // namespace retake::plugin
