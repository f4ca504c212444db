#pragma once
// Characters of UTF-8 text. A character is a code point; broken text counts each byte that is no
// continuation byte.

#include <algorithm>
#include <string_view>

namespace retake {

/// The first byte of a character.
inline bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

inline std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

/// Where character `n` (from 0) begins; the size of the text when it has no more than `n`.
inline std::size_t byte_of_character(std::string_view text, std::size_t n) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (starts_character(text[at]) && n-- == 0) return at;
  }
  return text.size();
}

}  // namespace retake
