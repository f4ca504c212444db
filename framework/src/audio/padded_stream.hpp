#pragma once
// A mono stream with its padding before and after, pulled in order.

#include <cstdint>
#include <vector>

#include "retake/audio/stft.hpp"

namespace retake::audio {

/// Position p of the padded signal is sample p - pad of the recording, multiplied by `gain`.
class PaddedStream {
 public:
  PaddedStream(AudioSource& source, double sample_rate, std::int64_t pad, PadMode mode, float gain);

  /// Writes the next `n` samples of the padded signal; beyond its end there are zeros.
  void pull(float* out, std::int64_t n);

 private:
  void pull_inside(float* out, std::int64_t n);
  float outside(std::int64_t index) const;

  MonoStream stream_;
  std::int64_t pad_;
  PadMode mode_;
  float gain_;
  std::int64_t total_;
  std::int64_t next_;        ///< index of the next sample; starts at -pad
  std::vector<float> head_;  ///< the first pad + 1 samples, for reflecting before the start
  std::vector<float> tail_;  ///< the last pad + 1 samples seen, for reflecting behind the end
};

}  // namespace retake::audio
