#include "audio/decoded.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace retake::audio {
namespace {

constexpr std::size_t kMemoryLimit = (std::size_t{64} << 20) / sizeof(float);
constexpr std::int64_t kChunk = 1 << 15;  // samples per channel

std::string temporary_folder() {
  if (const char* dir = std::getenv("TMPDIR"); dir != nullptr && *dir != '\0') return dir;
  // /tmp is often memory; /var/tmp is meant for large files.
  return access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp";
}

DataError spill_error(const std::string& folder) {
  return audio_error(
      "E417", folder,
      std::string("the decoded sound cannot be kept in a temporary file: ") + std::strerror(errno),
      "free some space there, or name another folder: TMPDIR=DIR retake ...");
}

int open_unnamed(const std::string& folder) {
  const int descriptor = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
  std::string name = folder + "/retake-decode-XXXXXX";  // file systems without O_TMPFILE
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named < 0) throw spill_error(folder);
  unlink(name.c_str());
  return named;
}

}  // namespace

Decoded::Decoded(SoundFile& file) {
  const std::int64_t channels = file.info().channels;
  std::vector<float> chunk(static_cast<std::size_t>(kChunk * channels));
  try {
    while (const std::int64_t got = file.read_some(chunk.data(), kChunk)) {
      append(chunk.data(), static_cast<std::size_t>(got * channels));
      samples_ += got;
    }
    const std::string& path = file.info().path;
    if (samples_ == 0) {
      throw audio_error("E416", path, "no sound could be decoded from the file",
                        "it may be damaged: export it again");
    }
    // Encoder delay and padding make a stated length inexact by a few frames of 1152 samples.
    const std::int64_t stated = file.info().samples;
    if (file.has_stated_length() && stated != SF_COUNT_MAX && samples_ < stated - 4 * 1152) {
      throw audio_error("E414", path,
                        "the file is cut short: its header promises " + std::to_string(stated) +
                            " samples, " + std::to_string(samples_) + " could be decoded",
                        "copy it again; to keep what is there, write it anew: sox IN out.wav");
    }
    if (descriptor_ >= 0) map();
  } catch (...) {
    if (descriptor_ >= 0) close(descriptor_);
    throw;
  }
}

Decoded::~Decoded() {
  if (mapped_ != nullptr) munmap(const_cast<float*>(mapped_), mapped_bytes_);
  if (descriptor_ >= 0) close(descriptor_);
}

void Decoded::append(const float* values, std::size_t n) {
  memory_.insert(memory_.end(), values, values + n);
  mapped_bytes_ += n * sizeof(float);
  if (memory_.size() > kMemoryLimit || descriptor_ >= 0) spill();
}

void Decoded::spill() {
  const std::string folder = temporary_folder();
  if (descriptor_ < 0) descriptor_ = open_unnamed(folder);
  const auto* bytes = reinterpret_cast<const char*>(memory_.data());
  std::size_t left = memory_.size() * sizeof(float);
  while (left > 0) {
    const ssize_t written = write(descriptor_, bytes, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw spill_error(folder);
    bytes += written;
    left -= static_cast<std::size_t>(written);
  }
  memory_.clear();
}

void Decoded::map() {
  void* address = mmap(nullptr, mapped_bytes_, PROT_READ, MAP_SHARED, descriptor_, 0);
  if (address == MAP_FAILED) throw spill_error(temporary_folder());
  mapped_ = static_cast<const float*>(address);
  memory_.shrink_to_fit();
}

}  // namespace retake::audio
