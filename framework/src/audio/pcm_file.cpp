#include "audio/pcm_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <type_traits>
#include <utility>

namespace retake::audio {
namespace {

const std::map<std::string, int> kWritableContainers{
    {"wav", SF_FORMAT_WAV}, {"wavex", SF_FORMAT_WAVEX}, {"rf64", SF_FORMAT_RF64},
    {"w64", SF_FORMAT_W64}, {"flac", SF_FORMAT_FLAC},   {"aiff", SF_FORMAT_AIFF},
    {"caf", SF_FORMAT_CAF},
};

const std::map<std::string, int> kWritableSubtypes{
    {"pcm_s8", SF_FORMAT_PCM_S8}, {"pcm_u8", SF_FORMAT_PCM_U8}, {"pcm_16", SF_FORMAT_PCM_16},
    {"pcm_24", SF_FORMAT_PCM_24}, {"pcm_32", SF_FORMAT_PCM_32}, {"float", SF_FORMAT_FLOAT},
    {"double", SF_FORMAT_DOUBLE},
};

SampleKind kind_of(const std::string& subtype) {
  if (subtype.compare(0, 4, "pcm_") == 0) return SampleKind::integer;
  return subtype == "double" ? SampleKind::float64 : SampleKind::float32;
}

int bits_of(const std::string& subtype) {
  if (subtype == "pcm_s8" || subtype == "pcm_u8") return 8;
  if (subtype == "pcm_16") return 16;
  if (subtype == "pcm_24") return 24;
  return subtype == "pcm_32" ? 32 : 0;
}

int bytes_per_sample(const PcmFormat& format) {
  if (format.kind() == SampleKind::integer) return format.bits() / 8;
  return format.kind() == SampleKind::float64 ? 8 : 4;
}

/// libsndfile's description; its `format` is 0 where it has no such container or sample format.
SF_INFO header_of(const PcmFormat& format) {
  SF_INFO info{};
  info.samplerate = format.sample_rate;
  info.channels = format.channels;
  const auto container = kWritableContainers.find(format.container);
  const auto subtype = kWritableSubtypes.find(format.subtype);
  if (container != kWritableContainers.end() && subtype != kWritableSubtypes.end()) {
    info.format = container->second | subtype->second;
  }
  return info;
}

DataError write_error(const std::string& path, const std::string& message) {
  return audio_error("E417", path, "the audio file cannot be written: " + message,
                     "check the folder's permissions and the free space");
}

}  // namespace

SampleKind PcmFormat::kind() const {
  return kind_of(subtype);
}
int PcmFormat::bits() const {
  return bits_of(subtype);
}

PcmReader::PcmReader(const std::string& path) : file_(std::make_unique<SoundFile>(path)) {
  info_ = file_->info();
  if (file_->is_linear()) {
    kind_ = kind_of(info_.subtype);
    return;
  }
  decoded_ = std::make_unique<Decoded>(*file_);
  info_.samples = decoded_->samples();
  file_.reset();
}

int PcmReader::bits() const {
  return kind_ == SampleKind::integer ? bits_of(info_.subtype) : 0;
}

void PcmReader::read(std::int64_t begin, std::int64_t n, std::int32_t* out) {
  if (kind_ != SampleKind::integer) {
    throw std::logic_error("PcmReader: " + info_.path + " holds no integer samples");
  }
  read_as(begin, n, out);
}
void PcmReader::read(std::int64_t begin, std::int64_t n, float* out) {
  read_as(begin, n, out);
}
void PcmReader::read(std::int64_t begin, std::int64_t n, double* out) {
  read_as(begin, n, out);
}

template <class T>
void PcmReader::read_as(std::int64_t begin, std::int64_t n, T* out) {
  const std::int64_t channels = info_.channels;
  const std::int64_t first = std::clamp<std::int64_t>(begin, 0, info_.samples);
  const std::int64_t last = std::clamp<std::int64_t>(begin + n, first, info_.samples);
  if (first == last) {
    std::fill_n(out, n * channels, T{});
    return;
  }
  std::fill_n(out, (first - begin) * channels, T{});
  T* at = out + (first - begin) * channels;
  const std::int64_t count = (last - first) * channels;
  if (decoded_ != nullptr) {
    std::copy_n(decoded_->data() + first * channels, count, at);
  } else {
    file_->seek(first);
    file_->read_exactly(at, last - first);
  }
  if constexpr (std::is_floating_point_v<T>) {
    const std::int64_t bad = first_not_finite(at, count);
    if (bad != count) throw not_finite_error(info_.path, first + bad / channels);
  }
  std::fill_n(at + count, (begin + n - last) * channels, T{});
}

PcmFormat output_format(const AudioInfo& source) {
  PcmFormat format;
  format.sample_rate = static_cast<int>(source.sample_rate);
  format.channels = source.channels;
  format.container = kWritableContainers.contains(source.container) ? source.container : "wav";
  format.subtype = kWritableSubtypes.contains(source.subtype) ? source.subtype : "float";
  if (format.container == "flac" && format.kind() != SampleKind::integer) format.container = "wav";
  if (format.container == "wav" && format.subtype == "pcm_s8") format.subtype = "pcm_u8";
  return format;
}

std::string file_extension(const PcmFormat& format) {
  if (format.container == "wavex" || format.container == "rf64") return ".wav";
  return "." + format.container;
}

bool can_hold(const PcmFormat& format) {
  const SF_INFO info = header_of(format);
  return info.format != 0 && sf_format_check(&info) != 0;
}

PcmWriter::PcmWriter(const std::string& path, const PcmFormat& format, std::int64_t samples,
                     int flac_level)
    : path_(path), format_(format), expected_(samples), target_(path) {
  const double bytes = static_cast<double>(samples) * format.channels * bytes_per_sample(format);
  const bool riff = format_.container == "wav" || format_.container == "wavex";
  if (riff && bytes > 4294967295.0 - 4096.0) format_.container = "rf64";
  SF_INFO info = header_of(format_);
  if (!can_hold(format_)) {
    throw audio_error("E417", path_,
                      format_.container + " cannot hold " + format_.subtype + " at " +
                          std::to_string(format_.sample_rate) + " Hz with " +
                          std::to_string(format_.channels) + " channels",
                      "choose another container: wav holds every format");
  }
  file_ = sf_open(target_.path().c_str(), SFM_WRITE, &info);
  if (file_ == nullptr) throw write_error(path_, sf_strerror(nullptr));
  // The PEAK chunk holds the time of day: the same sound would give other bytes.
  sf_command(file_, SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
  double level = flac_level / 8.0;
  if (format_.container == "flac") {
    sf_command(file_, SFC_SET_COMPRESSION_LEVEL, &level, sizeof level);
  }
}

PcmWriter::~PcmWriter() {
  if (file_ != nullptr) sf_close(file_);
}

void PcmWriter::check(std::int64_t wrote, std::int64_t n) {
  if (wrote != n) throw write_error(path_, sf_strerror(file_));
  written_ += n;
}

void PcmWriter::write(const std::int32_t* samples, std::int64_t n) {
  check(sf_writef_int(file_, samples, n), n);
}
void PcmWriter::write(const float* samples, std::int64_t n) {
  check(sf_writef_float(file_, samples, n), n);
}
void PcmWriter::write(const double* samples, std::int64_t n) {
  check(sf_writef_double(file_, samples, n), n);
}

void PcmWriter::finish() {
  if (written_ != expected_) {
    throw write_error(path_, std::to_string(written_) + " of " + std::to_string(expected_) +
                                 " samples were written");
  }
  SNDFILE* file = std::exchange(file_, nullptr);
  if (const int error = sf_close(file)) throw write_error(path_, sf_error_number(error));
  target_.commit();
}

std::int32_t quantise(double value, int bits, std::int64_t& clipped) {
  const double scale = std::ldexp(1.0, bits - 1);
  double level = std::nearbyint(value * scale);
  if (level > scale - 1.0 || level < -scale) {
    ++clipped;
    level = std::clamp(level, -scale, scale - 1.0);
  }
  return static_cast<std::int32_t>(static_cast<std::int64_t>(level) << (32 - bits));
}

}  // namespace retake::audio
