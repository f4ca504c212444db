#pragma once
// The safetensors container (Hugging Face, https://github.com/huggingface/safetensors, format 0.x):
// 8 bytes little-endian length of the header, a JSON header
//   {"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}, ...}
// and the raw little-endian tensors, back to back. No timestamps and a fixed order, so that two
// files are equal bit for bit when their tensors are.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"

namespace retake::run {

enum class DType { boolean, u8, i8, i16, u16, f16, bf16, i32, u32, f32, f64, i64, u64 };

std::size_t dtype_size(DType type);
/// The name in the file: "F32", "I64", "BOOL", ...
std::string_view dtype_name(DType type);

/// One tensor in memory, contiguous and row-major; does not own its bytes.
struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;  ///< empty: a scalar
  std::span<const std::byte> bytes;
};

/// 128-bit XXH3 of dtype, shape and bytes as 32 hex digits. Tells states of a run apart; it is no
/// protection against forgery.
std::string tensor_hash(const TensorView& tensor);

/// Writes the file (not atomically: checkpoints are whole folders) and syncs it. Tensors are laid
/// out by descending element size, then name, which keeps each aligned to its elements. `metadata`
/// goes into "__metadata__". Throws std::invalid_argument when a name repeats or is "__metadata__",
/// or bytes and shape disagree; DataError when the disk refuses.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// A file mapped read-only. Views stay valid as long as the object, and are aligned to their
/// elements only as far as the file is (files written here are).
class SafeTensors {
 public:
  /// Checks everything before any tensor is handed out: lengths, header, names, dtypes, shapes,
  /// offsets that neither overlap nor leave holes. Throws DataError (E606) naming the file.
  explicit SafeTensors(const std::filesystem::path& path);

  const std::vector<TensorView>& tensors() const { return tensors_; }  ///< in file order
  /// Null when there is none of this name.
  const TensorView* find(std::string_view name) const;
  /// Throws DataError (E606) naming file and tensor when absent.
  const TensorView& at(std::string_view name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::unique_ptr<MappedFile> file_;
  std::vector<TensorView> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace retake::run
