#pragma once
// Samples in memory.

#include <cstdint>
#include <vector>

namespace retake {

/// Planar float32 samples, `[channels][samples]`, nominally in [-1, 1].
struct AudioBuffer {
  double sample_rate = 0.0;                  ///< Hz
  std::vector<std::vector<float>> channels;  ///< all of one length

  std::size_t channel_count() const { return channels.size(); }
  std::int64_t samples() const {
    return channels.empty() ? 0 : static_cast<std::int64_t>(channels.front().size());
  }
};

}  // namespace retake
