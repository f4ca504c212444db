#include "tracks.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <numbers>
#include <set>

#include "retake/audio/source.hpp"
#include "retake/data/pair_set.hpp"
#include "retake/data/pair_writer.hpp"
#include "retake/error.hpp"
#include "retake/log.hpp"

namespace retake::synthetic {

namespace fs = std::filesystem;

namespace {

bool is_audio(const fs::path& file) {
  static const std::set<std::string> extensions = {
      ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".w64", ".rf64", ".caf"};
  std::string extension = file.extension().string();
  for (char& c : extension) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
  return extensions.count(extension) != 0;
}

/// Letters, digits, `-` and anything beyond ASCII stay; the rest becomes one `_`.
std::string tidy_name(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || static_cast<unsigned char>(c) >= 0x80;
    if (fine) {
      out += c;
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  return out.empty() ? "track" : out;
}

std::vector<fs::path> audio_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, fs::directory_options::follow_directory_symlink,
                                      error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->is_regular_file() && is_audio(it->path())) files.push_back(it->path());
  }
  if (error) {
    throw DataError(
        file_diagnostic("E520", folder.string(),
                        "music folder " + folder.string() + " cannot be read: " + error.message(),
                        "name a folder of finished tracks, or leave `music` empty for "
                        "the built-in band"));
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// A multi-channel view of one channel, so that a mono stream resamples it.
class OneChannel final : public AudioSource {
 public:
  OneChannel(AudioSource& source, std::size_t channel)
      : source_(source), channel_(channel), info_(source.info()) {
    rest_.resize(static_cast<std::size_t>(info_.channels));
    info_.channels = 1;
  }
  const AudioInfo& info() const override { return info_; }
  void read(std::int64_t begin, std::int64_t n, std::span<float* const> out) override {
    std::vector<float*> to;
    for (std::size_t c = 0; c < rest_.size(); ++c) {
      if (c != channel_) rest_[c].resize(static_cast<std::size_t>(n));
      to.push_back(c == channel_ ? out[0] : rest_[c].data());
    }
    source_.read(begin, n, to);
  }

 private:
  AudioSource& source_;
  std::size_t channel_;
  AudioInfo info_;
  std::vector<std::vector<float>> rest_;
};

AudioBuffer read_part(AudioSource& source, double begin_s, double seconds) {
  const AudioInfo& info = source.info();
  AudioBuffer out;
  out.sample_rate = info.sample_rate;
  const std::int64_t begin = std::llround(begin_s * info.sample_rate);
  const std::int64_t n = std::max<std::int64_t>(
      0, std::min<std::int64_t>(info.samples - begin, std::llround(seconds * info.sample_rate)));
  std::vector<float*> to;
  for (int c = 0; c < info.channels; ++c) out.channels.emplace_back(static_cast<std::size_t>(n));
  for (auto& channel : out.channels) to.push_back(channel.data());
  if (n > 0) source.read(begin, n, to);
  return out;
}

AudioBuffer resampled(AudioBuffer buffer, double sample_rate) {
  if (buffer.sample_rate == sample_rate) return buffer;
  AudioBuffer out;
  out.sample_rate = sample_rate;
  const std::size_t channels = buffer.channel_count();
  const auto source = audio_from_buffer(std::move(buffer));
  for (std::size_t c = 0; c < channels; ++c) {
    OneChannel one(*source, c);
    MonoStream stream(one, sample_rate);
    std::vector<float> samples(static_cast<std::size_t>(stream.total()));
    std::int64_t at = 0;
    while (at < stream.total()) {
      const auto got = stream.pull(samples.data() + at, stream.total() - at);
      if (got <= 0) break;
      at += got;
    }
    out.channels.push_back(std::move(samples));
  }
  return out;
}

void change_channels(AudioBuffer& buffer, std::int64_t channels) {
  const std::size_t have = buffer.channel_count();
  const auto want = static_cast<std::size_t>(channels);
  if (channels == 0 || have == want) return;
  std::vector<float> mean(static_cast<std::size_t>(buffer.samples()), 0.0F);
  for (const auto& channel : buffer.channels) {
    for (std::size_t i = 0; i < mean.size(); ++i) {
      mean[i] += channel[i] / static_cast<float>(have);
    }
  }
  if (want < have) buffer.channels.assign(want, mean);
  while (buffer.channels.size() < want) buffer.channels.push_back(mean);
}

void add_stem(AudioBuffer& song, const AudioBuffer& stem, const fs::path& file) {
  if (stem.sample_rate != song.sample_rate || stem.channel_count() != song.channel_count()) {
    throw DataError(file_diagnostic("E522", file.string(),
                                    file.string() + " differs in rate or channels from the other "
                                                    "stems beside it",
                                    "convert the stems to one format"));
  }
  for (std::size_t c = 0; c < song.channels.size(); ++c) {
    auto& to = song.channels[c];
    to.resize(std::max(to.size(), stem.channels[c].size()), 0.0F);
    for (std::size_t i = 0; i < stem.channels[c].size(); ++i) to[i] += stem.channels[c][i];
  }
}

/// Rises of the level in three bands over 10 ms hops; their peaks are places to begin a section.
std::vector<Onset> find_onsets(const AudioBuffer& audio) {
  const auto hop = static_cast<std::int64_t>(0.01 * audio.sample_rate);
  const std::int64_t hops = audio.samples() / hop;
  std::array<double, 2> low{};
  const std::array<double, 2> pole = {
      1.0 - std::exp(-2 * std::numbers::pi * 200.0 / audio.sample_rate),
      1.0 - std::exp(-2 * std::numbers::pi * 2000.0 / audio.sample_rate)};
  std::vector<double> rise(static_cast<std::size_t>(hops), 0.0);
  std::array<double, 3> before{};
  for (std::int64_t h = 0; h < hops; ++h) {
    std::array<double, 3> power{1e-9, 1e-9, 1e-9};
    for (std::int64_t i = h * hop; i < (h + 1) * hop; ++i) {
      double x = 0.0;
      for (const auto& channel : audio.channels) x += channel[static_cast<std::size_t>(i)];
      for (std::size_t k = 0; k < 2; ++k) low[k] += pole[k] * (x - low[k]);
      const std::array<double, 3> band = {low[0], low[1] - low[0], x - low[1]};
      for (std::size_t k = 0; k < 3; ++k) power[k] += band[k] * band[k];
    }
    for (std::size_t k = 0; k < 3; ++k) {
      const double level = std::log(power[k]);
      rise[static_cast<std::size_t>(h)] += std::max(0.0, level - before[k]);
      before[k] = 0.5 * before[k] + 0.5 * level;
    }
  }
  std::vector<Onset> onsets;
  for (std::size_t h = 3; h + 3 < rise.size(); ++h) {
    const auto from = rise.begin() + static_cast<std::ptrdiff_t>(h);
    if (rise[h] <= 0.5 || *std::max_element(from - 3, from + 4) != rise[h]) continue;
    onsets.push_back({(static_cast<std::int64_t>(h) - 1) * hop, rise[h]});
  }
  return onsets;
}

/// The most frequent distance of strong onsets between 0.33 and 0.8 s.
double find_beat(const std::vector<Onset>& onsets, double sample_rate) {
  std::array<double, 48> votes{};
  for (std::size_t i = 0; i < onsets.size(); ++i) {
    for (std::size_t j = i + 1; j < std::min(onsets.size(), i + 12); ++j) {
      const double s = static_cast<double>(onsets[j].at - onsets[i].at) / sample_rate;
      if (s < 0.33 || s >= 0.8) continue;
      votes[static_cast<std::size_t>((s - 0.33) * 100)] += onsets[i].strength * onsets[j].strength;
    }
  }
  const auto best = std::max_element(votes.begin(), votes.end()) - votes.begin();
  return 0.335 + 0.01 * static_cast<double>(best);
}

void normalise(Music& music, const Track& track) {
  float peak = 0.0F;
  for (const auto& channel : music.audio.channels) {
    for (const float x : channel) peak = std::max(peak, std::abs(x));
  }
  if (!(peak > 1e-6F)) {
    throw DataError(file_diagnostic("E523", track.files.front().string(),
                                    "track " + track.files.front().string() + " is silent",
                                    "take it out of the music folder"));
  }
  for (auto& channel : music.audio.channels) {
    for (float& x : channel) x /= peak;
  }
}

}  // namespace

std::vector<Track> list_tracks(const std::vector<std::string>& folders, double min_track_s) {
  std::map<fs::path, std::vector<fs::path>> stems;  // Frets on Fire, by folder
  std::vector<std::pair<std::string, std::vector<fs::path>>> found;
  for (const std::string& folder : folders) {
    for (const fs::path& file : audio_files(folder)) {
      const fs::path beside = file.parent_path();
      const bool frets = fs::exists(beside / "guitar.ogg") && fs::exists(beside / "song.ogg");
      if (frets) {
        stems[beside].push_back(file);
      } else {
        found.emplace_back(tidy_name(file.stem().string()), std::vector<fs::path>{file});
      }
    }
  }
  for (auto& [folder, files] : stems) {
    found.emplace_back(tidy_name(folder.filename().string()), files);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::vector<Track> tracks;
  std::map<std::string, int> names;
  for (auto& [name, files] : found) {
    if (audio_seconds(files.front()) < min_track_s) {
      log_info("left out, shorter than min_track_s: " + files.front().string());
      continue;
    }
    const int count = ++names[name];
    const std::string unique = count == 1 ? name : name + "-" + std::to_string(count);
    tracks.push_back({unique, hash_files(files), files});
  }
  if (tracks.empty()) {
    std::string all;
    for (const std::string& folder : folders) all += (all.empty() ? "" : ", ") + folder;
    throw DataError(file_diagnostic("E521", all, "there is no finished track in " + all,
                                    "name folders with audio files of at least min_track_s "
                                    "seconds, or leave `music` empty for the built-in band"));
  }
  return tracks;
}

std::vector<Track> band_tracks(std::int64_t count, std::uint64_t seed) {
  std::vector<Track> tracks;
  for (std::int64_t i = 0; i < count; ++i) {
    std::string number = std::to_string(i + 1);
    number.insert(0, 4 - std::min<std::size_t>(4, number.size()), '0');
    tracks.push_back(
        {"band_" + number, "band/" + std::to_string(seed) + "/" + std::to_string(i + 1), {}});
  }
  return tracks;
}

Music load_track(const Track& track, double seconds, std::int64_t sample_rate,
                 std::int64_t channels, Rng& rng) {
  Music music;
  double begin_s = 0.0;
  for (const fs::path& file : track.files) {
    const auto source = open_audio(file.string());
    if (file == track.files.front()) {
      const AudioInfo& info = source->info();
      const double length = static_cast<double>(info.samples) / info.sample_rate;
      begin_s = rng.uniform() * std::max(0.0, length - seconds);
      music.audio = read_part(*source, begin_s, seconds);
    } else {
      add_stem(music.audio, read_part(*source, begin_s, seconds), file);
    }
  }
  change_channels(music.audio, channels);
  if (sample_rate > 0) {
    music.audio = resampled(std::move(music.audio), static_cast<double>(sample_rate));
  }
  normalise(music, track);
  music.onsets = find_onsets(music.audio);
  music.beat_s = find_beat(music.onsets, music.audio.sample_rate);
  music.level = music_level(music.audio);
  return music;
}

std::vector<double> block_power(const AudioBuffer& audio, double block_s) {
  const auto block = static_cast<std::int64_t>(block_s * audio.sample_rate) + 1;
  std::vector<double> power;
  for (std::int64_t at = 0; at < audio.samples(); at += block) {
    const std::int64_t end = std::min(audio.samples(), at + block);
    double sum = 0.0;
    for (const auto& channel : audio.channels) {
      for (std::int64_t i = at; i < end; ++i) {
        const double x = channel[static_cast<std::size_t>(i)];
        sum += x * x;
      }
    }
    power.push_back(
        sum / static_cast<double>((end - at) * static_cast<std::int64_t>(audio.channel_count())));
  }
  return power;
}

double music_level(const AudioBuffer& audio) {
  std::vector<double> power = block_power(audio, 0.4);
  std::sort(power.begin(), power.end());
  double sum = 0.0;
  const std::size_t half = power.size() / 2;
  for (std::size_t i = half; i < power.size(); ++i) sum += power[i];
  return std::sqrt(sum / static_cast<double>(power.size() - half));
}

}  // namespace retake::synthetic
