#pragma once
// Pairs of noise: to try out how an experiment is wired without reading its data.

#include <filesystem>

#include "retake/context.hpp"
#include "retake/data/pair_set.hpp"

namespace retake::data {

/// Writes two pairs for `train` and one for `val` below `root`, each of `seconds` raw (mono, 44.1
/// kHz), with a few cuts and the exact truth. The same every time.
PairSet write_noise_pairs(const std::filesystem::path& root, double seconds);

}  // namespace retake::data
