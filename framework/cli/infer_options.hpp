#pragma once
// What `edit` and `evaluate` share: a checkpoint opened for inference.

#include <memory>

#include "command.hpp"
#include "nn/room.hpp"
#include "run/progress.hpp"
#include "run/run_context.hpp"

namespace retake::cli {

/// A model ready to edit, with what it stands on. Members die in reverse order.
struct OpenModel {
  std::unique_ptr<run::ProgressLine> line;
  std::unique_ptr<plugin::Registry> registry;
  std::unique_ptr<run::RunContext> context;
  std::filesystem::path checkpoint;
  std::unique_ptr<nn::Inference> model;
};

/// --dir, --threads, --device.
void infer_options(po::options_description& options);
/// Opens RUN[:best|latest|STEP] or a checkpoint folder.
OpenModel open_model(const Arguments& arguments, const std::string& run);

}  // namespace retake::cli
