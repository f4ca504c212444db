#pragma once
// What a finished run shows of itself: its edits of a few validation recordings.

#include "data/experiment_data.hpp"
#include "nn/room.hpp"
#include "plugin/registry.hpp"
#include "run/run_folder.hpp"
#include "run_logs.hpp"

namespace retake::cli {

/// Edits up to three validation recordings with the run's best checkpoint (its latest, where none
/// was chosen): artifacts/edits/ID.edl.json, artifacts/audio/ID.flac (.wav for
/// 32-bit samples), artifacts/plots/ID.svg,
/// artifacts/predictions.jsonl, and picture and sound in TensorBoard. Audio of at most ten minutes
/// in all. A recording that cannot be edited is a warning; a stop signal ends it early.
void write_examples(const run::RunFolder& folder, nn::Room& room, plugin::Registry& registry,
                    Context& context, const data::ExperimentData& data, RunLogs& logs);

}  // namespace retake::cli
