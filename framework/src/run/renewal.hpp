#pragma once
// What changed between the attempts of a run, and how it is gone on with.

#include <string>
#include <vector>

#include "retake/value.hpp"
#include "run/run_folder.hpp"

namespace retake::run {

/// What of a run's host, plugins and environment is another now, in words; only what can change its
/// results. `then`: the manifest. `now`: {"host_program", "plugins", "env"} as in a manifest.
std::vector<std::string> changed_facts(const Table& then, const Table& now);

/// Which of metrics.jsonl and trace.jsonl are not what the run wrote, as far as a sealed manifest
/// tells: cut, edited or gone.
std::vector<std::string> altered_logs(const RunFolder& run, const Table& manifest);

/// "retake resume k7q2m4xa", with the folder's path where `resume` would not look by itself; quoted
/// for a shell.
std::string resume_command(const RunFolder& run);

}  // namespace retake::run
