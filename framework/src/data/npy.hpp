#pragma once
// Arrays in NumPy's files: .npy, and .npz as a zip of them. Nothing in them is ever executed:
// pickled objects are refused.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/files.hpp"

struct zip;

namespace retake::data {

/// An array in memory, C order, little endian.
struct NpyArray {
  std::string dtype;  ///< NumPy's name without byte order: "f4", "f8", "i8", "i4", "i1", "u1", "b1"
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
  std::string origin;  ///< for messages: "a.npz:mel"

  std::int64_t size() const;  ///< number of elements
  /// Copies the elements out. T is float, double, std::int64_t, std::int32_t, std::int16_t,
  /// std::int8_t, std::uint8_t or bool and must be the stored type (E441 otherwise).
  template <class T>
  std::vector<T> values() const;
  /// Elements of any numeric type as float32.
  std::vector<float> to_f32() const;
  /// Elements of any integer or boolean type as int64; E441 for floats.
  std::vector<std::int64_t> to_i64() const;
};

/// NumPy's name of T.
template <class T>
constexpr const char* npy_dtype() {
  if constexpr (std::is_same_v<T, float>) return "f4";
  if constexpr (std::is_same_v<T, double>) return "f8";
  if constexpr (std::is_same_v<T, std::int64_t>) return "i8";
  if constexpr (std::is_same_v<T, std::int32_t>) return "i4";
  if constexpr (std::is_same_v<T, std::int16_t>) return "i2";
  if constexpr (std::is_same_v<T, std::int8_t>) return "i1";
  if constexpr (std::is_same_v<T, std::uint8_t>) return "u1";
  if constexpr (std::is_same_v<T, bool>) return "b1";
}

/// Throws DataError naming `origin`: E440 malformed or truncated, E441 a type that is not read.
NpyArray parse_npy(std::string_view bytes, const std::string& origin);
NpyArray read_npy(const std::filesystem::path& path);
/// The bytes before the elements, as numpy.save writes them.
std::string npy_header(std::string_view dtype, const std::vector<std::int64_t>& shape);
/// Atomic. `shape` has as many elements as `values`.
template <class T>
void write_npy(const std::filesystem::path& path, const std::vector<T>& values,
               const std::vector<std::int64_t>& shape);

/// Names in a .npz, without ".npy", in stored order. Throws DataError (E400 missing, E440).
std::vector<std::string> npz_names(const std::filesystem::path& path);
/// All arrays of a .npz, stored or deflated. Throws DataError (E400, E440, E441).
std::map<std::string, NpyArray> read_npz(const std::filesystem::path& path);
/// One array; E442 when there is none of that name, listing those there are.
NpyArray read_npz(const std::filesystem::path& path, const std::string& name);

/// Writes a .npz whose entries are stored, not deflated, without times: the same arrays give the
/// same bytes. It appears whole at `finish()` or not at all.
class NpzWriter {
 public:
  explicit NpzWriter(const std::filesystem::path& path);
  ~NpzWriter();
  NpzWriter(const NpzWriter&) = delete;
  NpzWriter& operator=(const NpzWriter&) = delete;

  /// The elements are kept until `finish()`.
  template <class T>
  void add(const std::string& name, std::vector<T> values, const std::vector<std::int64_t>& shape);
  /// Throws DataError E443 naming the file (disk full, permissions).
  void finish();

 private:
  struct Entry {
    std::string header;
    std::shared_ptr<const void> data;
  };
  void add_bytes(const std::string& name, std::string header, std::shared_ptr<const void> data,
                 std::size_t size);

  std::filesystem::path path_;
  AtomicFile target_;
  std::list<Entry> entries_;  ///< libzip points at their bytes
  zip* archive_ = nullptr;
};

}  // namespace retake::data
