#include <array>
#include <limits>

#include "audio/pcm_file.hpp"
#include "catch.hpp"
#include "retake/audio/hash.hpp"
#include "sound_kit.hpp"

using namespace retake;
using namespace retake::audio;

namespace {

/// Samples of every pattern that fits the depth, the extremes first.
std::vector<std::int32_t> integers(int bits, std::int64_t n) {
  Rng rng(static_cast<std::uint64_t>(bits));
  const std::int64_t top = std::int64_t{1} << (bits - 1);
  std::vector<std::int32_t> x;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t v = i == 0 ? -top : i == 1 ? top - 1 : rng.integer(-top, top - 1);
    x.push_back(static_cast<std::int32_t>(v << (32 - bits)));
  }
  return x;
}

template <class T>
void check_round_trip(const std::string& path, const PcmFormat& format,
                      const std::vector<T>& samples) {
  const auto n = static_cast<std::int64_t>(samples.size()) / format.channels;
  {
    PcmWriter writer(path, format, n);
    const std::int64_t half = n / 2;
    writer.write(samples.data(), half);
    writer.write(samples.data() + half * format.channels, n - half);
    CHECK_FALSE(std::filesystem::exists(path));
    writer.finish();
  }
  PcmReader reader(path);
  CHECK(reader.info().container == format.container);
  CHECK(reader.info().subtype == format.subtype);
  CHECK(reader.info().sample_rate == format.sample_rate);
  CHECK(reader.kind() == format.kind());
  REQUIRE(reader.info().samples == n);
  std::vector<T> back(samples.size());
  reader.read(0, n, back.data());
  CHECK(back == samples);
  const PcmFormat again = output_format(reader.info());
  CHECK(again.container == format.container);
  CHECK(again.subtype == format.subtype);
  std::filesystem::remove(path);
}

}  // namespace

TEST_CASE("a file's own samples pass unchanged, in each format, mono to eight channels") {
  const kit::Folder folder;
  for (const int channels : {1, 2, 5, 8}) {
    const std::int64_t n = 6000 * channels;
    for (const char* container : {"wav", "wavex", "rf64", "w64", "aiff", "caf", "flac"}) {
      for (const char* subtype : {"pcm_16", "pcm_24"}) {
        const PcmFormat format{container, subtype, 48000, channels};
        INFO(container << " " << subtype << " " << channels);
        check_round_trip(folder / "x", format, integers(format.bits(), n));
      }
    }
    check_round_trip(folder / "x", {"wav", "pcm_u8", 8000, channels}, integers(8, n));
    check_round_trip(folder / "x", {"flac", "pcm_s8", 8000, channels}, integers(8, n));
    check_round_trip(folder / "x", {"wav", "pcm_32", 192000, channels}, integers(32, n));
    std::vector<float> floats = kit::noise(n, 4, 3.0);  // beyond [-1, 1] too
    floats[0] = std::numeric_limits<float>::denorm_min();
    floats[1] = -0.0F;
    check_round_trip(folder / "x", {"wav", "float", 44100, channels}, floats);
    check_round_trip(folder / "x", {"w64", "float", 44100, channels}, floats);
    std::vector<double> doubles(floats.begin(), floats.end());
    doubles[2] = 0.1234567890123456789;
    check_round_trip(folder / "x", {"wav", "double", 44100, channels}, doubles);
  }
}

TEST_CASE("integers, libsndfile's floats and exact doubles of a file agree") {
  const kit::Folder folder;
  const std::string path = folder / "x.wav";
  const std::vector<std::int32_t> samples = integers(24, 4000);
  PcmWriter writer(path, {"wav", "pcm_24", 44100, 1}, 4000);
  writer.write(samples.data(), 4000);
  writer.finish();
  PcmReader reader(path);
  std::vector<float> floats(4000);
  std::vector<double> doubles(4000);
  reader.read(0, 4000, floats.data());
  reader.read(0, 4000, doubles.data());
  std::int64_t clipped = 0;
  for (std::size_t i = 0; i < 4000; ++i) {
    REQUIRE(doubles[i] == std::ldexp(samples[i], -31));
    REQUIRE(floats[i] == static_cast<float>(doubles[i]));
    REQUIRE(quantise(doubles[i], 24, clipped) == samples[i]);
  }
  CHECK(clipped == 0);
  CHECK(quantise(1.5, 16, clipped) == 0x7FFF0000);
  CHECK(quantise(-1.5, 16, clipped) == std::numeric_limits<std::int32_t>::min());
  CHECK(clipped == 2);
}

TEST_CASE("the same sound gives the same bytes, and nothing is left of a file given up") {
  const kit::Folder folder;
  const std::vector<float> sound = kit::noise(8000);
  const std::vector<std::int32_t> ints = integers(16, 8000);
  for (int i = 0; i < 2; ++i) {
    PcmWriter writer(folder / std::to_string(i), {"wav", "float", 44100, 2}, 4000);
    writer.write(sound.data(), 4000);
    writer.finish();
    PcmWriter flac(folder / ("f" + std::to_string(i)), {"flac", "pcm_16", 44100, 2}, 4000);
    flac.write(ints.data(), 4000);
    flac.finish();
  }
  CHECK(kit::slurp(folder / "0") == kit::slurp(folder / "1"));
  CHECK(kit::slurp(folder / "f0") == kit::slurp(folder / "f1"));
  kit::spit(folder / "kept.wav", "the old one");
  {
    PcmWriter writer(folder / "kept.wav", {"wav", "float", 44100, 1}, 8000);
    writer.write(sound.data(), 4000);
    CHECK(kit::error_id([&] { writer.finish(); }) == "E417");
  }
  CHECK(kit::slurp(folder / "kept.wav") == "the old one");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 5);
}

TEST_CASE("a WAV beyond 4 GiB is written as RF64 and lossy sources as float WAV") {
  const kit::Folder folder;
  PcmWriter large(folder / "l.wav", {"wav", "pcm_16", 48000, 2}, std::int64_t{1} << 31);
  CHECK(large.format().container == "rf64");
  AudioInfo mp3;
  mp3.container = "mp3";
  mp3.subtype = "mp3";
  mp3.channels = 2;
  mp3.sample_rate = 44100.0;
  mp3.lossy = true;
  CHECK(output_format(mp3).container == "wav");
  CHECK(output_format(mp3).subtype == "float");
  CHECK(file_extension(output_format(mp3)) == ".wav");
  CHECK(kit::error_id([&] {
          PcmWriter(folder / "no.flac", {"flac", "pcm_16", 44100, 9}, 10);
        }) == "E417");
}
