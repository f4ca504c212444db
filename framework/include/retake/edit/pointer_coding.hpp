#pragma once
// Pointer sequences as classification targets, and back. Torch-free.

#include <cstdint>
#include <span>
#include <vector>

namespace retake {

/// Target class of frames that no loss counts.
inline constexpr std::int64_t kIgnoreClass = -100;

/// The invertible coding. step[t] = ptr[t] - ptr[t-1] - 1 (ptr[-1] = -1), so an untouched copy is
/// step 0 at any compression ratio. |step| <= max_delta is a delta class; anything further is a
/// jump to an absolute target in two stages: bin floor(ptr / bin_frames), then ptr mod bin_frames.
/// Frames without source (-1) are ignored, and the frame behind them is a jump.
struct PointerCoding {
  std::int64_t max_delta = 64;
  std::int64_t bin_frames = 16;  ///< Q, usually 16 or 32

  std::int64_t delta_classes() const { return 2 * max_delta + 1; }
  /// Number of bins over a raw recording of `raw_rows` frames.
  std::int64_t bins(std::int64_t raw_rows) const {
    return (raw_rows + bin_frames - 1) / bin_frames;
  }
};

/// What one frame says: go on by a delta, or jump.
struct PointerStep {
  bool jump = false;
  std::int64_t delta = 0;  ///< class in [0, 2 max_delta]; step + max_delta
  std::int64_t bin = 0;    ///< coarse jump target
  std::int64_t fine = 0;   ///< frame inside the bin
};

/// One value per edit frame and one more for the stop behind the last: T + 1 of each.
struct PointerTargets {
  std::vector<std::int64_t> delta;     ///< [0, 2 max_delta]; kIgnoreClass on jumps and no source
  std::vector<std::int64_t> use_jump;  ///< 0 or 1; kIgnoreClass without source and at the stop
  std::vector<std::int64_t> bin;       ///< kIgnoreClass where use_jump is not 1
  std::vector<std::int64_t> fine;      ///< as `bin`
  std::vector<std::int64_t> stop;      ///< 1 at the real end (index T), 0 before
};

/// Throws std::invalid_argument for a pointer below -1 or a coding without classes.
PointerTargets encode_pointers(std::span<const std::int64_t> pointers, const PointerCoding& coding);

/// The inverse: pointers up to the first stop. Exact for whatever encode_pointers made. Throws
/// std::invalid_argument for lists of different lengths.
std::vector<std::int64_t> decode_pointers(const PointerTargets& targets,
                                          const PointerCoding& coding);

/// The step from `previous` (-1 before the first frame) to `pointer`. `after_gap`: frames without
/// source lie between, so it is a jump whatever the distance.
PointerStep encode_step(std::int64_t previous, std::int64_t pointer, bool after_gap,
                        const PointerCoding& coding);
/// The pointer that `step` leads to from `previous`.
std::int64_t decode_step(std::int64_t previous, const PointerStep& step,
                         const PointerCoding& coding);

/// The prototype's coding, `coding = "expected_position"`: the offset of a pointer from
/// t / ratio, as a delta class, or as one of 32 logarithmic buckets that decode to their lower
/// edge. Not invertible; kept for comparison.
struct ExpectedPositionCoding {
  double ratio = 0.67;
  std::int64_t max_delta = 64;
  static constexpr std::int64_t kBuckets = 32;

  struct Target {
    bool jump = false;        ///< |offset| > max_delta
    std::int64_t delta = 0;   ///< class, saturated where `jump`
    std::int64_t bucket = 0;  ///< [0, 32); meaningful where `jump`
  };

  /// ptr - t / ratio, not rounded.
  double offset(std::int64_t t, std::int64_t pointer) const;
  Target encode(std::int64_t t, std::int64_t pointer) const;
  /// Clamped to [0, raw_rows); halves round to even.
  std::int64_t decode(std::int64_t t, const Target& target, std::int64_t raw_rows) const;

  std::int64_t bucket_of(double offset) const;
  /// The lower edge of a bucket, with its sign.
  double bucket_offset(std::int64_t bucket) const;
};

}  // namespace retake
