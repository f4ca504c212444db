#pragma once
// Where samples are read from: a file that is streamed, or a buffer.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "retake/audio/buffer.hpp"

namespace retake {

/// Facts of a recording.
struct AudioInfo {
  std::string path;          ///< as given; empty for a buffer
  double sample_rate = 0.0;  ///< Hz
  int channels = 0;
  std::int64_t samples = 0;  ///< per channel, of the decode
  std::string container;     ///< "wav", "rf64", "flac", "ogg", "mp3", ...
  std::string subtype;       ///< "pcm_16", "pcm_24", "pcm_32", "float", "double", "vorbis", ...
  bool lossy = false;
};

/// Random access to decoded samples. Positions are samples per channel. Lossy files, whose header
/// counts and seeks are not sample-exact, are decoded once from front to back behind this interface
/// so that any position means the same each time. One thread at a time.
class AudioSource {
 public:
  virtual ~AudioSource();
  virtual const AudioInfo& info() const = 0;
  /// Reads [begin, begin + n) of every channel into `out[c][0, n)`, as libsndfile's float32.
  /// Outside the recording there are zeros. Throws DataError on a broken file.
  virtual void read(std::int64_t begin, std::int64_t n, std::span<float* const> out) = 0;
  /// Mean of the channels.
  void read_mono(std::int64_t begin, std::int64_t n, float* out);
};

/// Opens an audio file. Throws DataError (missing, empty, not audio, truncated, NaN samples are
/// found when read) naming the file and the remedy.
std::unique_ptr<AudioSource> open_audio(const std::string& path);
/// A source over samples in memory; the buffer is moved in.
std::unique_ptr<AudioSource> audio_from_buffer(AudioBuffer buffer, std::string name = {});
/// Reads a whole file. Meant for short files; long ones are streamed.
AudioBuffer read_audio(const std::string& path);

/// The samples of `source`, mono, resampled to `sample_rate` with libsoxr (high quality), pulled in
/// order from sample 0. The output has ceil(samples * sample_rate / source_rate) samples.
class MonoStream {
 public:
  MonoStream(AudioSource& source, double sample_rate);
  ~MonoStream();
  MonoStream(const MonoStream&) = delete;
  MonoStream& operator=(const MonoStream&) = delete;

  std::int64_t total() const;
  /// Fills up to `n` samples; returns how many, 0 at the end.
  std::int64_t pull(float* out, std::int64_t n);
  void rewind();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace retake
