#pragma once
// How rows of a table map to time.

#include <cstdint>
#include <vector>

namespace retake {

/// Either a uniform grid, row t centred on t * hop / rate seconds (rational, so that 256 samples at
/// 22,050 Hz are exactly 557.28 samples at 48 kHz), or a list of beat times.
struct TimeGrid {
  std::int64_t hop = 256;     ///< samples at `rate`; 0 for a list
  std::int64_t rate = 22050;  ///< Hz
  std::int64_t rows = 0;

  struct Beat {
    double time = 0.0;        ///< seconds
    float position = 0.0F;    ///< in the bar, 0 = downbeat
    float confidence = 1.0F;  ///< 0..1
  };
  std::vector<Beat> beats;  ///< used when hop == 0; `rows` of them

  double seconds(std::int64_t row) const {
    return hop != 0
               ? static_cast<double>(row) * static_cast<double>(hop) / static_cast<double>(rate)
               : beats[static_cast<std::size_t>(row)].time;
  }
  double rows_per_second() const { return static_cast<double>(rate) / static_cast<double>(hop); }
  friend bool operator==(const TimeGrid& a, const TimeGrid& b);
};

/// ceil(samples * to_rate / from_rate): the length of a recording after resampling. Exact for whole
/// rates.
std::int64_t resampled_length(std::int64_t samples, double from_rate, double to_rate);

/// Rows of a recording on the standard grid (22,050 Hz, hop 256): n22 = ceil(samples * 22050 / sr),
/// rows = 1 + floor(n22 / 256).
TimeGrid frame_grid(std::int64_t samples, double sample_rate, std::int64_t hop = 256,
                    std::int64_t rate = 22050);

}  // namespace retake
