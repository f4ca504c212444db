#pragma once
// Random EDLs, and folders for files, shared by the tests of this room.

#include <filesystem>
#include <string>

#include <unistd.h>

#include "retake/edit/edl.hpp"
#include "retake/rng.hpp"

namespace retake::testing {

/// A fresh folder that goes with its object.
class Scratch {
 public:
  explicit Scratch(const std::string& name)
      : path_(std::filesystem::temp_directory_path() /
              ("retake_edit_" + name + "_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& file) const { return (path_ / file).string(); }

 private:
  std::filesystem::path path_;
};

inline EdlSource source_of(std::int64_t samples, double rate, std::string path = "raw.wav") {
  EdlSource s;
  s.path = std::move(path);
  s.sample_rate = rate;
  s.channels = 2;
  s.samples = samples;
  return s;
}

inline Segment copy_of(std::int64_t begin, std::int64_t end) {
  Segment s;
  s.begin = begin;
  s.end = end;
  return s;
}

inline Segment gap_of(std::int64_t samples) {
  Segment s;
  s.source = -1;
  s.gap = samples;
  return s;
}

/// Any sound EDL of one source with every field in use now and then.
inline Edl random_edl(Rng& rng, double rate, bool plain = false) {
  Edl edl;
  const std::int64_t samples = rng.integer(1, static_cast<std::int64_t>(rate * 20));
  edl.sources.push_back(source_of(samples, rate, "räw \"1\".wav"));
  const auto curve = [&] { return static_cast<Curve>(rng.below(4)); };
  const std::int64_t count = rng.integer(0, 8);
  for (std::int64_t i = 0; i < count; ++i) {
    if (rng.chance(0.15)) {
      edl.segments.push_back(gap_of(rng.integer(1, 40000)));
      continue;
    }
    Segment s;
    s.begin = rng.integer(0, samples - 1);
    s.end = rng.integer(s.begin + 1, samples);
    if (!plain) {
      if (rng.chance(0.2)) s.rate = rng.uniform(0.5, 2.0);
      if (rng.chance(0.1)) s.pitch = rng.uniform(-2.0, 2.0);
      s.reverse = rng.chance(0.1);
      const std::int64_t length = s.output_samples();
      if (rng.chance(0.3)) s.gain_db = rng.uniform(-12.0, 6.0);
      if (rng.chance(0.2)) s.gain_curve = {{0, -3.0}, {length + 0, rng.uniform(-6.0, 0.0)}};
      if (length == 0) s.gain_curve.clear();
      if (rng.chance(0.3)) s.fade_in = {rng.integer(0, length), curve()};
      if (rng.chance(0.3)) s.fade_out = {rng.integer(0, length), curve()};
      if (rng.chance(0.2)) {
        EdlEffect effect;
        effect.plugin = "low_shelf";
        effect.params["gain_db"] = rng.uniform(-3.0, 3.0);
        s.effects.push_back(effect);
      }
      s.op = static_cast<Op>(rng.below(6));
      s.confidence = rng.uniform();
    }
    if (rng.chance(0.5)) s.join = {rng.integer(0, 3000), curve()};
    edl.segments.push_back(std::move(s));
  }
  return edl;
}

}  // namespace retake::testing
