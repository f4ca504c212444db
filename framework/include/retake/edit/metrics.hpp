#pragma once
// How good an edit is against the human's. Definitions: docs/definitions.md. Torch-free; pure
// functions, thread-safe.

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "retake/edit/edl.hpp"

namespace retake::edit {

/// Metrics of one song by name; a metric that has no meaning for a song (jumps where neither edit
/// has one of that class) is absent, never zero.
using Metrics = std::map<std::string, double>;

/// A stretch of raw material of a known kind, raw samples, half open.
struct MaterialRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::string kind;
};

/// An edit against the truth, both over source 0 of one raw recording of `raw_samples` at the
/// truth's sample rate. Names:
///   edit_f1, edit_precision, edit_recall (±0.5 s), edit_f1_0.05s, edit_f1_0.1s, edit_f1_3s;
///   jump_f1, jump_f1_adjacent, jump_f1_forward, jump_f1_backward (±0.5 s);
///   kept_iou; keep_ratio, keep_ratio_error, length_error; contiguity; segments_per_minute,
///   segments_per_minute_truth; order_tau; accuracy/KIND for every kind in `material`.
Metrics edit_metrics(const Edl& truth, const Edl& edit, std::int64_t raw_samples,
                     std::span<const MaterialRange> material = {});

}  // namespace retake::edit
