#pragma once
// What a training run begins with: its folder, its binaries, its manifest.

#include <string>
#include <utility>
#include <vector>

#include "nn/room.hpp"
#include "run/manifest.hpp"
#include "train_session.hpp"

namespace retake::cli {

/// The plugins of the enabled components, in the order of the experiment.
std::vector<run::PluginUse> plugin_uses(const SessionStart& start);

/// Puts host, libraries and plugins into the run, and what the plugins link beside the system's
/// libraries: they are loaded by now.
void archive(const run::RunFolder& folder, const SessionStart& start);

/// What `train.init_from` names, as the manifest has it; null where there is none. Throws as
/// run::find_checkpoint does.
Value parent_of(const SessionStart& start);

/// Makes the run's folder and writes its configuration; `${run:...}` is substituted in `start`.
run::RunFolder make_folder(SessionStart& start);

/// What a manifest says of this process: "host_program", "plugins", "env".
Table present_facts(const SessionStart& start, nn::Room& room);

/// Writes the manifest of a run that begins.
run::Manifest start_manifest(const run::RunFolder& folder, const SessionStart& start,
                             nn::Room& room, const Value& parent);

/// (name, "min" or "max") of each metric that has a direction.
std::vector<std::pair<std::string, std::string>> metric_goals(const SessionStart& start);

}  // namespace retake::cli
