#pragma once
// A plugin that is missing now may lie in the run.

#include <filesystem>

#include "retake/error.hpp"

namespace retake::cli {

/// The error of a missing plugin, with the run's own copies as remedy where it has some.
PluginError with_archived_plugins(const PluginError& error, const std::filesystem::path& run);

}  // namespace retake::cli
