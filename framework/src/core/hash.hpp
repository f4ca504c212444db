#pragma once
// Cryptographic hashes of bytes and files (OpenSSL).

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace retake {

/// Incremental SHA-256. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(const void* data, std::size_t size);
  void update(std::string_view text) { update(text.data(), text.size()); }
  /// Ends the hash; further updates are an error.
  std::array<std::uint8_t, 32> digest();
  std::string hex();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string sha256_hex(std::string_view bytes);
/// Streams the file. Throws DataError when it cannot be read.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace retake
