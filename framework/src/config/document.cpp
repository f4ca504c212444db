#include "config/document.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "config/path.hpp"
#include "core/utf8.hpp"

namespace retake::config {
namespace {

using SourcePtr = std::shared_ptr<const SourceText>;

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n') {
      lines.emplace_back();
    } else if (c != '\r') {
      lines.back() += c;
    }
  }
  return lines;
}

[[noreturn]] void fail(const SourcePtr& source, const Span& span, std::string message,
                       std::string caret, std::string help) {
  Origin origin;
  origin.source = source;
  origin.value = span;
  Diagnostic d;
  d.id = "E101";
  d.message = std::move(message);
  d.place = value_place(origin);
  // A line of a binary file says nothing and may upset the terminal.
  if (!is_utf8(d.place->source_line) || d.place->source_line.size() > 400 ||
      std::any_of(d.place->source_line.begin(), d.place->source_line.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; })) {
    d.place->source_line.clear();
  }
  d.caret = std::move(caret);
  d.help = std::move(help);
  throw ConfigError(std::move(d));
}

/// Walks the text once, outside strings and comments, and refuses nesting (brackets, dotted keys)
/// that would drive recursive code deep: the parser's own limit does not cover dotted keys.
class DepthGuard {
 public:
  DepthGuard(const std::string& text, SourcePtr source) : text_(text), source_(std::move(source)) {}

  void check() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        continue;
      }
      step(c);
      ++at_;
    }
  }

 private:
  void step(char c) {
    if (c == '\n') {
      ++line_;
      dots_ = 0;
    } else if (c == '[' || c == '{') {
      ++depth_;
      dots_ = 0;
    } else if (c == ']' || c == '}') {
      depth_ = std::max(0, depth_ - 1);
      dots_ = 0;
    } else if (c == ',' || c == '=') {
      dots_ = 0;
    } else if (c == '.') {
      ++dots_;
    }
    if (depth_ > kMaxDepth || dots_ > kMaxDepth) {
      fail(source_, {line_, 1, 1}, "nested deeper than " + std::to_string(kMaxDepth) + " levels",
           "", "no experiment needs that depth: write the table under a short name");
    }
  }

  void skip_string(char quote) {
    const std::string triple(3, quote);
    const bool multi = text_.compare(at_, 3, triple) == 0;
    at_ += multi ? 3 : 1;
    while (at_ < text_.size()) {
      if (text_[at_] == '\\' && quote == '"') {
        at_ += 2;
        continue;
      }
      if (multi ? text_.compare(at_, 3, triple) == 0 : text_[at_] == quote) {
        at_ += multi ? 3 : 1;
        return;
      }
      if (text_[at_] == '\n') {
        if (!multi) return;  // the parser will say that the string is not closed
        ++line_;
      }
      ++at_;
    }
  }

  const std::string& text_;
  SourcePtr source_;
  std::size_t at_ = 0;
  int line_ = 1;
  int depth_ = 0;
  int dots_ = 0;
};

Span span_of(const toml::source_region& region) {
  Span span{static_cast<int>(region.begin.line), static_cast<int>(region.begin.column), 1};
  if (region.end.line == region.begin.line && region.end.column > region.begin.column) {
    span.length = static_cast<int>(region.end.column - region.begin.column);
  }
  return span;
}

/// Turns the parser's tree into ours.
class Converter {
 public:
  Converter(SourcePtr source, OriginMap& origins) : source_(std::move(source)), origins_(origins) {}

  Table table(const toml::table& from, const std::string& path, int depth) {
    struct Item {
      const toml::key* key;
      const toml::node* node;
    };
    if (from.size() > kMaxKeys) {
      fail(source_, span_of(from.source()),
           "a table of " + std::to_string(from.size()) + " keys; up to " +
               std::to_string(kMaxKeys) + " are read",
           "", "is this the file you mean? long lists are arrays");
    }
    std::vector<Item> items;
    for (auto it = from.cbegin(); it != from.cend(); ++it) {
      items.push_back({&it->first, &it->second});
    }
    // The parser's tables iterate alphabetically; people wrote an order.
    std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
      const auto &x = a.key->source().begin, &y = b.key->source().begin;
      return x.line != y.line ? x.line < y.line : x.column < y.column;
    });
    Table out;
    for (const Item& item : items) {
      const std::string key(item.key->str());
      out[key] = value(*item.node, child_path(path, key), span_of(item.key->source()), depth + 1);
    }
    return out;
  }

 private:
  Value value(const toml::node& node, const std::string& path, const Span& key, int depth) {
    const Span where = span_of(node.source());
    if (depth > 2 * kMaxDepth) fail(source_, where, "nested too deeply", "", "flatten this table");
    Value out = plain(node, path, key, where, depth);
    Origin origin;
    origin.source = source_;
    origin.key = key;
    origin.value = where;
    if (!out.is_table()) origin.written = out;
    origins_[path].push_back(std::move(origin));
    return out;
  }

  Value plain(const toml::node& node, const std::string& path, const Span& key, const Span& where,
              int depth) {
    if (const auto* t = node.as_table()) return table(*t, path, depth);
    if (const auto* a = node.as_array()) {
      Array items;
      for (const auto& item : *a) {
        items.push_back(value(item, item_path(path, items.size()), key, depth + 1));
      }
      return items;
    }
    if (const auto* v = node.as_string()) return v->get();
    if (const auto* v = node.as_integer()) return v->get();
    if (const auto* v = node.as_floating_point()) return v->get();
    if (const auto* v = node.as_boolean()) return v->get();
    fail(source_, where, "no setting is a date or a time", "put it in quotes to make it a text",
         "");
  }

  SourcePtr source_;
  OriginMap& origins_;
};

/// The parser's words for what it met, less its own decoration.
std::string tidy(std::string_view description) {
  std::string out(description);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

/// Whether the parser stopped inside a text whose closing quote is missing.
bool is_open_text(const SourcePtr& source, const toml::parse_error& e) {
  const std::string_view said = e.description();
  if (said.find("string") == said.npos) return false;
  const auto line =
      static_cast<std::size_t>(std::max<int>(1, static_cast<int>(e.source().begin.line)));
  const bool at_line_end = line > source->lines.size() ||
                           e.source().begin.column > count_characters(source->lines[line - 1]);
  return at_line_end &&
         (said.find("control characters") != said.npos || said.find("end-of-file") != said.npos);
}

}  // namespace

Document parse_document(const std::string& text, const std::string& name) {
  auto source = std::make_shared<SourceText>();
  source->name = name;
  if (text.size() > kMaxFileBytes) {
    fail(source, {},
         "the file has " + std::to_string(text.size()) + " bytes, more than the " +
             std::to_string(kMaxFileBytes) + " an experiment file may have",
         "", "is this the file you mean?");
  }
  source->lines = split_lines(text);
  if (!is_utf8(text)) {
    const auto bad = std::find_if(source->lines.begin(), source->lines.end(),
                                  [](const std::string& line) { return !is_utf8(line); });
    fail(source, {static_cast<int>(bad - source->lines.begin()) + 1, 1, 1},
         "the file is not UTF-8 text", "", "save it as UTF-8; binary files are no experiments");
  }
  DepthGuard(text, source).check();
  Document document;
  try {
    const toml::table parsed = toml::parse(text, name);
    document.tree = Converter(source, document.origins).table(parsed, "", 0);
  } catch (const toml::parse_error& e) {
    if (is_open_text(source, e)) {
      fail(source, span_of(e.source()), "this is not valid TOML",
           "a text is not closed here: its quote is missing",
           "end it with the quote it began with");
    }
    fail(source, span_of(e.source()), "this is not valid TOML", tidy(e.description()),
         "mend the text at this place");
  }
  return document;
}

bool parse_value(const std::string& text, Value& out) {
  if (text.size() > kMaxFileBytes || !is_utf8(text)) return false;
  try {
    const Document one = parse_document("x = " + text, "argument");
    if (one.tree.size() != 1) return false;
    const Value* value = one.tree.find("x");
    if (value == nullptr) return false;
    out = *value;
    return true;
  } catch (const ConfigError&) {
    return false;  // not TOML: the caller takes it as a bare string
  }
}

}  // namespace retake::config
