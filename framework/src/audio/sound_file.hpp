#pragma once
// A libsndfile handle with every way of being unreadable told apart.

#include <sndfile.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "retake/audio/source.hpp"
#include "retake/error.hpp"

namespace retake::audio {

/// An error about one audio file (exit 5).
DataError audio_error(std::string id, const std::string& path, std::string message,
                      std::string help);

/// An open file in read mode. One thread at a time.
class SoundFile {
 public:
  /// Throws DataError: E410 missing, E411 a folder or no permission, E412 empty, E413 not audio,
  /// E414 truncated, E416 no samples, E418 an unusable rate or channel count.
  explicit SoundFile(const std::string& path);
  ~SoundFile();
  SoundFile(const SoundFile&) = delete;
  SoundFile& operator=(const SoundFile&) = delete;

  /// `samples` is the header's count: an estimate for lossy files.
  const AudioInfo& info() const { return info_; }
  int format() const { return sf_.format; }
  SNDFILE* handle() const { return file_; }
  /// Linear PCM or floats: samples can be reached at random, exactly.
  bool is_linear() const;
  /// Whether an MP3 carries a frame count, so that its header length is not a guess.
  bool has_stated_length() const { return stated_length_; }
  /// Moves to a sample; does nothing when already there.
  void seek(std::int64_t sample);
  /// Reads exactly `n` samples per channel at the current position; E414 when there are fewer.
  template <class T>
  void read_exactly(T* interleaved, std::int64_t n);
  /// Reads up to `n` samples per channel; 0 at the end.
  std::int64_t read_some(float* interleaved, std::int64_t n);

 private:
  void open();
  void check_layout();
  void check_end();
  [[noreturn]] void truncated(std::int64_t have, std::int64_t want) const;

  AudioInfo info_;
  SF_INFO sf_{};
  SNDFILE* file_ = nullptr;
  std::int64_t position_ = 0;
  bool stated_length_ = true;
};

/// libsndfile's format code as the names of AudioInfo: "wav", "pcm_16", ...
std::string container_name(int format);
std::string subtype_name(int format);

/// Index of the first value that is NaN or infinite, or `n`.
std::int64_t first_not_finite(const float* values, std::int64_t n);
std::int64_t first_not_finite(const double* values, std::int64_t n);

/// The E415 error for sample `position` of `path`.
DataError not_finite_error(const std::string& path, std::int64_t position);

}  // namespace retake::audio
