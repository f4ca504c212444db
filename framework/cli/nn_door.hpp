#pragma once
// Opening the torch half on demand.

#include "nn/room.hpp"

namespace retake::cli {

/// Loads libretake_nn on the first call. Throws PluginError (exit 4) saying what is missing.
nn::Room& open_nn_room();

}  // namespace retake::cli
