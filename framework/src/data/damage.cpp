#include "data/damage.hpp"

#include <sndfile.h>
#include <soxr.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numbers>
#include <vector>

#include "audio/pcm_file.hpp"
#include "core/files.hpp"
#include "retake/audio/source.hpp"
#include "retake/rng.hpp"

namespace retake {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kBlock = 16384;

[[noreturn]] void fail(const fs::path& file, const std::string& what, const std::string& help) {
  throw DataError(file_diagnostic("E530", file.string(), what, help));
}

int codec_format(const std::string& codec) {
  return codec == "vorbis" ? SF_FORMAT_OGG | SF_FORMAT_VORBIS
                           : SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
}

/// A peaking band (Bristow-Johnson's cookbook) with one state per channel.
class Bell {
 public:
  Bell(double hz, double gain_db, double sample_rate, std::size_t channels) : state_(channels) {
    const double a = std::pow(10.0, gain_db / 40.0);
    const double w = 2 * std::numbers::pi * hz / sample_rate;
    const double alpha = std::sin(w) / (2 * 0.7);
    const double a0 = 1 + alpha / a;
    b0_ = (1 + alpha * a) / a0;
    b1_ = -2 * std::cos(w) / a0;
    b2_ = (1 - alpha * a) / a0;
    a2_ = (1 - alpha / a) / a0;
  }
  float step(std::size_t channel, float x) {
    auto& z = state_[channel];
    const double y = b0_ * x + z[0];
    z[0] = b1_ * x - b1_ * y + z[1];
    z[1] = b2_ * x - a2_ * y;
    return static_cast<float>(y);
  }

 private:
  double b0_, b1_, b2_, a2_;  // a1 equals b1
  std::vector<std::array<double, 2>> state_;
};

/// Writes interleaved float32 through a codec or as PCM 16.
class Output {
 public:
  Output(const fs::path& to, const EditDamage& damage, const std::string& container, int rate,
         int channels, std::int64_t samples)
      : channels_(channels), to_(to) {
    if (damage.codec == "none") {
      const audio::PcmFormat format{container, "pcm_16", rate, channels};
      pcm_ = std::make_unique<audio::PcmWriter>(to.string(), format, samples);
      return;
    }
    target_ = std::make_unique<AtomicFile>(to);
    SF_INFO info{};
    info.samplerate = rate;
    info.channels = channels;
    info.format = codec_format(damage.codec);
    file_ = sf_open(target_->path().c_str(), SFM_WRITE, &info);
    if (file_ == nullptr)
      fail(to, to.string() + " cannot be written: " + sf_strerror(nullptr),
           "check the folder and the codec");
    double quality = damage.codec == "vorbis" ? damage.quality : 1.0 - damage.quality;
    const int command =
        damage.codec == "vorbis" ? SFC_SET_VBR_ENCODING_QUALITY : SFC_SET_COMPRESSION_LEVEL;
    sf_command(file_, command, &quality, sizeof quality);
  }
  ~Output() {
    if (file_ != nullptr) sf_close(file_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(const std::vector<float>& interleaved, std::int64_t n) {
    if (pcm_ != nullptr) {
      integers_.resize(static_cast<std::size_t>(n * channels_));
      for (std::size_t i = 0; i < integers_.size(); ++i) {
        integers_[i] = audio::quantise(interleaved[i], 16, clipped_);
      }
      // PcmWriter knows the count beforehand; a resampler may give a sample more at its end.
      pcm_->write(integers_.data(), n);
      return;
    }
    // libsndfile's Vorbis encoder keeps what it is given on the stack: small portions.
    for (std::int64_t at = 0; at < n; at += 2048) {
      const std::int64_t count = std::min<std::int64_t>(2048, n - at);
      if (sf_writef_float(file_, interleaved.data() + at * channels_, count) != count) {
        fail(to_, to_.string() + " cannot be written: " + sf_strerror(file_), "free some space");
      }
    }
  }

  void finish() {
    if (pcm_ != nullptr) return pcm_->finish();
    SNDFILE* file = file_;
    file_ = nullptr;
    if (sf_close(file) != 0)
      fail(to_, to_.string() + " cannot be written to its end", "free some space");
    target_->commit();
  }

 private:
  int channels_;
  fs::path to_;
  std::unique_ptr<audio::PcmWriter> pcm_;
  std::unique_ptr<AtomicFile> target_;
  SNDFILE* file_ = nullptr;
  std::vector<std::int32_t> integers_;
  std::int64_t clipped_ = 0;
};

struct SoxrDelete {
  void operator()(soxr_t s) const { soxr_delete(s); }
};

/// Interleaved blocks at another rate; exactly ceil(samples * to / from) samples come out.
class Resampler {
 public:
  Resampler(double from, double to, int channels, std::int64_t samples)
      : channels_(static_cast<std::size_t>(channels)),
        left_(static_cast<std::int64_t>(std::ceil(static_cast<double>(samples) * to / from))) {
    if (from == to) return;
    soxr_error_t error = nullptr;
    const auto quality = soxr_quality_spec(SOXR_HQ, 0);
    soxr_.reset(
        soxr_create(from, to, static_cast<unsigned>(channels), &error, nullptr, &quality, nullptr));
    if (error != nullptr) throw std::runtime_error(std::string("soxr: ") + error);
  }
  std::int64_t total() const { return left_; }

  /// `input` empty: the end has come.
  void process(const std::vector<float>& input, const auto& put) {
    if (soxr_ == nullptr) {
      if (!input.empty()) put(input, static_cast<std::int64_t>(input.size() / channels_));
      return;
    }
    std::size_t at = 0;
    const std::size_t n = input.size() / channels_;
    std::vector<float> out(static_cast<std::size_t>(kBlock) * channels_);
    for (;;) {
      std::size_t used = 0;
      std::size_t made = 0;
      const float* in = n == 0 ? nullptr : input.data() + at * channels_;
      soxr_process(soxr_.get(), in, n - at, &used, out.data(), kBlock, &made);
      at += used;
      const auto take = std::min<std::int64_t>(static_cast<std::int64_t>(made), left_);
      if (take > 0) put(out, take);
      left_ -= take;
      if (made == 0 && at == n) return;
    }
  }

 private:
  std::size_t channels_;
  std::int64_t left_;
  std::unique_ptr<std::remove_pointer_t<soxr_t>, SoxrDelete> soxr_;
};

double rms(AudioSource& source, std::vector<std::vector<float>>& planar) {
  std::vector<float*> to;
  for (auto& channel : planar) to.push_back(channel.data());
  double sum = 0.0;
  for (std::int64_t at = 0; at < source.info().samples; at += kBlock) {
    const std::int64_t n = std::min(kBlock, source.info().samples - at);
    source.read(at, n, to);
    for (const auto& channel : planar) {
      for (std::int64_t i = 0; i < n; ++i) {
        const double x = channel[static_cast<std::size_t>(i)];
        sum += x * x;
      }
    }
  }
  return std::sqrt(sum / static_cast<double>(source.info().samples) /
                   static_cast<double>(planar.size()));
}

std::vector<Bell> random_bells(const EditDamage& damage, Rng& rng, double rate,
                               std::size_t channels) {
  std::vector<Bell> bells;
  if (damage.eq_db == 0.0) return bells;
  for (const double hz : {150.0, 1000.0, 5000.0}) {
    const double at = std::min(hz * std::pow(2.0, rng.uniform(-0.7, 0.7)), 0.4 * rate);
    bells.emplace_back(at, rng.uniform(-damage.eq_db, damage.eq_db), rate, channels);
  }
  return bells;
}

}  // namespace

bool EditDamage::any() const {
  return codec != "none" || snr_db != 0.0 || eq_db != 0.0 || gain_db != 0.0 || sample_rate != 0.0;
}

std::string damaged_extension(const EditDamage& damage, const std::string& container) {
  if (damage.codec == "vorbis") return ".ogg";
  if (damage.codec == "mp3") return ".mp3";
  return "." + container;
}

void check_codec(const EditDamage& damage, double sample_rate, int channels) {
  if (damage.codec == "none") return;
  SF_INFO info{};
  info.samplerate = static_cast<int>(damage.sample_rate != 0.0 ? damage.sample_rate : sample_rate);
  info.channels = channels;
  info.format = codec_format(damage.codec);
  if (sf_format_check(&info) != 0) return;
  Diagnostic d;
  d.id = "E531";
  d.message = "libsndfile here cannot write " + damage.codec + " with " + std::to_string(channels) +
              " channels at " + std::to_string(info.samplerate) + " Hz";
  d.help = "choose another codec, or resample=44100 and channels=2";
  throw DataError(std::move(d));
}

void write_damaged(const fs::path& from, const fs::path& to, const EditDamage& damage,
                   const std::string& container) {
  const auto source = open_audio(from.string());
  const AudioInfo info = source->info();
  const auto channels = static_cast<std::size_t>(info.channels);
  std::vector<std::vector<float>> planar(channels, std::vector<float>(kBlock));
  std::vector<float*> read_to;
  for (auto& channel : planar) read_to.push_back(channel.data());
  Rng rng(damage.seed);
  std::vector<Bell> bells = random_bells(damage, rng, info.sample_rate, channels);
  const double noise =
      damage.snr_db != 0.0 ? rms(*source, planar) * std::pow(10.0, -damage.snr_db / 20.0) : 0.0;
  const auto gain = static_cast<float>(std::pow(10.0, damage.gain_db / 20.0));
  const double rate = damage.sample_rate != 0.0 ? damage.sample_rate : info.sample_rate;
  Resampler resampler(info.sample_rate, rate, info.channels, info.samples);
  Output output(to, damage, container, static_cast<int>(rate), info.channels, resampler.total());
  const auto put = [&](const std::vector<float>& block, std::int64_t n) { output.write(block, n); };
  std::vector<float> block;
  for (std::int64_t at = 0; at < info.samples; at += kBlock) {
    const std::int64_t n = std::min(kBlock, info.samples - at);
    source->read(at, n, read_to);
    block.resize(static_cast<std::size_t>(n) * channels);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      for (std::size_t c = 0; c < channels; ++c) {
        float x = planar[c][i];
        for (Bell& bell : bells) x = bell.step(c, x);
        if (noise > 0.0) x += static_cast<float>(noise * rng.normal());
        block[i * channels + c] = std::clamp(gain * x, -1.0F, 1.0F);
      }
    }
    resampler.process(block, put);
  }
  resampler.process({}, put);
  output.finish();
}

}  // namespace retake
