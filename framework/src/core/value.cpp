#include "retake/value.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "core/json.hpp"
#include "core/utf8.hpp"
#include "retake/error.hpp"

namespace retake {

const Value* Table::find(std::string_view key) const {
  for (const Entry& entry : entries_) {
    if (entry.first == key) return &entry.second;
  }
  return nullptr;
}

Value* Table::find(std::string_view key) {
  return const_cast<Value*>(static_cast<const Table*>(this)->find(key));
}

Value& Table::operator[](std::string_view key) {
  if (Value* found = find(key)) return *found;
  entries_.emplace_back(std::string(key), Value());
  return entries_.back().second;
}

const Value& Table::at(std::string_view key) const {
  if (const Value* found = find(key)) return *found;
  throw std::out_of_range("no key `" + std::string(key) + "`");
}

bool Table::erase(std::string_view key) {
  const auto it = std::find_if(entries_.begin(), entries_.end(),
                               [&](const Entry& entry) { return entry.first == key; });
  if (it == entries_.end()) return false;
  entries_.erase(it);
  return true;
}

bool operator==(const Table& a, const Table& b) {
  return a.entries_ == b.entries_;
}

bool operator==(const Value& a, const Value& b) {
  if (a.is_float() && b.is_float()) {
    const double x = a.as_double(), y = b.as_double();
    return x == y || (std::isnan(x) && std::isnan(y));
  }
  return a.data_ == b.data_;
}

double Value::as_double() const {
  return is_int() ? static_cast<double>(as_int()) : std::get<double>(data_);
}

std::string_view type_name(Value::Type type) {
  switch (type) {
    case Value::Type::null:
      return "null";
    case Value::Type::boolean:
      return "bool";
    case Value::Type::integer:
      return "int";
    case Value::Type::floating:
      return "float";
    case Value::Type::string:
      return "string";
    case Value::Type::array:
      return "array";
    case Value::Type::table:
      return "table";
  }
  return "unknown";
}

const Value* find_path(const Value& root, std::string_view path) {
  const Value* at = &root;
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    if (!at->is_table()) return nullptr;
    at = at->as_table().find(path.substr(0, dot));
    if (at == nullptr) return nullptr;
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return at;
}

std::string format_double(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  std::string out(text, end);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

namespace {

bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

}  // namespace

void append_json(std::string& out, const std::string& text) {
  // Nearly all keys need no escape, and the library's serialiser is dear to set up: this is in the
  // path of every training step.
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  // The library escapes; invalid UTF-8 is replaced, so that what we write always parses.
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_json(std::string& out, double v) {
  if (std::isnan(v)) {
    out += "\"NaN\"";
  } else if (std::isinf(v)) {
    out += v > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    out += format_double(v);
  }
}

namespace {

struct Writer {
  std::string out;
  int indent;
  bool sorted;

  void line_break(int depth) {
    if (indent < 0) return;
    out += '\n';
    out.append(static_cast<std::size_t>(indent * depth), ' ');
  }

  void table(const Table& t, int depth) {
    std::vector<const Table::Entry*> entries;
    for (const auto& entry : t) entries.push_back(&entry);
    if (sorted) {
      std::sort(entries.begin(), entries.end(),
                [](const auto* a, const auto* b) { return a->first < b->first; });
    }
    out += '{';
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) out += ',';
      line_break(depth + 1);
      append_json(out, entries[i]->first);
      out += indent < 0 ? ":" : ": ";
      value(entries[i]->second, depth + 1);
    }
    if (!entries.empty()) line_break(depth);
    out += '}';
  }

  void array(const Array& a, int depth) {
    const bool flat = std::none_of(a.begin(), a.end(),
                                   [](const Value& v) { return v.is_table() || v.is_array(); });
    out += '[';
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (i > 0) out += indent >= 0 && flat ? ", " : ",";
      if (!flat) line_break(depth + 1);
      value(a[i], depth + 1);
    }
    if (!a.empty() && !flat) line_break(depth);
    out += ']';
  }

  void value(const Value& v, int depth) {
    switch (v.type()) {
      case Value::Type::null:
        out += "null";
        return;
      case Value::Type::boolean:
        out += v.as_bool() ? "true" : "false";
        return;
      case Value::Type::integer:
        out += std::to_string(v.as_int());
        return;
      case Value::Type::floating:
        append_json(out, v.as_double());
        return;
      case Value::Type::string:
        append_json(out, v.as_string());
        return;
      case Value::Type::array:
        array(v.as_array(), depth);
        return;
      case Value::Type::table:
        table(v.as_table(), depth);
        return;
    }
  }
};

/// Builds a Value while parsing; rejects what is nested too deeply before the stack is at risk.
class Reader : public nlohmann::json_sax<nlohmann::json> {
 public:
  static constexpr std::size_t kMaxDepth = 200;
  Value root;
  std::string error;
  std::size_t error_at = 0;  ///< bytes read when a syntax error showed; 0: not known

  bool null() override { return put(Value()); }
  bool boolean(bool v) override { return put(Value(v)); }
  bool number_integer(number_integer_t v) override { return put(Value(std::int64_t{v})); }
  bool number_unsigned(number_unsigned_t v) override {
    if (v > static_cast<number_unsigned_t>(INT64_MAX)) return put(Value(static_cast<double>(v)));
    return put(Value(static_cast<std::int64_t>(v)));
  }
  bool number_float(number_float_t v, const string_t&) override { return put(Value(double{v})); }
  bool string(string_t& v) override { return put(Value(std::move(v))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Value(Table())); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Value(Array())); }
  bool end_array() override { return close(); }
  bool key(string_t& v) override {
    if (stack_.back()->as_table().contains(v)) {
      error = "duplicate key `" + v + "`";
      return false;
    }
    key_ = std::move(v);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& e) override {
    // The library's text is "[id] parse error at line 1, column 3: cause": the cause is ours to
    // keep.
    error = e.what();
    const std::size_t place = error.find("column ");
    const std::size_t cause = place == error.npos ? place : error.find(": ", place);
    if (cause != error.npos) error.erase(0, cause + 2);
    error_at = position;
    return false;
  }

 private:
  Value* place(Value v) {
    if (stack_.empty()) {
      root = std::move(v);
      return &root;
    }
    Value& top = *stack_.back();
    if (top.is_array()) {
      top.as_array().push_back(std::move(v));
      return &top.as_array().back();
    }
    Value& slot = top.as_table()[key_];
    slot = std::move(v);
    return &slot;
  }
  bool put(Value v) {
    place(std::move(v));
    return true;
  }
  bool open(Value v) {
    if (stack_.size() >= kMaxDepth) {
      error = "nested deeper than 200 levels";
      return false;
    }
    stack_.push_back(place(std::move(v)));
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }
  // Pointers stay valid: only the innermost container grows while it is on the stack.
  std::vector<Value*> stack_;
  std::string key_;
};

/// The place of byte `at`, counted from 1, of a text. Its line is shown unless it is a whole file.
Place place_of(std::string_view text, std::size_t at, const std::string& origin) {
  constexpr std::size_t kShown = 200;
  Place place;
  place.file = origin;
  if (at == 0) return place;
  const std::string_view before = text.substr(0, std::min(at - 1, text.size()));
  const std::size_t begin = before.rfind('\n') + 1;  // 0 where there is none
  const std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  place.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  place.column = 1 + static_cast<int>(count_characters(before.substr(begin)));
  if (line.size() <= kShown) place.source_line = line;
  return place;
}

}  // namespace

std::string to_json(const Value& value, int indent) {
  Writer writer{{}, indent, false};
  writer.value(value, 0);
  return std::move(writer.out);
}

std::string to_canonical_json(const Value& value) {
  Writer writer{{}, -1, true};
  writer.value(value, 0);
  return std::move(writer.out);
}

Value parse_json(std::string_view text, const std::string& origin) {
  Reader reader;
  if (!nlohmann::json::sax_parse(text, &reader)) {
    Diagnostic d = file_diagnostic("E403", origin, "not valid JSON: " + reader.error,
                                   "mend the file, or make it anew");
    d.place = place_of(text, reader.error_at, origin);
    throw DataError(std::move(d));
  }
  return std::move(reader.root);
}

nlohmann::ordered_json to_nlohmann(const Value& value) {
  switch (value.type()) {
    case Value::Type::null:
      return nullptr;
    case Value::Type::boolean:
      return value.as_bool();
    case Value::Type::integer:
      return value.as_int();
    case Value::Type::floating:
      return value.as_double();
    case Value::Type::string:
      return value.as_string();
    case Value::Type::array: {
      auto out = nlohmann::ordered_json::array();
      for (const Value& item : value.as_array()) out.push_back(to_nlohmann(item));
      return out;
    }
    case Value::Type::table: {
      auto out = nlohmann::ordered_json::object();
      for (const auto& [key, item] : value.as_table()) out[key] = to_nlohmann(item);
      return out;
    }
  }
  return nullptr;
}

Value from_nlohmann(const nlohmann::ordered_json& json) {
  if (json.is_object()) {
    Table table;
    for (const auto& [key, item] : json.items()) table[key] = from_nlohmann(item);
    return table;
  }
  if (json.is_array()) {
    Array array;
    for (const auto& item : json) array.push_back(from_nlohmann(item));
    return array;
  }
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_number()) return json.get<std::int64_t>();
  if (json.is_string()) return json.get<std::string>();
  return {};
}

}  // namespace retake
