#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "audio/pcm_file.hpp"
#include "catch.hpp"
#include "core/hash.hpp"
#include "retake/audio/hash.hpp"
#include "retake/audio/source.hpp"
#include "sound_kit.hpp"

using namespace retake;

namespace {

std::vector<float> read_range(AudioSource& source, std::int64_t begin, std::int64_t n) {
  std::vector<float> all(static_cast<std::size_t>(n * source.info().channels));
  std::vector<float*> channels;
  for (int c = 0; c < source.info().channels; ++c) channels.push_back(all.data() + c * n);
  source.read(begin, n, channels);
  return all;
}

/// Random ranges, the outside included, equal the same ranges of the whole.
void check_random_access(const std::string& path) {
  const AudioBuffer whole = read_audio(path);
  const auto source = open_audio(path);
  REQUIRE(source->info().samples == whole.samples());
  Rng rng(5);
  for (int trial = 0; trial < 60; ++trial) {
    const std::int64_t begin = rng.integer(-500, whole.samples() + 300);
    const std::int64_t n = rng.integer(0, 20000);
    const std::vector<float> got = read_range(*source, begin, n);
    std::int64_t differing = 0;
    for (std::size_t c = 0; c < whole.channel_count(); ++c) {
      for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t at = begin + i;
        const float want = at >= 0 && at < whole.samples()
                               ? whole.channels[c][static_cast<std::size_t>(at)]
                               : 0.0F;
        differing += got[c * static_cast<std::size_t>(n) + static_cast<std::size_t>(i)] != want;
      }
    }
    REQUIRE(differing == 0);
  }
}

}  // namespace

TEST_CASE("any range of any format equals the same range of one front-to-back decode") {
  const kit::Folder folder;
  const std::vector<float> sound = kit::noise(2 * 100000);
  struct Case {
    const char* name;
    int format;
  };
  for (const Case& c : {Case{"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
                        {"b.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT},
                        {"c.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24},
                        {"d.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
                        {"e.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III},
                        {"f.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_32},
                        {"g.wav", SF_FORMAT_WAV | SF_FORMAT_ULAW},
                        {"h.wav", SF_FORMAT_RF64 | SF_FORMAT_DOUBLE}}) {
    INFO(c.name);
    kit::write_sound(folder / c.name, c.format, 44100, 2, sound);
    check_random_access(folder / c.name);
    const AudioInfo info = open_audio(folder / c.name)->info();
    CHECK(info.lossy == (c.name[0] == 'd' || c.name[0] == 'e' || c.name[0] == 'g'));
    CHECK(info.channels == 2);
    CHECK(info.sample_rate == 44100.0);
  }
}

TEST_CASE("a long lossy file is spilled and its samples stay the same") {
  const kit::Folder folder;
  // 2 channels of 9.5 million samples are 76 MB decoded, more than stays in memory.
  const std::int64_t n = 9'500'000;
  std::vector<float> sound(static_cast<std::size_t>(2 * n));
  for (std::size_t i = 0; i < sound.size(); ++i) {
    sound[i] = 0.25F * std::sin(static_cast<float>(i % 9973) * 0.01F);
  }
  const std::string path = folder / "long.wav";
  kit::write_sound(path, SF_FORMAT_WAV | SF_FORMAT_ULAW, 48000, 2, sound);
  audio::SoundFile plain(path);
  const auto source = open_audio(path);
  REQUIRE(source->info().samples == n);
  std::vector<float> want(2 * 4096);
  for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 4096}) {
    plain.seek(at);
    plain.read_exactly(want.data(), 4096);
    const std::vector<float> got = read_range(*source, at, 4096);
    for (std::size_t i = 0; i < 4096; ++i) {
      REQUIRE(got[i] == want[2 * i]);
      REQUIRE(got[4096 + i] == want[2 * i + 1]);
    }
  }
}

TEST_CASE("unreadable audio says what is wrong with it") {
  const kit::Folder folder;
  const auto id = [](const std::string& path) { return kit::error_id([&] { read_audio(path); }); };
  const std::string good = folder / "good.wav";
  kit::write_sound(good, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 2, kit::noise(40000));
  CHECK(id(good).empty());
  CHECK(id(folder / "missing.wav") == "E410");
  CHECK(id("") == "E410");
  CHECK(id(folder.path().string()) == "E411");
  kit::spit(folder / "empty.wav", "");
  CHECK(id(folder / "empty.wav") == "E412");
  kit::spit(folder / "text.wav", std::string(5000, 'x'));
  CHECK(id(folder / "text.wav") == "E413");
  mkfifo((folder / "pipe.wav").c_str(), 0600);
  CHECK(id(folder / "pipe.wav") == "E411");
  kit::write_sound(folder / "none.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 1, {});
  CHECK(id(folder / "none.wav") == "E416");
  std::vector<float> bad = kit::noise(30000);
  bad[12345] = NAN;
  kit::write_sound(folder / "nan.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44100, 1, bad);
  CHECK(id(folder / "nan.wav") == "E415");
  bad[12345] = INFINITY;
  kit::write_sound(folder / "inf.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44100, 1, bad);
  CHECK(id(folder / "inf.wav") == "E415");
}

TEST_CASE("a file that was cut short is noticed in every container") {
  const kit::Folder folder;
  struct Case {
    const char* name;
    int format;
  };
  for (const Case& c : {Case{"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
                        {"b.wav", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24},
                        {"c.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
                        {"d.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
                        {"e.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III},
                        {"f.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16},
                        {"g.wav", SF_FORMAT_RF64 | SF_FORMAT_FLOAT},
                        {"h.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16},
                        {"i.caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16},
                        {"j.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS}}) {
    INFO(c.name);
    kit::write_sound(folder / c.name, c.format, 48000, 2, kit::noise(400000));
    CHECK(kit::error_id([&] { read_audio(folder / c.name); }).empty());
    const std::string bytes = kit::slurp(folder / c.name);
    kit::spit(folder / c.name, bytes.substr(0, bytes.size() * 2 / 3));
    CHECK(kit::error_id([&] { read_audio(folder / c.name); }) == "E414");
  }
}

TEST_CASE("rates from 8 to 192 kHz, one to eight channels, one sample, Unicode names") {
  const kit::Folder folder;
  for (const int rate : {8000, 11025, 22050, 44100, 48000, 96000, 192000}) {
    for (const int channels : {1, 2, 3, 6, 8}) {
      for (const std::int64_t n : {1, 2, 777}) {
        const std::string path = folder / "Bänd – тест 録音 #1 %20.wav";
        kit::write_sound(path, SF_FORMAT_WAV | SF_FORMAT_PCM_24, rate, channels,
                         kit::noise(n * channels));
        const auto source = open_audio(path);
        REQUIRE(source->info().samples == n);
        REQUIRE(source->info().channels == channels);
        MonoStream stream(*source, 22050.0);
        std::vector<float> out(static_cast<std::size_t>(stream.total()) + 10);
        std::int64_t total = 0;
        while (const auto got = stream.pull(out.data(), 300)) total += got;
        REQUIRE(total == (n * 22050 + rate - 1) / rate);
      }
    }
  }
}

TEST_CASE("the PCM hash is of the sound, not of the file, and of every channel") {
  const kit::Folder folder;
  const std::vector<float> sound = kit::noise(2 * 50000);
  kit::write_sound(folder / "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 2, sound);
  const AudioBuffer decoded = read_audio(folder / "a.wav");
  std::vector<float> interleaved;
  for (std::size_t i = 0; i < 50000; ++i) {
    interleaved.push_back(decoded.channels[0][i]);
    interleaved.push_back(decoded.channels[1][i]);
  }
  audio::PcmReader reader(folder / "a.wav");
  std::vector<std::int32_t> integers(interleaved.size());
  reader.read(0, 50000, integers.data());
  audio::PcmWriter writer(folder / "b.flac", {"flac", "pcm_16", 44100, 2}, 50000);
  writer.write(integers.data(), 50000);
  writer.finish();
  const std::string want = sha256_hex(
      {reinterpret_cast<const char*>(interleaved.data()), interleaved.size() * sizeof(float)});
  CHECK(sha256_pcm(folder / "a.wav") == want);
  CHECK(sha256_pcm(folder / "b.flac") == want);
  const auto source = audio_from_buffer(decoded);
  CHECK(sha256_pcm(*source) == want);
  interleaved[77] += 1.0F / 32768.0F;
  kit::write_sound(folder / "c.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 2, interleaved);
  CHECK(sha256_pcm(folder / "c.wav") != want);
}

TEST_CASE("mono is the mean of the channels and resampling keeps a tone in place") {
  AudioBuffer b;
  b.sample_rate = 48000.0;
  b.channels = {{1.0F, 0.5F}, {0.0F, 0.25F}, {0.5F, 0.0F}};
  const auto source = audio_from_buffer(b);
  std::array<float, 4> out{};
  source->read_mono(-1, 4, out.data());
  CHECK(out == std::array<float, 4>{0.0F, 0.5F, 0.25F, 0.0F});

  const auto tone = audio_from_buffer(kit::buffer(kit::tone(96000, 440.0, 48000.0), 48000.0));
  MonoStream stream(*tone, 22050.0);
  std::vector<float> all(static_cast<std::size_t>(stream.total()));
  REQUIRE(stream.total() == 44100);
  REQUIRE(stream.pull(all.data(), stream.total()) == stream.total());
  const std::vector<float> want = kit::tone(44100, 440.0, 22050.0);
  double worst = 0.0;
  for (std::size_t i = 2000; i < 42000; ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(all[i]) - want[i]));
  }
  CHECK(worst < 1e-5);
}

TEST_CASE("a stream gives the same samples in pieces of any size, and again after a rewind") {
  const auto source = audio_from_buffer(kit::buffer(kit::noise(150001), 44100.0, 2));
  for (const double rate : {44100.0, 22050.0, 48000.0, 8000.0}) {
    MonoStream stream(*source, rate);
    std::vector<float> whole(static_cast<std::size_t>(stream.total()));
    REQUIRE(stream.pull(whole.data(), stream.total()) == stream.total());
    CHECK(stream.pull(whole.data(), 1) == 0);
    stream.rewind();
    std::vector<float> pieces;
    std::vector<float> piece(9000);
    Rng rng(3);
    while (const auto n = stream.pull(piece.data(), rng.integer(1, 9000))) {
      pieces.insert(pieces.end(), piece.begin(), piece.begin() + n);
    }
    CHECK(pieces == whole);
  }
}
