#include "audio/sound_file.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <type_traits>
#include <utility>

namespace retake::audio {
namespace {

constexpr std::array<std::pair<int, const char*>, 13> kContainers{{
    {SF_FORMAT_WAV, "wav"},
    {SF_FORMAT_WAVEX, "wavex"},
    {SF_FORMAT_RF64, "rf64"},
    {SF_FORMAT_W64, "w64"},
    {SF_FORMAT_AIFF, "aiff"},
    {SF_FORMAT_AU, "au"},
    {SF_FORMAT_CAF, "caf"},
    {SF_FORMAT_FLAC, "flac"},
    {SF_FORMAT_OGG, "ogg"},
    {SF_FORMAT_MPEG, "mp3"},
    {SF_FORMAT_NIST, "nist"},
    {SF_FORMAT_VOC, "voc"},
    {SF_FORMAT_SVX, "svx"},
}};

constexpr std::array<std::pair<int, const char*>, 21> kSubtypes{{
    {SF_FORMAT_PCM_S8, "pcm_s8"},      {SF_FORMAT_PCM_U8, "pcm_u8"},
    {SF_FORMAT_PCM_16, "pcm_16"},      {SF_FORMAT_PCM_24, "pcm_24"},
    {SF_FORMAT_PCM_32, "pcm_32"},      {SF_FORMAT_FLOAT, "float"},
    {SF_FORMAT_DOUBLE, "double"},      {SF_FORMAT_ULAW, "ulaw"},
    {SF_FORMAT_ALAW, "alaw"},          {SF_FORMAT_IMA_ADPCM, "ima_adpcm"},
    {SF_FORMAT_MS_ADPCM, "ms_adpcm"},  {SF_FORMAT_GSM610, "gsm610"},
    {SF_FORMAT_VORBIS, "vorbis"},      {SF_FORMAT_OPUS, "opus"},
    {SF_FORMAT_ALAC_16, "alac_16"},    {SF_FORMAT_ALAC_20, "alac_20"},
    {SF_FORMAT_ALAC_24, "alac_24"},    {SF_FORMAT_ALAC_32, "alac_32"},
    {SF_FORMAT_MPEG_LAYER_I, "mp1"},   {SF_FORMAT_MPEG_LAYER_II, "mp2"},
    {SF_FORMAT_MPEG_LAYER_III, "mp3"},
}};

constexpr const char* kCutShortHelp =
    "copy it again; to keep what is there, write it anew: sox IN out.wav";

template <std::size_t N>
std::string name_of(const std::array<std::pair<int, const char*>, N>& names, int code) {
  for (const auto& [value, name] : names) {
    if (value == code) return name;
  }
  return "other";
}

struct Shortage {
  long long promised = 0;
  long long present = 0;
};

/// Whether a header promises more than the file holds. libsndfile reads what there is and notes it
/// in its log, as in "data : 1764000 (should be 499956)"; each container has its own line.
std::optional<Shortage> find_shortage(SNDFILE* file) {
  std::array<char, 16384> log{};
  sf_command(file, SFC_GET_LOG_INFO, log.data(), static_cast<int>(log.size()));
  for (const char* line = log.data(); line != nullptr && *line != '\0';) {
    Shortage s;
    for (const char* pattern :
         {"data : %lld (should be %lld)",        // WAV
          " SSND : %lld (should be %lld)",       // AIFF
          " Data Size : %lld (should be %lld)",  // AU
          "riff : %lld (should be %lld)"}) {     // W64; that of WAV is in capitals
      // Recorders that could not seek back write the largest size: the length is the file's then.
      if (std::sscanf(line, pattern, &s.promised, &s.present) == 2 && s.promised > s.present &&
          s.promised != 0xFFFFFFFFLL && s.promised != 0x7FFFFFFFLL) {
        return s;
      }
    }
    if (std::sscanf(
            line,  // RF64
            "*** Calculated frame count %lld does not match value from 'ds64' chunk of %lld",
            &s.present, &s.promised) == 2 &&
        s.promised > s.present) {
      return s;
    }
    line = std::strchr(line, '\n');
    if (line != nullptr) ++line;
  }
  return std::nullopt;
}

std::string first_bytes(const std::string& path, std::size_t n) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes(n, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(n));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

/// An MP3 states its number of frames in a Xing, Info or VBRI tag within its first frame.
bool mp3_states_length(const std::string& path) {
  const std::string head = first_bytes(path, 1 << 20);
  std::size_t start = 0;
  if (head.size() > 10 && head.compare(0, 3, "ID3") == 0) {
    const auto at = [&](std::size_t i) { return static_cast<std::size_t>(head[i]) & 0x7F; };
    start = 10 + (at(6) << 21 | at(7) << 14 | at(8) << 7 | at(9));
  }
  if (start >= head.size()) return false;
  const std::string_view frame = std::string_view(head).substr(start, 4096);
  return frame.find("Xing") != frame.npos || frame.find("Info") != frame.npos ||
         frame.find("VBRI") != frame.npos;
}

/// The last page of a whole Ogg stream carries the end-of-stream flag (RFC 3533, 4 and 6).
bool ogg_ends_properly(const std::string& path) {
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path));
  const std::int64_t tail =
      std::min<std::int64_t>(size, 1 << 17);  // a page is at most 65,307 bytes
  std::ifstream in(path, std::ios::binary);
  in.seekg(size - tail);
  std::string bytes(static_cast<std::size_t>(tail), '\0');
  in.read(bytes.data(), tail);
  const std::size_t page = bytes.rfind("OggS");
  return page != bytes.npos && page + 5 < bytes.size() && (bytes[page + 5] & 0x04) != 0;
}

template <class T>
std::int64_t read_frames(SNDFILE* file, T* out, std::int64_t n) {
  if constexpr (std::is_same_v<T, float>) {
    return sf_readf_float(file, out, n);
  } else if constexpr (std::is_same_v<T, double>) {
    return sf_readf_double(file, out, n);
  } else {
    return sf_readf_int(file, out, n);
  }
}

template <class T, class Bits>
std::int64_t find_not_finite(const T* values, std::int64_t n, Bits exponent) {
  constexpr std::int64_t kBlock = 1024;  // test blocks without branches, then look inside
  for (std::int64_t at = 0; at < n; at += kBlock) {
    const std::int64_t end = std::min(n, at + kBlock);
    Bits bad = 0;
    for (std::int64_t i = at; i < end; ++i) {
      bad |= static_cast<Bits>((std::bit_cast<Bits>(values[i]) & exponent) == exponent);
    }
    if (bad == 0) continue;
    for (std::int64_t i = at; i < end; ++i) {
      if (!std::isfinite(values[i])) return i;
    }
  }
  return n;
}

}  // namespace

std::int64_t first_not_finite(const float* values, std::int64_t n) {
  return find_not_finite<float, std::uint32_t>(values, n, 0x7F800000U);
}

std::int64_t first_not_finite(const double* values, std::int64_t n) {
  return find_not_finite<double, std::uint64_t>(values, n, 0x7FF0000000000000U);
}

DataError audio_error(std::string id, const std::string& path, std::string message,
                      std::string help) {
  return DataError(file_diagnostic(std::move(id), path, std::move(message), std::move(help)));
}

DataError not_finite_error(const std::string& path, std::int64_t position) {
  return audio_error(
      "E415", path,
      "the recording holds a NaN or infinite sample (sample " + std::to_string(position) + ")",
      "export it again from the program it came from, or repair that place");
}

std::string container_name(int format) {
  return name_of(kContainers, format & SF_FORMAT_TYPEMASK);
}
std::string subtype_name(int format) {
  return name_of(kSubtypes, format & SF_FORMAT_SUBMASK);
}

SoundFile::SoundFile(const std::string& path) {
  info_.path = path;
  try {
    open();
    check_layout();
    check_end();
  } catch (...) {
    if (file_ != nullptr) sf_close(file_);
    throw;
  }
}

SoundFile::~SoundFile() {
  sf_close(file_);
}

void SoundFile::open() {
  namespace fs = std::filesystem;
  const std::string& path = info_.path;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found || path.empty()) {
    throw audio_error("E410", path, "there is no audio file of this name",
                      "check the path; relative paths start at the current folder");
  }
  if (error) {
    throw audio_error("E411", path, "the audio file cannot be reached: " + error.message(),
                      "check the permissions of the file and of its folders");
  }
  if (status.type() == fs::file_type::directory) {
    throw audio_error("E411", path, "this is a folder, not an audio file",
                      "name the files inside it, for example with a wildcard: DIR/*.wav");
  }
  if (status.type() != fs::file_type::regular) {
    throw audio_error("E411", path, "this is a pipe or a device, not an audio file",
                      "write the sound to a file first: it is read more than once");
  }
  if (fs::file_size(path, error) == 0 && !error) {
    throw audio_error("E412", path, "the audio file is empty (0 bytes)", "copy or export it again");
  }
  errno = 0;
  file_ = sf_open(path.c_str(), SFM_READ, &sf_);
  if (file_ != nullptr) return;
  if (sf_error(nullptr) == SF_ERR_SYSTEM) {
    throw audio_error("E411", path,
                      std::string("the audio file cannot be opened: ") + std::strerror(errno),
                      "check its permissions (chmod u+r)");
  }
  if (sf_error(nullptr) == SF_ERR_MALFORMED_FILE) {
    throw audio_error("E414", path, "the file is cut short or damaged: its header makes no sense",
                      kCutShortHelp);
  }
  // Of an MP3 that it makes no sense of, libsndfile says that there is none.
  std::string why = sf_strerror(nullptr);
  if (why.find("does not exist") != std::string::npos) why = "its content is of no known format";
  throw audio_error("E413", path, "this is not an audio file that can be read: " + why,
                    "WAV, RF64, W64, AIFF, CAF, FLAC, Ogg (Vorbis, Opus) and MP3 are read; convert "
                    "it, for example: ffmpeg -i IN out.wav");
}

void SoundFile::check_layout() {
  const std::string& path = info_.path;
  info_.sample_rate = sf_.samplerate;
  info_.channels = sf_.channels;
  info_.samples = sf_.frames;
  info_.container = container_name(sf_.format);
  info_.subtype = subtype_name(sf_.format);
  info_.lossy = !is_linear() && info_.subtype.compare(0, 4, "alac") != 0;
  if (sf_.samplerate < 1000 || sf_.samplerate > 768000) {
    throw audio_error(
        "E418", path,
        "the sample rate is " + std::to_string(sf_.samplerate) + " Hz; 1000 to 768000 Hz are read",
        "the header may be damaged: export the file again");
  }
  if (sf_.channels < 1 || sf_.channels > 64) {
    throw audio_error(
        "E418", path,
        "the file has " + std::to_string(sf_.channels) + " channels; 1 to 64 are read",
        "the header may be damaged: export the file again");
  }
  stated_length_ = info_.container != "mp3" || mp3_states_length(path);
}

void SoundFile::check_end() {
  const std::string& path = info_.path;
  if (const auto shortage = find_shortage(file_)) {
    throw audio_error("E414", path,
                      "the file is cut short: its header promises a size of " +
                          std::to_string(shortage->promised) + ", there are " +
                          std::to_string(shortage->present),
                      kCutShortHelp);
  }
  if (info_.container == "ogg" && !ogg_ends_properly(path)) {
    throw audio_error("E414", path, "the file is cut short: its last Ogg page is missing",
                      kCutShortHelp);
  }
  if (sf_.frames == 0) {
    throw audio_error("E416", path, "the recording has no samples", "export it again");
  }
  if (!is_linear() || sf_.frames < 0 || sf_.frames == SF_COUNT_MAX) return;
  // A FLAC that was cut short shows only at its end.
  std::array<double, 64> last{};
  if (sf_seek(file_, sf_.frames - 1, SEEK_SET) != sf_.frames - 1 ||
      sf_readf_double(file_, last.data(), 1) != 1 || sf_seek(file_, 0, SEEK_SET) != 0) {
    throw audio_error("E414", path,
                      "the file is cut short: its header promises " + std::to_string(sf_.frames) +
                          " samples, the last cannot be read",
                      kCutShortHelp);
  }
}

bool SoundFile::is_linear() const {
  switch (sf_.format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_PCM_16:
    case SF_FORMAT_PCM_24:
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_FLOAT:
    case SF_FORMAT_DOUBLE:
      return sf_.seekable != 0 && sf_.frames > 0 && sf_.frames != SF_COUNT_MAX;
    default:
      return false;
  }
}

void SoundFile::seek(std::int64_t sample) {
  if (sample == position_) return;
  if (sf_seek(file_, sample, SEEK_SET) != sample) truncated(position_, sample);
  position_ = sample;
}

void SoundFile::truncated(std::int64_t have, std::int64_t want) const {
  throw audio_error("E414", info_.path,
                    "the file is cut short or damaged: sample " + std::to_string(want) + " of " +
                        std::to_string(info_.samples) + " cannot be read (reading stopped at " +
                        std::to_string(have) + ")",
                    kCutShortHelp);
}

template <class T>
void SoundFile::read_exactly(T* interleaved, std::int64_t n) {
  if (n == 0) return;
  const std::int64_t got = read_frames(file_, interleaved, n);
  position_ += std::max<std::int64_t>(got, 0);
  if (got != n) {
    const std::int64_t stopped = std::exchange(position_, -1);  // the next read seeks
    truncated(stopped, stopped + 1);
  }
}

template void SoundFile::read_exactly(float*, std::int64_t);
template void SoundFile::read_exactly(double*, std::int64_t);
template void SoundFile::read_exactly(int*, std::int64_t);

std::int64_t SoundFile::read_some(float* interleaved, std::int64_t n) {
  const std::int64_t got = std::max<std::int64_t>(sf_readf_float(file_, interleaved, n), 0);
  position_ += got;
  return got;
}

}  // namespace retake::audio
