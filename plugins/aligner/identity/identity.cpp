#include "identity.hpp"

#include <algorithm>
#include <cmath>

namespace retake {

Alignment Identity::align(AudioSource& raw, AudioSource& edit, const Context&) const {
  const AudioInfo& from = raw.info();
  const AudioInfo& to = edit.info();
  Alignment out;
  EdlSource source;
  source.path = from.path;
  source.sample_rate = from.sample_rate;
  source.channels = from.channels;
  source.samples = from.samples;
  // Lengths of an EDL are at its first source's rate.
  const std::int64_t length =
      std::llround(static_cast<double>(to.samples) * from.sample_rate / to.sample_rate);
  out.edl = identity_edl(std::move(source));
  Segment& copied = out.edl.segments.front();
  copied.end = std::min(length, from.samples);
  if (length > copied.end) {
    Segment gap;
    gap.source = -1;
    gap.gap = length - copied.end;
    gap.confidence = 0.0;
    out.edl.segments.push_back(gap);
  }
  out.grid = frame_grid(to.samples, to.sample_rate);
  out.confidence.assign(static_cast<std::size_t>(out.grid.rows), 0.0F);
  out.gain_db.assign(out.confidence.size(), 0.0F);
  const double raw_seconds = static_cast<double>(from.samples) / from.sample_rate;
  for (std::int64_t t = 0; t < out.grid.rows && out.grid.seconds(t) < raw_seconds; ++t) {
    out.confidence[static_cast<std::size_t>(t)] = 1.0F;
  }
  return out;
}

}  // namespace retake
