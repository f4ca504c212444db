#include "retake/audio/source.hpp"

#include <algorithm>
#include <vector>

#include "audio/pcm_file.hpp"
#include "core/hash.hpp"
#include "retake/audio/hash.hpp"

namespace retake {
namespace {

constexpr std::int64_t kChunk = 1 << 14;  // samples per channel

class FileSource final : public AudioSource {
 public:
  explicit FileSource(const std::string& path) : reader_(path) {}

  const AudioInfo& info() const override { return reader_.info(); }

  void read(std::int64_t begin, std::int64_t n, std::span<float* const> out) override {
    const std::size_t channels = out.size();
    if (channels == 1) {
      reader_.read(begin, n, out[0]);
      return;
    }
    for (std::int64_t at = 0; at < n; at += kChunk) {
      const std::int64_t count = std::min(kChunk, n - at);
      chunk_.resize(static_cast<std::size_t>(count) * channels);
      reader_.read(begin + at, count, chunk_.data());
      for (std::size_t c = 0; c < channels; ++c) {
        float* to = out[c] + at;
        const float* from = chunk_.data() + c;
        for (std::int64_t i = 0; i < count; ++i, from += channels) to[i] = *from;
      }
    }
  }

 private:
  audio::PcmReader reader_;
  std::vector<float> chunk_;
};

class BufferSource final : public AudioSource {
 public:
  BufferSource(AudioBuffer buffer, std::string name) : buffer_(std::move(buffer)) {
    const std::string label = name.empty() ? "a buffer in memory" : name;
    const std::int64_t samples = buffer_.samples();
    if (samples == 0) {
      throw audio::audio_error("E416", label, "the recording has no samples", "give it some");
    }
    if (!(buffer_.sample_rate > 0.0)) {
      throw audio::audio_error("E418", label, "the sample rate of the buffer is not positive",
                               "set AudioBuffer::sample_rate");
    }
    for (const auto& channel : buffer_.channels) {
      if (static_cast<std::int64_t>(channel.size()) != samples) {
        throw audio::audio_error("E418", label, "the channels of the buffer differ in length",
                                 "pad them to one length");
      }
      const std::int64_t bad = audio::first_not_finite(channel.data(), samples);
      if (bad != samples) throw audio::not_finite_error(label, bad);
    }
    info_.path = std::move(name);
    info_.sample_rate = buffer_.sample_rate;
    info_.channels = static_cast<int>(buffer_.channel_count());
    info_.samples = samples;
    info_.container = "buffer";
    info_.subtype = "float";
  }

  const AudioInfo& info() const override { return info_; }

  void read(std::int64_t begin, std::int64_t n, std::span<float* const> out) override {
    const std::int64_t first = std::clamp<std::int64_t>(begin, 0, info_.samples);
    const std::int64_t last = std::clamp<std::int64_t>(begin + n, first, info_.samples);
    for (std::size_t c = 0; c < out.size(); ++c) {
      if (first == last) {
        std::fill_n(out[c], n, 0.0F);
        continue;
      }
      std::fill_n(out[c], first - begin, 0.0F);
      std::copy_n(buffer_.channels[c].data() + first, last - first, out[c] + (first - begin));
      std::fill_n(out[c] + (last - begin), begin + n - last, 0.0F);
    }
  }

 private:
  AudioBuffer buffer_;
  AudioInfo info_;
};

/// Pointers to the channels of a block `[channels][n]`.
std::vector<float*> channel_pointers(std::vector<float>& block, std::size_t channels,
                                     std::int64_t n) {
  block.resize(channels * static_cast<std::size_t>(n));
  std::vector<float*> pointers;
  for (std::size_t c = 0; c < channels; ++c) {
    pointers.push_back(block.data() + c * static_cast<std::size_t>(n));
  }
  return pointers;
}

}  // namespace

AudioSource::~AudioSource() = default;

void AudioSource::read_mono(std::int64_t begin, std::int64_t n, float* out) {
  const auto channels = static_cast<std::size_t>(info().channels);
  if (channels == 1) {
    float* const only[] = {out};
    read(begin, n, only);
    return;
  }
  std::vector<float> block;
  const std::vector<float*> all =
      channel_pointers(block, channels, std::min<std::int64_t>(n, kChunk));
  const auto divisor = static_cast<float>(channels);
  for (std::int64_t at = 0; at < n; at += kChunk) {
    const std::int64_t count = std::min(kChunk, n - at);
    read(begin + at, count, all);
    for (std::int64_t i = 0; i < count; ++i) {
      float sum = all[0][i];
      for (std::size_t c = 1; c < channels; ++c) sum += all[c][i];
      out[at + i] = sum / divisor;
    }
  }
}

std::unique_ptr<AudioSource> open_audio(const std::string& path) {
  return std::make_unique<FileSource>(path);
}

std::unique_ptr<AudioSource> audio_from_buffer(AudioBuffer buffer, std::string name) {
  return std::make_unique<BufferSource>(std::move(buffer), std::move(name));
}

AudioBuffer read_audio(const std::string& path) {
  FileSource source(path);
  AudioBuffer buffer;
  buffer.sample_rate = source.info().sample_rate;
  const auto samples = static_cast<std::size_t>(source.info().samples);
  buffer.channels.assign(static_cast<std::size_t>(source.info().channels),
                         std::vector<float>(samples));
  std::vector<float*> all;
  for (auto& channel : buffer.channels) all.push_back(channel.data());
  source.read(0, source.info().samples, all);
  return buffer;
}

std::string sha256_pcm(AudioSource& source) {
  const auto channels = static_cast<std::size_t>(source.info().channels);
  std::vector<float> block;
  const std::vector<float*> all = channel_pointers(block, channels, kChunk);
  std::vector<float> interleaved(block.size());
  Sha256 hash;
  const std::int64_t samples = source.info().samples;
  for (std::int64_t at = 0; at < samples; at += kChunk) {
    const std::int64_t count = std::min(kChunk, samples - at);
    source.read(at, count, all);
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        interleaved[i * channels + c] = all[c][i];
      }
    }
    hash.update(interleaved.data(), static_cast<std::size_t>(count) * channels * sizeof(float));
  }
  return hash.hex();
}

std::string sha256_pcm(const std::string& path) {
  audio::PcmReader reader(path);
  const std::int64_t samples = reader.info().samples;
  const auto channels = static_cast<std::size_t>(reader.info().channels);
  std::vector<float> chunk(static_cast<std::size_t>(kChunk) * channels);
  Sha256 hash;
  for (std::int64_t at = 0; at < samples; at += kChunk) {
    const std::int64_t count = std::min(kChunk, samples - at);
    reader.read(at, count, chunk.data());
    hash.update(chunk.data(), static_cast<std::size_t>(count) * channels * sizeof(float));
  }
  return hash.hex();
}

}  // namespace retake
