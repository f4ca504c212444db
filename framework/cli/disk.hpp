#pragma once
// How much disk a run takes, and how much there is.

#include <cstdint>
#include <filesystem>
#include <optional>

#include "config/experiment.hpp"
#include "retake/error.hpp"

namespace retake::cli {

/// Bytes free where `folder` is, or will be made; 0 when it cannot be told.
double free_bytes(std::filesystem::path folder);

/// Bytes of all checkpoints that a run has at one time, the one being written included.
double checkpoints_bytes(const config::TrainTable& train, std::int64_t one);

/// W32 when more is needed than is free.
std::optional<Diagnostic> disk_warning(double needed, double free);

/// "1.2 GB".
std::string format_bytes(double bytes);

}  // namespace retake::cli
