#pragma once
// Test sounds and files.

#include <sndfile.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <string>
#include <vector>

#include "retake/audio/buffer.hpp"
#include "retake/error.hpp"
#include "retake/rng.hpp"

namespace kit {

/// A fresh folder that goes when the test ends.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "retake-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::vector<float> noise(std::int64_t n, std::uint64_t seed = 1, double level = 0.5) {
  retake::Rng rng(seed);
  std::vector<float> x(static_cast<std::size_t>(n));
  for (float& v : x) v = static_cast<float>(rng.uniform(-level, level));
  return x;
}

inline std::vector<float> tone(std::int64_t n, double hz, double rate, double level = 0.5) {
  std::vector<float> x(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>(
        level * std::sin(2.0 * std::numbers::pi * hz * static_cast<double>(i) / rate));
  }
  return x;
}

inline retake::AudioBuffer buffer(std::vector<float> samples, double rate, int channels = 1) {
  retake::AudioBuffer b;
  b.sample_rate = rate;
  b.channels.assign(static_cast<std::size_t>(channels), samples);
  return b;
}

/// Writes interleaved floats in any format libsndfile knows.
inline void write_sound(const std::string& path, int format, int rate, int channels,
                        const std::vector<float>& interleaved) {
  SF_INFO info{};
  info.format = format;
  info.samplerate = rate;
  info.channels = channels;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) throw std::runtime_error(sf_strerror(nullptr));
  const auto frames = static_cast<sf_count_t>(interleaved.size()) / channels;
  // Vorbis encoders of libsndfile want small pieces.
  for (sf_count_t at = 0; at < frames; at += 4096) {
    sf_writef_float(file, interleaved.data() + at * channels,
                    std::min<sf_count_t>(4096, frames - at));
  }
  sf_close(file);
}

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void spit(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// The id of the DataError that `action` throws; empty when it throws none.
template <class F>
std::string error_id(F&& action) {
  try {
    action();
  } catch (const retake::DataError& error) {
    return error.diagnostics().front().id;
  }
  return {};
}

}  // namespace kit
