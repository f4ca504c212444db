#include "pairs.hpp"

#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <stdexcept>

#include "retake/audio/source.hpp"

namespace retake::test {
namespace {

constexpr double kSongRate = 44100.0;

std::int64_t samples(double seconds) {
  return std::llround(seconds * kSongRate);
}

double log_uniform(Rng& rng, double low, double high) {
  return std::exp(rng.uniform(std::log(low), std::log(high)));
}

/// Noise under a moving band and syllable-like level: inserted material that is in no recording.
std::vector<float> chatter(std::int64_t n, double level, Rng& rng) {
  std::vector<float> x(static_cast<std::size_t>(n));
  double low = 0.0;
  double band = 0.0;
  double syllable = 1.0;
  double target = 1.0;
  double centre = 0.1;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i % 6000 == 0) {
      target = rng.uniform() < 0.25 ? 0.05 : rng.uniform(0.4, 1.0);
      centre = rng.uniform(0.03, 0.3);
    }
    syllable += 0.001 * (target - syllable);
    low += centre * band;
    band += centre * (rng.normal() - low - 0.5 * band);
    x[i] = static_cast<float>(level * syllable * band);
  }
  return x;
}

double rms(const std::vector<float>& x) {
  double sum = 0.0;
  for (const float v : x) sum += static_cast<double>(v) * v;
  return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(1, x.size())));
}

/// The raw: songs (or passes over one song with other level, tone and noise) and junk in between.
std::vector<float> make_raw(const PairRecipe& recipe, Rng& rng,
                            const std::vector<std::string>& songs) {
  const std::int64_t wanted = samples(60.0 * recipe.raw_minutes);
  std::vector<float> raw;
  std::vector<float> song;
  std::size_t next = 0;
  while (static_cast<std::int64_t>(raw.size()) < wanted && (recipe.passes || next < songs.size())) {
    // No song twice: with another level it would be no exact repeat, yet the same music.
    if (song.empty() || !recipe.passes) song = load_song(songs[next++]);
    const double gain = std::pow(10.0, rng.uniform(-3.0, 3.0) / 20.0);
    const double noise = recipe.passes ? 0.05 * rms(song) : 0.0;
    const double tone = recipe.passes ? rng.uniform(-0.3, 0.3) : 0.0;
    float before = 0.0F;
    for (const float v : song) {
      raw.push_back(static_cast<float>(gain * (v + tone * before) + noise * rng.normal()));
      before = v;
    }
    const auto junk = chatter(samples(rng.uniform(1.0, 15.0)), 0.1, rng);
    raw.insert(raw.end(), junk.begin(), junk.end());
  }
  if (static_cast<std::int64_t>(raw.size()) > wanted) raw.resize(static_cast<std::size_t>(wanted));
  return raw;
}

/// Draws runs until the edit is long enough; positions jump by cuts of every length.
Edl make_edl(const PairRecipe& recipe, std::int64_t raw_samples, Rng& rng) {
  Edl edl;
  edl.sources.push_back({"raw.wav", kSongRate, 1, raw_samples, {}});
  std::int64_t at = samples(rng.uniform(0.0, 5.0));
  std::int64_t total = 0;
  while (total < samples(60.0 * recipe.edit_minutes)) {
    if (!edl.segments.empty() && !edl.segments.back().is_gap() &&
        rng.chance(recipe.inserted_share)) {
      Segment s;
      s.source = -1;
      s.gap = samples(log_uniform(rng, 0.5, 8.0));
      total += s.gap;
      edl.segments.push_back(s);
      continue;
    }
    Segment s;
    const auto length = samples(log_uniform(rng, recipe.shortest_run_s, recipe.longest_run_s));
    const auto margin = samples(1.0);
    if (at + length + margin > raw_samples) at = rng.integer(margin, raw_samples / 4);
    s.begin = at;
    s.end = std::min(at + length, raw_samples - margin);
    if (recipe.gains && rng.chance(0.5)) s.gain_db = rng.uniform(-6.0, 6.0);
    if (rng.chance(0.6)) {
      s.join = {samples(log_uniform(rng, 0.003, recipe.longest_join_s)), Curve::equal_power};
    }
    total += s.end - s.begin;
    edl.segments.push_back(s);
    std::int64_t cut = samples(log_uniform(rng, recipe.shortest_cut_s, recipe.longest_cut_s));
    if (rng.chance(recipe.back_share)) cut = -cut - length;
    at = s.end + cut;
    if (at < margin) at = s.end + std::abs(cut);
  }
  auto& segments = edl.segments;
  if (segments.back().is_gap()) segments.pop_back();
  for (std::size_t i = 0; i < segments.size(); ++i) {
    // A join takes from both sides, so it is shorter than either; none beside a gap.
    if (i + 1 == segments.size() || segments[i].is_gap() || segments[i + 1].is_gap()) {
      segments[i].join = {};
    } else {
      segments[i].join.samples =
          std::min({segments[i].join.samples, segments[i].output_samples() / 3,
                    segments[i + 1].output_samples() / 3});
    }
  }
  if (recipe.fades) {
    auto& first = segments.front();
    auto& last = segments.back();
    first.fade_in = {std::min(samples(rng.uniform(0.02, 2.0)), first.output_samples() / 3),
                     Curve::linear};
    last.fade_out = {std::min(samples(rng.uniform(0.5, 5.0)), last.output_samples() / 2),
                     Curve::linear};
  }
  return edl;
}

/// Plain rendering: gains, fades, equal-power joins centred on the boundary; gaps filled.
std::vector<float> render_truth(const Edl& edl, const std::vector<float>& raw, Rng& rng,
                                const std::vector<float>& foreign) {
  const auto starts = edl.output_starts();
  std::vector<float> out(static_cast<std::size_t>(starts.back()), 0.0F);
  for (std::size_t i = 0; i < edl.segments.size(); ++i) {
    const Segment& s = edl.segments[i];
    if (s.is_gap()) {
      const double kind = rng.uniform();
      if (kind < 0.2) continue;  // silence
      const auto noise = chatter(s.gap, 0.1, rng);
      const auto from =
          static_cast<std::int64_t>(rng.below(foreign.size() - static_cast<std::size_t>(s.gap)));
      for (std::int64_t k = 0; k < s.gap; ++k) {
        out[static_cast<std::size_t>(starts[i] + k)] =
            kind < 0.6 ? noise[static_cast<std::size_t>(k)]
                       : foreign[static_cast<std::size_t>(from + k)];
      }
      continue;
    }
    const std::int64_t in = i > 0 ? edl.segments[i - 1].join.samples : 0;
    const std::int64_t outgoing = s.join.samples;
    const double gain = std::pow(10.0, s.gain_db / 20.0);
    const std::int64_t n = s.output_samples();
    for (std::int64_t k = -(in / 2); k < n - outgoing / 2 + outgoing; ++k) {
      double w = gain;
      if (in > 0 && k < in - in / 2) {
        w *= std::sin(0.5 * std::numbers::pi * (static_cast<double>(k + in / 2) + 0.5) /
                      static_cast<double>(in));
      }
      if (outgoing > 0 && k >= n - outgoing / 2) {
        w *= std::cos(0.5 * std::numbers::pi * (static_cast<double>(k - n + outgoing / 2) + 0.5) /
                      static_cast<double>(outgoing));
      }
      if (s.fade_in.samples > 0 && k < s.fade_in.samples) {
        w *= std::max(0.0, static_cast<double>(k) + 0.5) / static_cast<double>(s.fade_in.samples);
      }
      if (s.fade_out.samples > 0 && k >= n - s.fade_out.samples) {
        w *= std::max(0.0, static_cast<double>(n - k) - 0.5) /
             static_cast<double>(s.fade_out.samples);
      }
      const std::int64_t from = s.begin + k;
      const std::int64_t to = starts[i] + k;
      if (from < 0 || from >= static_cast<std::int64_t>(raw.size()) || to < 0 ||
          to >= static_cast<std::int64_t>(out.size())) {
        continue;
      }
      out[static_cast<std::size_t>(to)] +=
          static_cast<float>(w * raw[static_cast<std::size_t>(from)]);
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> installed_songs() {
  namespace fs = std::filesystem;
  std::vector<std::string> songs;
  for (const char* folder : {"/usr/share/games/singularity/music", "/usr/share/games/asc/music",
                             "/usr/share/games/fretsonfire/data/songs"}) {
    std::error_code none;
    for (fs::recursive_directory_iterator at(folder, none), end; at != end; at.increment(none)) {
      const auto name = at->path().filename().string();
      if (name == "guitar.ogg") continue;  // one part only
      if (name.ends_with(".ogg") || name.ends_with(".mp3")) songs.push_back(at->path().string());
    }
  }
  std::sort(songs.begin(), songs.end());
  return songs;
}

std::vector<float> load_song(const std::string& path) {
  const auto source = open_audio(path);
  MonoStream stream(*source, kSongRate);
  std::vector<float> x(static_cast<std::size_t>(stream.total()));
  std::int64_t filled = 0;
  while (filled < stream.total()) {
    const auto got = stream.pull(x.data() + filled, stream.total() - filled);
    if (got == 0) break;
    filled += got;
  }
  x.resize(static_cast<std::size_t>(filled));
  return x;
}

TestPair make_pair(const PairRecipe& recipe, std::uint64_t seed,
                   const std::vector<std::string>& songs) {
  if (songs.size() < 2) throw std::runtime_error("make_pair: at least two songs are needed");
  Rng rng(derive_seed(seed, {"test/pair", recipe.name}));
  // The last song drawn is kept out of the raw: it is inserted material.
  auto shuffled = songs;
  rng.shuffle(shuffled);
  const auto foreign = load_song(shuffled.back());
  shuffled.pop_back();
  TestPair pair;
  pair.name = recipe.name;
  auto raw = make_raw(recipe, rng, shuffled);
  pair.truth = make_edl(recipe, static_cast<std::int64_t>(raw.size()), rng);
  pair.edit.sample_rate = kSongRate;
  pair.edit.channels = {render_truth(pair.truth, raw, rng, foreign)};
  pair.raw.sample_rate = kSongRate;
  pair.raw.channels = {std::move(raw)};
  return pair;
}

namespace {

/// Second-order shelf or peak (RBJ Audio EQ Cookbook), in place.
void biquad(std::vector<float>& x, const std::array<double, 6>& c) {
  double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
  for (auto& v : x) {
    const double y = (c[0] * v + c[1] * x1 + c[2] * x2 - c[4] * y1 - c[5] * y2) / c[3];
    x2 = x1;
    x1 = v;
    y2 = y1;
    y1 = y;
    v = static_cast<float>(y);
  }
}

void shelf(std::vector<float>& x, double frequency, double db, double rate, bool high) {
  const double a = std::pow(10.0, db / 40.0);
  const double w = 2.0 * std::numbers::pi * frequency / rate;
  const double alpha = std::sin(w) / std::sqrt(2.0);
  const double sign = high ? -1.0 : 1.0;
  const double c = sign * std::cos(w);
  const double k = 2.0 * std::sqrt(a) * alpha;
  biquad(x, {a * ((a + 1) - (a - 1) * c + k), sign * 2 * a * ((a - 1) - (a + 1) * c),
             a * ((a + 1) - (a - 1) * c - k), (a + 1) + (a - 1) * c + k,
             sign * -2 * ((a - 1) + (a + 1) * c), (a + 1) + (a - 1) * c - k});
}

void peak(std::vector<float>& x, double frequency, double db, double rate) {
  const double a = std::pow(10.0, db / 40.0);
  const double w = 2.0 * std::numbers::pi * frequency / rate;
  const double alpha = std::sin(w) / 2.0;
  biquad(x, {1 + alpha * a, -2 * std::cos(w), 1 - alpha * a, 1 + alpha / a, -2 * std::cos(w),
             1 - alpha / a});
}

AudioBuffer through_codec(const AudioBuffer& in, const std::string& codec, double quality,
                          std::uint64_t tag) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("retake_codec_" + std::to_string(tag) + "." + codec);
  SF_INFO info{};
  info.samplerate = static_cast<int>(in.sample_rate);
  info.channels = 1;
  info.format =
      codec == "mp3" ? SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III : SF_FORMAT_OGG | SF_FORMAT_VORBIS;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) throw std::runtime_error(std::string("no encoder: ") + sf_strerror(nullptr));
  sf_command(file, SFC_SET_COMPRESSION_LEVEL, &quality, sizeof quality);
  const auto& x = in.channels.front();
  for (std::size_t at = 0; at < x.size(); at += 65536) {
    const auto n = static_cast<sf_count_t>(std::min<std::size_t>(65536, x.size() - at));
    sf_writef_float(file, x.data() + at, n);
  }
  sf_close(file);
  AudioBuffer out = read_audio(path.string());
  std::filesystem::remove(path);
  return out;
}

}  // namespace

AudioBuffer damaged(const AudioBuffer& edit, const Damage& damage, std::uint64_t seed) {
  AudioBuffer out = edit;
  Rng rng(derive_seed(seed, {"test/damage"}));
  auto& x = out.channels.front();
  if (damage.eq_db > 0.0) {
    const double sign = rng.chance(0.5) ? 1.0 : -1.0;
    shelf(x, 200.0, sign * damage.eq_db, out.sample_rate, false);
    shelf(x, 3000.0, -sign * damage.eq_db, out.sample_rate, true);
    peak(x, rng.uniform(500.0, 1500.0), rng.uniform(-damage.eq_db, damage.eq_db), out.sample_rate);
  }
  const double gain = std::pow(10.0, damage.level_db / 20.0);
  const double noise =
      damage.snr_db > 0.0 ? gain * rms(x) * std::pow(10.0, -damage.snr_db / 20.0) : 0.0;
  for (auto& v : x) v = static_cast<float>(gain * v + noise * rng.normal());
  if (!damage.codec.empty()) {
    out = through_codec(out, damage.codec, damage.codec_quality, seed);
  }
  if (damage.resample_to > 0.0) {
    const auto source = audio_from_buffer(std::move(out));
    MonoStream stream(*source, damage.resample_to);
    AudioBuffer resampled;
    resampled.sample_rate = damage.resample_to;
    std::vector<float> y(static_cast<std::size_t>(stream.total()));
    std::int64_t filled = 0;
    while (filled < stream.total()) {
      const auto got = stream.pull(y.data() + filled, stream.total() - filled);
      if (got == 0) break;
      filled += got;
    }
    resampled.channels = {std::move(y)};
    return resampled;
  }
  return out;
}

}  // namespace retake::test
