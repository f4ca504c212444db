#pragma once
// Exact reading and writing of a file's own samples. libsndfile's float conversion is not
// invertible, so copies travel as integers, or as the file's own floats.

#include <cstdint>
#include <memory>
#include <string>

#include "audio/decoded.hpp"
#include "audio/sound_file.hpp"
#include "core/files.hpp"

namespace retake::audio {

/// What a file's samples are.
enum class SampleKind {
  integer,  ///< PCM of 8, 16, 24 or 32 bits
  float32,  ///< float, and whatever a codec decodes to
  float64,
};

/// How samples are stored.
struct PcmFormat {
  std::string container;  ///< as AudioInfo::container
  std::string subtype;    ///< as AudioInfo::subtype
  int sample_rate = 0;    ///< Hz
  int channels = 0;

  SampleKind kind() const;
  /// Bits of an integer sample; 0 for floats.
  int bits() const;
};

/// Random access to interleaved samples of a file. One thread at a time; the file stays open.
class PcmReader {
 public:
  /// Throws DataError as SoundFile and Decoded do.
  explicit PcmReader(const std::string& path);

  const AudioInfo& info() const { return info_; }
  /// Integer kinds are read with the int32 overload without loss, float64 with the double one.
  SampleKind kind() const { return kind_; }
  int bits() const;

  // Each reads [begin, begin + n) of all channels, interleaved; zeros outside the recording.
  // Throws DataError: E414 for samples that cannot be read, E415 for NaN and infinity.

  /// Integers left-justified in 32 bits, as libsndfile has them: PCM_16 is value * 65536, unsigned
  /// 8-bit is centred. Only for integer files.
  void read(std::int64_t begin, std::int64_t n, std::int32_t* out);
  /// libsndfile's float32. For any file.
  void read(std::int64_t begin, std::int64_t n, float* out);
  /// Exact for every kind: integers as value / 2^31 of the left-justified form.
  void read(std::int64_t begin, std::int64_t n, double* out);

 private:
  template <class T>
  void read_as(std::int64_t begin, std::int64_t n, T* out);

  AudioInfo info_;
  SampleKind kind_ = SampleKind::float32;
  std::unique_ptr<SoundFile> file_;   ///< linear files
  std::unique_ptr<Decoded> decoded_;  ///< the others
};

/// The format that an edit of `source` is written in: the same container and subtype where it is
/// lossless and can be written, else WAV, in 32-bit float for lossy sources.
PcmFormat output_format(const AudioInfo& source);
/// Whether the container can hold samples of this kind, rate and number of channels.
bool can_hold(const PcmFormat& format);
/// ".wav", ".flac", ".w64", ".aiff", ".caf".
std::string file_extension(const PcmFormat& format);

/// Writes a file from front to back; it appears whole at `finish()` or not at all. Containers:
/// wav, wavex, rf64, w64, flac, aiff, caf. A WAV that would not fit in 4 GiB becomes RF64.
class PcmWriter {
 public:
  /// `samples` per channel are about to come (it decides between WAV and RF64). `flac_level` 0..8.
  /// Throws DataError (E417) when the file cannot be created or the format cannot be written.
  PcmWriter(const std::string& path, const PcmFormat& format, std::int64_t samples,
            int flac_level = 5);
  ~PcmWriter();
  PcmWriter(const PcmWriter&) = delete;
  PcmWriter& operator=(const PcmWriter&) = delete;

  const PcmFormat& format() const { return format_; }
  std::int64_t written() const { return written_; }

  // `n` samples per channel, interleaved. Throws DataError (E417): disk full, write error.

  /// Left-justified integers; the lower bits beyond the file's depth must be zero.
  void write(const std::int32_t* samples, std::int64_t n);
  /// For float32 files.
  void write(const float* samples, std::int64_t n);
  /// For float64 files.
  void write(const double* samples, std::int64_t n);
  /// Closes and renames. Throws DataError (E417) when samples are missing or the disk is full.
  void finish();

 private:
  void check(std::int64_t wrote, std::int64_t n);

  std::string path_;
  PcmFormat format_;
  std::int64_t expected_;
  std::int64_t written_ = 0;
  AtomicFile target_;
  SNDFILE* file_ = nullptr;
};

/// The nearest left-justified integer of `bits` to `value` in [-1, 1); ties to even. Values outside
/// the range are clipped, and `clipped` counts them.
std::int32_t quantise(double value, int bits, std::int64_t& clipped);

}  // namespace retake::audio
