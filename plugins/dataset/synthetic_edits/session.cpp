#include "session.hpp"

#include <algorithm>
#include <cmath>

#include "junk.hpp"

namespace retake::synthetic {

namespace {

/// The noise of a room: white, with the top taken off.
class Room {
 public:
  Room(std::uint64_t seed, std::size_t channels) : rng_(seed), low_(channels, 0.0F) {
    const double db = rng_.uniform(-65.0, -55.0);
    // A one-pole low-pass at a third of its input's weight leaves 0.2 of uniform noise's power.
    gain_ = static_cast<float>(std::pow(10.0, db / 20.0) / std::sqrt(0.2 / 3.0));
  }
  float next(std::size_t channel) {
    // 24 random bits per sample are enough for noise.
    const auto x = static_cast<float>(static_cast<std::int64_t>(rng_.next() >> 40) - (1 << 23)) /
                   static_cast<float>(1 << 23);
    low_[channel] += 0.33F * (x - low_[channel]);
    return gain_ * low_[channel];
  }

 private:
  Rng rng_;
  std::vector<float> low_;
  float gain_ = 0.0F;
};

/// Bends peaks above three quarters of the ceiling towards it, as a recorder's input does.
float limit(float x, float ceiling) {
  const float knee = 0.75F * ceiling;
  const float a = std::abs(x);
  if (a <= knee) return x;
  const float range = ceiling - knee;
  return std::copysign(knee + range * std::tanh((a - knee) / range), x);
}

class Performer {
 public:
  Performer(const Plan& plan, const Params& params, const Music& music, std::uint64_t noise_seed,
            const Sink& sink)
      : plan_(plan),
        p_(params),
        music_(music),
        sink_(sink),
        room_(noise_seed, music.audio.channel_count()) {
    // Peaks of the song at 0.45: the edit's gain and the variations of passes fit above.
    level_ = 0.45F;
    ceiling_ = static_cast<float>(0.98 * std::pow(10.0, -p_.edit_gain_db / 20.0));
  }

  void run() {
    for (std::size_t i = 0; i < plan_.pieces.size(); ++i) {
      const Piece& piece = plan_.pieces[i];
      const std::int64_t before = i == 0 ? 0 : plan_.pieces[i - 1].next.half;
      const std::int64_t after = piece.next.half;
      AudioBuffer sound = render(piece, before, after);
      const std::int64_t window = 2 * before;
      if (window > 0) {
        apply_splice(plan_.pieces[i - 1].next, music_.level, carry_, sound);
        put(carry_, 0, window);
      }
      const std::int64_t end = before + piece.samples() - after;
      put(sound, window, end);
      carry_ = cut_out(sound, end, sound.samples());
    }
  }

 private:
  /// The piece from `before` samples ahead of its start to `after` past its end.
  AudioBuffer render(const Piece& piece, std::int64_t before, std::int64_t after) {
    const std::int64_t n = before + piece.samples() + after;
    AudioBuffer sound =
        piece.is_pass ? render_pass(piece.pass, music_.audio, -before, n)
                      : render_junk(piece.parts.front().kind, piece.seed, n, piece.level, music_);
    Rng rng(piece.seed);
    const Equaliser equaliser(rng, p_.pass_eq_db, music_.audio.sample_rate);
    for (auto& channel : sound.channels) {
      equaliser.apply(channel);
      for (float& x : channel) x *= static_cast<float>(piece.gain);
    }
    return sound;
  }

  static AudioBuffer cut_out(const AudioBuffer& sound, std::int64_t begin, std::int64_t end) {
    AudioBuffer out;
    out.sample_rate = sound.sample_rate;
    for (const auto& channel : sound.channels) {
      out.channels.emplace_back(channel.begin() + begin, channel.begin() + end);
    }
    return out;
  }

  void put(AudioBuffer& sound, std::int64_t begin, std::int64_t end) {
    std::vector<std::span<const float>> out;
    for (std::size_t c = 0; c < sound.channels.size(); ++c) {
      float* x = sound.channels[c].data() + begin;
      for (std::int64_t i = 0; i < end - begin; ++i) {
        x[i] = limit(level_ * x[i] + room_.next(c), ceiling_);
      }
      out.emplace_back(x, static_cast<std::size_t>(end - begin));
    }
    sink_(out);
  }

  const Plan& plan_;
  const Params& p_;
  const Music& music_;
  const Sink& sink_;
  Room room_;
  float level_ = 0.45F;
  float ceiling_ = 0.7F;
  AudioBuffer carry_;
};

}  // namespace

void perform(const Plan& plan, const Params& params, const Music& music, std::uint64_t noise_seed,
             const Sink& sink) {
  Performer(plan, params, music, noise_seed, sink).run();
}

}  // namespace retake::synthetic
