#include "data/npy.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "retake/error.hpp"

namespace retake::data {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeader = 1 << 16;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;

[[noreturn]] void malformed(const std::string& origin, const std::string& what) {
  throw DataError(file_diagnostic("E440", origin, "this is no sound array file: " + what,
                                  "write it again with numpy.save or numpy.savez"));
}

/// `wanted` is NumPy's name of a type that would do: "f4".
[[noreturn]] void wrong_type(const std::string& origin, const std::string& what,
                             const std::string& wanted) {
  throw DataError(file_diagnostic("E441", origin, what,
                                  "convert it: numpy.save(FILE, x.astype('<" + wanted + "'))"));
}

std::size_t item_size(std::string_view dtype) {
  return static_cast<std::size_t>(dtype.back() - '0');
}

struct Header {
  std::string dtype;
  bool fortran = false;
  std::vector<std::int64_t> shape;
};

/// Reads the Python literal {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& origin) : text_(text), origin_(origin) {}

  Header parse() {
    Header header;
    bool has_type = false;
    bool has_order = false;
    bool has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr") {
        header.dtype = type();
        has_type = true;
      } else if (key == "fortran_order") {
        header.fortran = boolean();
        has_order = true;
      } else if (key == "shape") {
        header.shape = shape();
        has_shape = true;
      } else {
        malformed(origin_, "unknown header key '" + key + "'");
      }
      if (!accept(',') && peek() != '}') malformed(origin_, "its header cannot be read");
    }
    if (!has_type || !has_order || !has_shape) malformed(origin_, "its header is incomplete");
    return header;
  }

 private:
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) malformed(origin_, std::string("its header lacks a '") + c + "'");
  }
  std::string string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') malformed(origin_, "its header cannot be read");
    const std::size_t end = text_.find(quote, ++at_);
    if (end == text_.npos) malformed(origin_, "its header cannot be read");
    std::string s(text_.substr(at_, end - at_));
    at_ = end + 1;
    return s;
  }
  bool boolean() {
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      peek();
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return value;
      }
    }
    malformed(origin_, "its fortran_order is neither True nor False");
  }
  std::string type() {
    if (peek() == '[') wrong_type(origin_, "arrays of records are not read", "f4");
    const std::string name = string();
    constexpr std::array known{"f4", "f8", "i8", "i4", "i2", "i1", "u1", "b1"};
    const std::string plain = name.size() == 3 ? name.substr(1) : name;
    const bool is_known = std::find(known.begin(), known.end(), plain) != known.end();
    const bool native = name[0] == '<' || name[0] == '|' || name[0] == '=';
    if (name.size() != 3 || !is_known || !native) {
      const bool whole = name.find_first_of("iu") != name.npos;
      wrong_type(origin_, "arrays of type '" + name.substr(0, 40) + "' are not read",
                 whole ? "i8" : "f4");
    }
    return plain;
  }
  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> dims;
    expect('(');
    std::int64_t elements = 1;
    while (!accept(')')) {
      std::int64_t dim = 0;
      if (peek() < '0' || peek() > '9') malformed(origin_, "its shape cannot be read");
      while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
        dim = dim * 10 + (text_[at_++] - '0');
        if (dim > kMaxElements) malformed(origin_, "its shape is too large");
      }
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // written by Python 2
      dims.push_back(dim);
      elements = dim == 0 ? 0 : elements;
      if (dim != 0 && elements > kMaxElements / dim) malformed(origin_, "its shape is too large");
      elements *= dim;
      if (dims.size() > 32) malformed(origin_, "it has more than 32 dimensions");
      if (!accept(',') && peek() != ')') malformed(origin_, "its shape cannot be read");
    }
    return dims;
  }

  std::string_view text_;
  const std::string& origin_;
  std::size_t at_ = 0;
};

/// Element order of Fortran to that of C.
std::vector<std::byte> to_c_order(const std::byte* from, const std::vector<std::int64_t>& shape,
                                  std::size_t item) {
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) count *= dim;
  std::vector<std::byte> out(static_cast<std::size_t>(count) * item);
  std::vector<std::int64_t> index(shape.size(), 0);
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t d = 1; d < shape.size(); ++d) strides[d] = strides[d - 1] * shape[d - 1];
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) at += index[d] * strides[d];
    std::memcpy(out.data() + static_cast<std::size_t>(i) * item,
                from + static_cast<std::size_t>(at) * item, item);
    for (std::size_t d = shape.size(); d-- > 0 && ++index[d] == shape[d];) index[d] = 0;
  }
  return out;
}

template <class To, class From>
std::vector<To> convert(const NpyArray& array) {
  const std::vector<From> from = array.values<From>();
  std::vector<To> to(from.size());
  std::transform(from.begin(), from.end(), to.begin(), [](From v) { return static_cast<To>(v); });
  return to;
}

std::int64_t product(const std::vector<std::int64_t>& shape) {
  std::int64_t n = 1;
  for (const std::int64_t dim : shape) n *= dim;
  return n;
}

}  // namespace

std::int64_t NpyArray::size() const {
  return product(shape);
}

template <class T>
std::vector<T> NpyArray::values() const {
  if (dtype != npy_dtype<T>()) {
    wrong_type(
        origin,
        std::string("an array of type ") + npy_dtype<T>() + " is needed, this one is " + dtype,
        npy_dtype<T>());
  }
  std::vector<T> out(static_cast<std::size_t>(size()));
  if constexpr (std::is_same_v<T, bool>) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = bytes[i] != std::byte{0};
  } else if (!bytes.empty()) {
    std::memcpy(out.data(), bytes.data(), bytes.size());
  }
  return out;
}

template std::vector<float> NpyArray::values() const;
template std::vector<double> NpyArray::values() const;
template std::vector<std::int64_t> NpyArray::values() const;
template std::vector<std::int32_t> NpyArray::values() const;
template std::vector<std::int16_t> NpyArray::values() const;
template std::vector<std::int8_t> NpyArray::values() const;
template std::vector<std::uint8_t> NpyArray::values() const;
template std::vector<bool> NpyArray::values() const;

std::vector<std::int64_t> NpyArray::to_i64() const {
  if (dtype == "i8") return values<std::int64_t>();
  if (dtype == "i4") return convert<std::int64_t, std::int32_t>(*this);
  if (dtype == "i2") return convert<std::int64_t, std::int16_t>(*this);
  if (dtype == "i1") return convert<std::int64_t, std::int8_t>(*this);
  if (dtype == "u1") return convert<std::int64_t, std::uint8_t>(*this);
  if (dtype == "b1") return convert<std::int64_t, bool>(*this);
  wrong_type(origin, "integers are needed, this array is " + dtype, "i8");
}

std::vector<float> NpyArray::to_f32() const {
  if (dtype == "f4") return values<float>();
  if (dtype == "f8") return convert<float, double>(*this);
  const std::vector<std::int64_t> whole = to_i64();
  std::vector<float> out(whole.size());
  std::transform(whole.begin(), whole.end(), out.begin(),
                 [](std::int64_t v) { return static_cast<float>(v); });
  return out;
}

NpyArray parse_npy(std::string_view bytes, const std::string& origin) {
  if (bytes.size() < 10 || bytes.substr(0, 6) != kMagic) {
    malformed(origin, "it does not start as an .npy file does");
  }
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  const bool old = byte(6) == 1;
  if (byte(6) < 1 || byte(6) > 3) malformed(origin, "its format version is unknown");
  if (!old && bytes.size() < 12) malformed(origin, "it is cut short");
  const std::size_t start = old ? 10 : 12;
  std::size_t length = byte(8) | byte(9) << 8;
  if (!old) length |= byte(10) << 16 | byte(11) << 24;
  if (length > kMaxHeader || start + length > bytes.size()) {
    malformed(origin, "it is cut short in its header");
  }
  const Header header = HeaderParser(bytes.substr(start, length), origin).parse();
  const std::string_view data = bytes.substr(start + length);
  const std::size_t item = item_size(header.dtype);
  const std::size_t want = static_cast<std::size_t>(product(header.shape)) * item;
  if (data.size() != want) {
    malformed(origin, "its header promises " + std::to_string(want) + " bytes, there are " +
                          std::to_string(data.size()));
  }
  NpyArray array{header.dtype, header.shape, {}, origin};
  const auto* from = reinterpret_cast<const std::byte*>(data.data());
  if (header.fortran && header.shape.size() > 1 && want > 0) {
    array.bytes = to_c_order(from, header.shape, item);
  } else {
    array.bytes.assign(from, from + want);
  }
  return array;
}

NpyArray read_npy(const std::filesystem::path& path) {
  const MappedFile file(path);
  return parse_npy(file.text(), path.string());
}

std::string npy_header(std::string_view dtype, const std::vector<std::int64_t>& shape) {
  std::string text = "{'descr': '";
  text += item_size(dtype) == 1 ? '|' : '<';
  text += std::string(dtype) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += std::to_string(shape[i]) + (shape.size() == 1 || i + 1 < shape.size() ? "," : "");
    if (i + 1 < shape.size()) text += ' ';
  }
  text += "), }";
  // The elements start at a multiple of 64 bytes.
  const std::size_t total = (10 + text.size() + 1 + 63) / 64 * 64;
  text.append(total - 10 - text.size() - 1, ' ');
  text += '\n';
  std::string header(kMagic);
  header += '\x01';
  header += '\x00';
  header += static_cast<char>(text.size() & 0xFF);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

template <class T>
void write_npy(const std::filesystem::path& path, const std::vector<T>& values,
               const std::vector<std::int64_t>& shape) {
  if (product(shape) != static_cast<std::int64_t>(values.size())) {
    throw std::invalid_argument("write_npy: the shape does not hold the values");
  }
  AtomicFile target(path);
  {
    std::ofstream out(target.path(), std::ios::binary);
    const std::string header = npy_header(npy_dtype<T>(), shape);
    out.write(header.data(), static_cast<std::streamsize>(header.size()));
    out.write(reinterpret_cast<const char*>(values.data()),
              static_cast<std::streamsize>(values.size() * sizeof(T)));
    out.flush();
    if (!out) {
      throw DataError(file_diagnostic("E443", path.string(), "the array cannot be written",
                                      "check the folder's permissions and the free space"));
    }
  }
  target.commit();
}

template void write_npy(const std::filesystem::path&, const std::vector<float>&,
                        const std::vector<std::int64_t>&);
template void write_npy(const std::filesystem::path&, const std::vector<double>&,
                        const std::vector<std::int64_t>&);
template void write_npy(const std::filesystem::path&, const std::vector<std::int64_t>&,
                        const std::vector<std::int64_t>&);
template void write_npy(const std::filesystem::path&, const std::vector<std::int32_t>&,
                        const std::vector<std::int64_t>&);
template void write_npy(const std::filesystem::path&, const std::vector<std::int8_t>&,
                        const std::vector<std::int64_t>&);
template void write_npy(const std::filesystem::path&, const std::vector<std::uint8_t>&,
                        const std::vector<std::int64_t>&);

}  // namespace retake::data
