#pragma once
// Audio files for the tests of this room.

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "audio/pcm_file.hpp"
#include "retake/rng.hpp"

namespace retake::testing {

inline audio::PcmFormat format_of(const std::string& container, const std::string& subtype,
                                  int channels, int rate = 44100) {
  audio::PcmFormat format;
  format.container = container;
  format.subtype = subtype;
  format.sample_rate = rate;
  format.channels = channels;
  return format;
}

/// Writes `value(sample, channel)` in [-1, 1).
inline void write_wave(const std::string& path, const audio::PcmFormat& format,
                       std::int64_t samples,
                       const std::function<double(std::int64_t, int)>& value) {
  audio::PcmWriter writer(path, format, samples);
  std::int64_t clipped = 0;
  std::vector<std::int32_t> integers;
  std::vector<float> floats;
  std::vector<double> doubles;
  for (std::int64_t i = 0; i < samples; ++i) {
    for (int c = 0; c < format.channels; ++c) {
      const double v = value(i, c);
      doubles.push_back(v);
      floats.push_back(static_cast<float>(v));
      if (format.kind() == audio::SampleKind::integer) {
        integers.push_back(audio::quantise(v, format.bits(), clipped));
      }
    }
  }
  if (format.kind() == audio::SampleKind::integer) {
    writer.write(integers.data(), samples);
  } else if (format.kind() == audio::SampleKind::float32) {
    writer.write(floats.data(), samples);
  } else {
    writer.write(doubles.data(), samples);
  }
  writer.finish();
}

/// Noise that repeats for a seed.
inline std::function<double(std::int64_t, int)> noise(std::uint64_t seed, double peak = 0.9) {
  return [rng = Rng(seed), peak](std::int64_t, int) mutable { return rng.uniform(-peak, peak); };
}

/// All samples, interleaved; exact for every kind.
inline std::vector<double> samples_of(const std::string& path) {
  audio::PcmReader reader(path);
  std::vector<double> all(static_cast<std::size_t>(reader.info().samples * reader.info().channels));
  reader.read(0, reader.info().samples, all.data());
  return all;
}

}  // namespace retake::testing
