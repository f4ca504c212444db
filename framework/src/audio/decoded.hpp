#pragma once
// A lossy file, decoded once from front to back, with every sample at hand afterwards.

#include <cstdint>
#include <memory>
#include <vector>

#include "audio/sound_file.hpp"

namespace retake::audio {

/// Interleaved float32. Up to 64 MiB lie in memory; more goes to an unnamed temporary file (in
/// $TMPDIR, else /var/tmp, else /tmp) that is mapped and vanishes with the process.
/// Read-only after construction; thread-safe.
class Decoded {
 public:
  /// Reads `file` to its end. Throws DataError: E414 when it ends before its stated length, E416
  /// when nothing comes out, E417 when the temporary file cannot hold it.
  explicit Decoded(SoundFile& file);
  ~Decoded();
  Decoded(const Decoded&) = delete;
  Decoded& operator=(const Decoded&) = delete;

  std::int64_t samples() const { return samples_; }
  /// `samples() * channels` values.
  const float* data() const { return mapped_ != nullptr ? mapped_ : memory_.data(); }

 private:
  void spill();
  void append(const float* values, std::size_t n);
  void map();

  std::vector<float> memory_;
  const float* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  int descriptor_ = -1;
  std::int64_t samples_ = 0;
};

}  // namespace retake::audio
