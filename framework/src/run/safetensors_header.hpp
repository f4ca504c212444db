#pragma once
// Reading a safetensors header without trusting it.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace retake::run {

/// As the header says, checked for form only.
struct HeaderEntry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};
struct Header {
  std::vector<HeaderEntry> entries;
  std::map<std::string, std::string> metadata;
};

/// Parses with a fixed grammar and no document tree, so that depth and repeated keys cannot cost
/// memory or time beyond the text's own length. Throws std::runtime_error saying what is wrong.
Header parse_safetensors_header(std::string_view json);

}  // namespace retake::run
