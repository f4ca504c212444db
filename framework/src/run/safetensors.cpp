#include "run/safetensors.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>

#include "retake/error.hpp"
#include "retake/value.hpp"
#include "run/io.hpp"
#include "run/safetensors_header.hpp"

static_assert(std::endian::native == std::endian::little, "tensors are stored as they lie here");

namespace retake::run {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeader = 100'000'000;  // the reference implementation's limit too

struct DTypeInfo {
  DType type;
  std::string_view name;
  std::size_t size;
};
constexpr std::array<DTypeInfo, 13> kTypes{{{DType::boolean, "BOOL", 1},
                                            {DType::u8, "U8", 1},
                                            {DType::i8, "I8", 1},
                                            {DType::i16, "I16", 2},
                                            {DType::u16, "U16", 2},
                                            {DType::f16, "F16", 2},
                                            {DType::bf16, "BF16", 2},
                                            {DType::i32, "I32", 4},
                                            {DType::u32, "U32", 4},
                                            {DType::f32, "F32", 4},
                                            {DType::f64, "F64", 8},
                                            {DType::i64, "I64", 8},
                                            {DType::u64, "U64", 8}}};

const DTypeInfo& info_of(DType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

/// Bytes that a tensor of this shape takes; nothing when that overflows.
std::optional<std::uint64_t> bytes_of(DType type, const std::vector<std::int64_t>& shape) {
  // A dimension of 0 anywhere makes the whole empty, however large the others are.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::uint64_t n = dtype_size(type);
  for (const std::int64_t d : shape) {
    if (d < 0 || n > std::numeric_limits<std::uint64_t>::max() / static_cast<std::uint64_t>(d)) {
      return std::nullopt;
    }
    n *= static_cast<std::uint64_t>(d);
  }
  return n;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string out = "[";
  for (const std::int64_t d : shape) out += (out.size() > 1 ? "," : "") + std::to_string(d);
  return out + "]";
}

std::string json_string(std::string_view text) {
  return to_json(Value(text));
}

std::string header_text(const std::vector<const TensorView*>& order,
                        const std::map<std::string, std::string>& metadata) {
  std::string json = "{";
  if (!metadata.empty()) {
    json += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      json += (json.back() == '{' ? "" : ",") + json_string(key) + ":" + json_string(value);
    }
    json += "}";
  }
  std::uint64_t offset = 0;
  for (const auto* t : order) {
    json += (json.size() > 1 ? "," : "") + json_string(t->name) + ":{\"dtype\":\"" +
            std::string(dtype_name(t->dtype)) + "\",\"shape\":" + shape_text(t->shape) +
            ",\"data_offsets\":[" + std::to_string(offset) + "," +
            std::to_string(offset + t->bytes.size()) + "]}";
    offset += t->bytes.size();
  }
  json += "}";
  json.append((8 - json.size() % 8) % 8, ' ');  // so that the tensors start aligned
  return json;
}

[[noreturn]] void invalid(const fs::path& path, const std::string& what) {
  throw DataError(file_diagnostic("E606", path.string(), "not a valid safetensors file: " + what,
                                  "restore the file from a copy, or use another checkpoint"));
}

TensorView checked_view(const fs::path& path, const HeaderEntry& entry,
                        std::span<const std::byte> data) {
  const auto type = std::find_if(kTypes.begin(), kTypes.end(),
                                 [&](const DTypeInfo& t) { return t.name == entry.dtype; });
  const std::string name = "tensor `" + entry.name + "` ";
  if (type == kTypes.end()) invalid(path, name + "has the unknown dtype \"" + entry.dtype + "\"");
  if (entry.begin > entry.end || entry.end > data.size()) {
    invalid(path, name + "lies at bytes " + std::to_string(entry.begin) + " to " +
                      std::to_string(entry.end) + " of " + std::to_string(data.size()) +
                      " (is the file cut short?)");
  }
  const auto bytes = bytes_of(type->type, entry.shape);
  if (!bytes || *bytes != entry.end - entry.begin) {
    invalid(path, name + "of shape " + shape_text(entry.shape) + " and dtype " + entry.dtype +
                      " does not take its " + std::to_string(entry.end - entry.begin) + " bytes");
  }
  return {entry.name, type->type, entry.shape, data.subspan(entry.begin, *bytes)};
}

}  // namespace

std::size_t dtype_size(DType type) {
  return info_of(type).size;
}
std::string_view dtype_name(DType type) {
  return info_of(type).name;
}

std::string tensor_hash(const TensorView& tensor) {
  const std::string head = std::string(dtype_name(tensor.dtype)) + shape_text(tensor.shape) + "\n";
  XXH3_state_t* state = XXH3_createState();
  if (state == nullptr) throw std::bad_alloc();
  XXH3_128bits_reset(state);
  XXH3_128bits_update(state, head.data(), head.size());
  if (!tensor.bytes.empty()) {
    XXH3_128bits_update(state, tensor.bytes.data(), tensor.bytes.size());
  }
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
  XXH3_freeState(state);
  std::string hex;
  for (const unsigned char b : canonical.digest) {
    hex += "0123456789abcdef"[b >> 4];
    hex += "0123456789abcdef"[b & 15];
  }
  return hex;
}

void write_safetensors(const fs::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<const TensorView*> order;
  for (const auto& t : tensors) {
    if (t.name == "__metadata__") throw std::invalid_argument("a tensor named __metadata__");
    if (bytes_of(t.dtype, t.shape) != t.bytes.size()) {
      throw std::invalid_argument("tensor `" + t.name + "` of shape " + shape_text(t.shape) +
                                  " has " + std::to_string(t.bytes.size()) + " bytes");
    }
    order.push_back(&t);
  }
  std::sort(order.begin(), order.end(), [](const TensorView* a, const TensorView* b) {
    const std::size_t size_a = dtype_size(a->dtype), size_b = dtype_size(b->dtype);
    return size_a != size_b ? size_a > size_b : a->name < b->name;
  });
  std::vector<std::string_view> names;
  for (const auto* t : order) names.push_back(t->name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    throw std::invalid_argument("two tensors named `" + std::string(*twice) + "`");
  }

  const std::string header = header_text(order, metadata);
  if (header.size() > kMaxHeader) throw std::invalid_argument("safetensors header over 100 MB");
  const std::uint64_t length = header.size();
  const Descriptor file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  write_all(file.get(), {reinterpret_cast<const char*>(&length), kLengthBytes}, path);
  write_all(file.get(), header, path);
  for (const auto* t : order) {
    write_all(file.get(), {reinterpret_cast<const char*>(t->bytes.data()), t->bytes.size()}, path);
  }
  if (::fsync(file.get()) != 0) fail_io(path, "sync the file", errno);
}

SafeTensors::SafeTensors(const fs::path& path)
    : path_(path), file_(std::make_unique<MappedFile>(path)) {
  const std::span<const std::byte> all(file_->data(), file_->size());
  if (all.size() < kLengthBytes)
    invalid(path, "it has only " + std::to_string(all.size()) + " bytes");
  std::uint64_t length = 0;
  std::memcpy(&length, all.data(), kLengthBytes);
  if (length > kMaxHeader) invalid(path, "its header claims " + std::to_string(length) + " bytes");
  if (length > all.size() - kLengthBytes) {
    invalid(path, "its header of " + std::to_string(length) + " bytes is cut short");
  }
  Header header;
  try {
    header = parse_safetensors_header(file_->text().substr(kLengthBytes, length));
  } catch (const std::runtime_error& e) {
    invalid(path, e.what());
  }
  const auto data = all.subspan(kLengthBytes + length);
  std::stable_sort(header.entries.begin(), header.entries.end(),
                   [](const HeaderEntry& a, const HeaderEntry& b) {
                     return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
                   });
  std::uint64_t end = 0;
  for (const auto& entry : header.entries) {
    tensors_.push_back(checked_view(path, entry, data));
    if (entry.begin != end) {
      invalid(path, "tensor `" + entry.name + "` begins at byte " + std::to_string(entry.begin) +
                        (entry.begin < end ? ", inside the one before it"
                                           : ", which leaves a hole before it"));
    }
    end = entry.end;
    index_.emplace(entry.name, tensors_.size() - 1);
  }
  if (end != data.size()) {
    invalid(path, std::to_string(data.size() - end) + " bytes after the last tensor");
  }
  metadata_ = std::move(header.metadata);
}

const TensorView* SafeTensors::find(std::string_view name) const {
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : &tensors_[it->second];
}

const TensorView& SafeTensors::at(std::string_view name) const {
  if (const TensorView* tensor = find(name)) return *tensor;
  throw DataError(file_diagnostic("E606", path_.string(),
                                  "there is no tensor `" + std::string(name) + "` in it",
                                  "use a checkpoint of a run with the same model and optimizer"));
}

}  // namespace retake::run
