#pragma once
// A model and its editor from a checkpoint alone.

#include "nn/room.hpp"

namespace retake::nn {

std::unique_ptr<Inference> load_inference(const std::filesystem::path& checkpoint,
                                          plugin::Registry& registry, Context& context);

}  // namespace retake::nn
