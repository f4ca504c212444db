#include "config/path.hpp"

#include <charconv>
#include <cstdio>
#include <stdexcept>

namespace retake::config {
namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

/// Reads a quoted key at `text[at]`; only \" and \\ are escapes.
std::string read_quoted(std::string_view text, std::size_t& at) {
  const char quote = text[at++];
  std::string key;
  while (at < text.size() && text[at] != quote) {
    if (text[at] == '\\' && quote == '"' && at + 1 < text.size()) ++at;
    key += text[at++];
  }
  if (at == text.size()) throw std::invalid_argument("a quote is not closed");
  ++at;
  return key;
}

PathPart read_index(std::string_view text, std::size_t& at) {
  const std::size_t end = text.find(']', at);
  if (end == std::string_view::npos) throw std::invalid_argument("`[` is not closed");
  std::size_t index = 0;
  const char* last = text.data() + end;
  const auto [stop, error] = std::from_chars(text.data() + at + 1, last, index);
  if (error != std::errc() || stop != last || end == at + 1) {
    throw std::invalid_argument("an index is a number from 0: [0]");
  }
  at = end + 1;
  return {{}, index};
}

std::string read_key(std::string_view text, std::size_t& at) {
  if (at < text.size() && (text[at] == '"' || text[at] == '\'')) return read_quoted(text, at);
  const std::size_t begin = at;
  // A slash needs no quotes here, since metric names have them: watch.val/loss.max
  while (at < text.size() && (is_bare(text[at]) || text[at] == '/')) ++at;
  if (at == begin) {
    throw std::invalid_argument(at < text.size() ? std::string("`") + text[at] + "` is no key"
                                                 : "a key is missing");
  }
  return std::string(text.substr(begin, at - begin));
}

}  // namespace

Path parse_path(std::string_view text) {
  Path path;
  std::size_t at = 0;
  path.push_back({read_key(text, at), std::nullopt});
  while (at < text.size()) {
    if (text[at] == '.') {
      path.push_back({read_key(text, ++at), std::nullopt});
    } else if (text[at] == '[') {
      path.push_back(read_index(text, at));
    } else {
      throw std::invalid_argument(std::string("`") + text[at] + "` is not expected in a path");
    }
    if (path.size() > 64) throw std::invalid_argument("deeper than 64 levels");
  }
  return path;
}

std::string to_string(const Path& path) {
  std::string out;
  for (const PathPart& part : path) {
    out = part.index ? item_path(out, *part.index) : child_path(out, part.key);
  }
  return out;
}

std::string quoted_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte == 0x7f) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04X", byte);
      out += code;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string quoted_key(std::string_view key) {
  bool bare = !key.empty();
  for (const char c : key) bare = bare && is_bare(c);
  return bare ? std::string(key) : quoted_string(key);
}

std::string child_path(std::string_view parent, std::string_view key) {
  std::string out(parent);
  if (!out.empty()) out += '.';
  return out + quoted_key(key);
}

std::string item_path(std::string_view parent, std::size_t index) {
  return std::string(parent) + "[" + std::to_string(index) + "]";
}

Value* find_value(Table& root, const Path& path) {
  Value* at = nullptr;
  for (const PathPart& part : path) {
    if (part.index) {
      if (at == nullptr || !at->is_array() || *part.index >= at->as_array().size()) return nullptr;
      at = &at->as_array()[*part.index];
    } else {
      if (at != nullptr && !at->is_table()) return nullptr;
      at = (at == nullptr ? root : at->as_table()).find(part.key);
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

const Value* find_value(const Table& root, const Path& path) {
  return find_value(const_cast<Table&>(root), path);
}

bool erase_value(Table& root, const Path& path) {
  const PathPart& last = path.back();
  if (path.size() == 1) return root.erase(last.key);
  Value* parent = find_value(root, Path(path.begin(), path.end() - 1));
  if (parent == nullptr) return false;
  if (!last.index) return parent->is_table() && parent->as_table().erase(last.key);
  if (!parent->is_array() || *last.index >= parent->as_array().size()) return false;
  auto& items = parent->as_array();
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(*last.index));
  return true;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t k) {
      return k < text.size() ? static_cast<unsigned char>(text[k]) : 0U;
    };
    const unsigned lead = byte(i);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80U) return false;
    }
    const unsigned second = byte(i + 1);
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace retake::config
