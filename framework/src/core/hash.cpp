#include "core/hash.hpp"

#include <openssl/evp.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "retake/error.hpp"

namespace retake {

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Impl() { EVP_MD_CTX_free(context); }
};

namespace {
void require(int ok) {
  if (ok != 1) throw std::runtime_error("OpenSSL could not compute a SHA-256");
}
}  // namespace

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  require(impl_->context != nullptr ? 1 : 0);
  require(EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr));
}
Sha256::~Sha256() = default;

void Sha256::update(const void* data, std::size_t size) {
  require(EVP_DigestUpdate(impl_->context, data, size));
}

std::array<std::uint8_t, 32> Sha256::digest() {
  std::array<std::uint8_t, 32> out{};
  require(EVP_DigestFinal_ex(impl_->context, out.data(), nullptr));
  return out;
}

std::string Sha256::hex() {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest()) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw DataError(file_diagnostic("E401", path.string(),
                                    std::string("cannot read the file: ") + std::strerror(errno),
                                    "check that it exists and that you may read it"));
  }
  Sha256 hash;
  std::vector<char> block(1 << 20);
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    hash.update(block.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) {
    throw DataError(file_diagnostic("E401", path.string(), "reading the file failed halfway",
                                    "check the disk it lies on"));
  }
  return hash.hex();
}

}  // namespace retake
