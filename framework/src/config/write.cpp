#include "config/write.hpp"

#include <algorithm>
#include <stdexcept>

#include "config/path.hpp"

namespace retake::config {
namespace {

constexpr std::size_t kCommentColumn = 36;

/// Comments are one line whatever file names hold.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

class Writer {
 public:
  explicit Writer(const CommentOf& comment) : comment_(comment) {}

  void table(const Table& t, const std::string& path) {
    for (const auto& [key, value] : t) {
      if (!value.is_table()) line(key, value, child_path(path, key));
    }
    for (const auto& [key, value] : t) {
      if (!value.is_table()) continue;
      const std::string at = child_path(path, key);
      const Table& inner = value.as_table();
      const bool plain = std::any_of(inner.begin(), inner.end(),
                                     [](const auto& entry) { return !entry.second.is_table(); });
      if (plain || inner.empty()) {
        if (!out.empty()) out += '\n';
        out += "[" + at + "]\n";
      }
      table(inner, at);
    }
  }

  std::string out;

 private:
  void line(const std::string& key, const Value& value, const std::string& path) {
    std::string text = quoted_key(key) + " = " + inline_toml(value);
    const std::string comment = comment_ ? one_line(comment_(path)) : std::string();
    if (!comment.empty()) {
      text.append(text.size() < kCommentColumn ? kCommentColumn - text.size() : 0, ' ');
      text += "  # " + comment;
    }
    out += text + "\n";
  }

  const CommentOf& comment_;
};

}  // namespace

std::string inline_toml(const Value& value) {
  switch (value.type()) {
    case Value::Type::boolean:
      return value.as_bool() ? "true" : "false";
    case Value::Type::integer:
      return std::to_string(value.as_int());
    case Value::Type::floating:
      return format_double(value.as_double());
    case Value::Type::string:
      return quoted_string(value.as_string());
    case Value::Type::array: {
      std::string out = "[";
      for (const Value& item : value.as_array()) {
        out += (out.size() > 1 ? ", " : "") + inline_toml(item);
      }
      return out + "]";
    }
    case Value::Type::table: {
      std::string out = "{";
      for (const auto& [key, item] : value.as_table()) {
        out += (out.size() > 1 ? ", " : " ") + quoted_key(key) + " = " + inline_toml(item);
      }
      return out + (out.size() > 1 ? " }" : "}");
    }
    case Value::Type::null:
      break;
  }
  throw std::invalid_argument("a null has no TOML form");
}

std::string write_toml(const Table& root, const CommentOf& comment) {
  Writer writer(comment);
  writer.table(root, "");
  return std::move(writer.out);
}

}  // namespace retake::config
