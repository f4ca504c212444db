#pragma once
// The components' own cross-field checks: what their schemas cannot say.

#include <string>

#include "config/experiment.hpp"
#include "plugin/registry.hpp"
#include "retake/schema.hpp"

namespace retake::plugin {

/// E110: what the own check of the component at `path` ("loss.stop", "log_mel") says.
Diagnostic own_check_diagnostic(const Problems::Item& item, const std::string& path);

/// Runs the own check of every enabled component (foreign code: loads the plugins). Throws
/// ConfigError with all that they say, each with the place of its parameter, else as
/// Registry::check.
void run_own_checks(const config::ResolvedExperiment& experiment, Registry& registry);

}  // namespace retake::plugin
