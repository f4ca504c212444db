#pragma once
// From what a user types to a run or a checkpoint:
//   k7q2m4xa   k7q   runs/2026-11-23_x_k7q2m4xa   last   last~2      RUN[:best|latest|STEP]

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "run/run_folder.hpp"

namespace retake::run {

/// The runs directly below `runs_dir`, oldest first by the date in their names (within a day by
/// name). An absent folder holds none.
std::vector<RunFolder> list_runs(const std::filesystem::path& runs_dir);

/// When the run started, from its manifest, or its date when it has none yet. ISO text, sorts.
/// Throws DataError when the manifest is damaged.
std::string started_at(const RunFolder& run);

/// Id, unique prefix of an id, path, `last`, `last~N` (which pass over runs whose manifest is
/// damaged). Throws DataError: E601 with did-you-mean when there is none, E602 listing the runs
/// when a prefix fits several, or an id several folders.
RunFolder find_run(std::string_view spec, const std::filesystem::path& runs_dir);

/// RUN, RUN:best, RUN:latest, RUN:STEP or the path of a checkpoint folder. RUN alone means its best
/// checkpoint, or the latest with a note in the log while no validation has chosen a best one.
/// Throws DataError (E604) when there is none; the checkpoint's content is not read.
std::filesystem::path find_checkpoint(std::string_view spec, const std::filesystem::path& runs_dir);

}  // namespace retake::run
