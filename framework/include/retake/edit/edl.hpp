#pragma once
// The edit decision list: the one type that aligner, labels, pointer sequences, actions, rewards,
// renderer and exports speak.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "retake/audio/time_grid.hpp"
#include "retake/value.hpp"

namespace retake {

enum class Curve { linear, equal_power, equal_gain, exponential };

/// Operation codes per edit frame, as stored in `_ops.npy` (int8). `stop` exists only inside
/// training targets.
enum class Op : std::int8_t {
  copy = 0,
  loop_start = 1,
  loop_end = 2,
  skip = 3,
  fade_in = 4,
  fade_out = 5,
  stop = 6,
};

/// Labels per raw frame. Of several that apply the highest wins.
enum class Label : std::int8_t {
  cut = 0,
  keep = 1,
  loop = 2,
  fade_in = 3,
  fade_out = 4,
  effect = 5,
  transition = 6,
  pad = 7,
};

std::string_view to_string(Curve);
std::string_view to_string(Op);
std::string_view to_string(Label);

/// A recording that segments copy from. Everything but `path` is verified when present.
struct EdlSource {
  std::string path;
  double sample_rate = 0.0;   ///< Hz; 0 when not stated
  int channels = 0;           ///< 0 when not stated
  std::int64_t samples = -1;  ///< per channel; -1 when not stated
  std::string sha256_pcm;     ///< of the interleaved little-endian float32 that libsndfile decodes
};

struct Fade {
  std::int64_t samples = 0;
  Curve curve = Curve::linear;
};

/// Crossfade into the next segment, borrowed from source outside the segment: length is preserved.
struct Join {
  std::int64_t samples = 0;
  Curve curve = Curve::equal_power;
};

struct EdlEffect {
  std::string plugin;
  Table params;
};

struct Segment {
  int source = 0;          ///< index into Edl::sources; -1 for a gap
  std::int64_t begin = 0;  ///< source samples, half open
  std::int64_t end = 0;
  std::int64_t gap = 0;  ///< length in samples at the first source's rate when source == -1
  double gain_db = 0.0;
  std::vector<std::pair<std::int64_t, double>> gain_curve;  ///< (sample, dB); replaces gain_db
  Fade fade_in;
  Fade fade_out{0, Curve::equal_power};
  double rate = 1.0;   ///< playback speed
  double pitch = 0.0;  ///< semitones
  bool reverse = false;
  std::vector<EdlEffect> effects;
  Join join;
  Op op = Op::copy;
  double confidence = 1.0;

  bool is_gap() const { return source < 0; }
  /// floor((end - begin) / rate + 1/2), or the gap's own length.
  std::int64_t output_samples() const;
  /// True when the samples pass unchanged: no gain, fade, rate, pitch, reverse or effect.
  bool is_unity() const;
};

struct Edl {
  std::vector<EdlSource> sources;
  std::vector<Segment> segments;  ///< in output order

  std::int64_t output_samples() const;
  /// Start of each segment in output samples, and the total as the last element.
  std::vector<std::int64_t> output_starts() const;
};

/// Adjacent segments that are one copied run become one (equal settings, end == begin, no join).
void merge_contiguous(Edl& edl);

/// Every problem of an EDL: ranges outside the source, unknown source, NaN, negative lengths, fades
/// longer than the segment, several rates or channel counts. Empty when sound.
std::vector<std::string> problems(const Edl& edl);

/// The whole of one source, unchanged.
Edl identity_edl(EdlSource source);

// ---- JSON (schema retake.edl/1) ----

Value to_value(const Edl& edl);
/// Throws DataError (exit 5) naming `origin` and the segment for everything that is wrong.
Edl edl_from_value(const Value& value, const std::string& origin);
/// Relative source paths are relative to the EDL file and stay relative in the result.
Edl read_edl(const std::string& path);
/// Atomic.
void write_edl(const Edl& edl, const std::string& path);

// ---- Views on a frame grid (definitions: docs/definitions.md) ----

/// int64 per output frame: the raw frame it copies, or -1 where there is no source.
std::vector<std::int64_t> pointers(const Edl& edl, const TimeGrid& output_grid,
                                   const TimeGrid& raw_grid);
/// Op per output frame.
std::vector<Op> ops(const Edl& edl, const TimeGrid& output_grid);
/// Label per raw frame of source `source`.
std::vector<Label> labels(const Edl& edl, const TimeGrid& raw_grid, int source = 0);
/// The EDL that a pointer sequence means: runs of consecutive pointers become segments, -1 a gap.
/// Exact up to the frame grid: pointers(from_pointers(p)) == p.
Edl from_pointers(std::span<const std::int64_t> pointers, EdlSource source,
                  const TimeGrid& output_grid);

}  // namespace retake
