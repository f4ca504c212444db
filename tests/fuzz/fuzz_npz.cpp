// NumPy arrays: the bytes as a .npy, and as a .npz file.

#include "data/npy.hpp"
#include "scratch.hpp"

using namespace retake;

namespace {

void use(const data::NpyArray& array) {
  fuzz::require(array.size() >= 0, "a size");
  fuzz::tolerant([&] {
    fuzz::require(array.to_f32().size() == static_cast<std::size_t>(array.size()), "every element");
  });
  fuzz::tolerant([&] { array.to_i64(); });
  fuzz::tolerant([&] { array.values<float>(); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text(data, size);
  fuzz::tolerant([&] { use(data::parse_npy(bytes, "x.npy")); });
  const bool zip = bytes.starts_with("PK");
  if (!zip) return 0;
  const auto path = fuzz::put("x.npz", bytes);
  fuzz::tolerant([&] {
    for (const std::string& name : data::npz_names(path)) {
      fuzz::tolerant([&] { use(data::read_npz(path, name)); });
    }
  });
  fuzz::tolerant([&] {
    for (const auto& [name, array] : data::read_npz(path)) use(array);
  });
  return 0;
}
