#pragma once
// A neutral tree of values: what experiment files, schemas, manifests and plugins exchange.
// Std types only, so that it crosses the plugin border (no TOML or JSON library types do).

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace retake {

class Value;

/// Keys in the order they were written. Lookup is linear: tables here are small.
class Table {
 public:
  using Entry = std::pair<std::string, Value>;

  bool contains(std::string_view key) const { return find(key) != nullptr; }
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  /// The value of `key`, inserted at the end as null when absent.
  Value& operator[](std::string_view key);
  /// Throws std::out_of_range naming the key when absent.
  const Value& at(std::string_view key) const;
  bool erase(std::string_view key);
  // Defined behind Value: a vector's members need its elements complete.
  bool empty() const;
  std::size_t size() const;
  std::vector<Entry>::const_iterator begin() const;
  std::vector<Entry>::const_iterator end() const;
  std::vector<Entry>::iterator begin();
  std::vector<Entry>::iterator end();
  friend bool operator==(const Table&, const Table&);

 private:
  std::vector<Entry> entries_;
};

using Array = std::vector<Value>;

/// null, bool, int64, double, string, array or table. Not thread-safe while written.
class Value {
 public:
  enum class Type { null, boolean, integer, floating, string, array, table };

  Value() = default;
  Value(bool v) : data_(v) {}
  Value(int v) : data_(static_cast<std::int64_t>(v)) {}
  Value(std::int64_t v) : data_(v) {}
  Value(double v) : data_(v) {}
  Value(const char* v) : data_(std::string(v)) {}
  Value(std::string v) : data_(std::move(v)) {}
  Value(std::string_view v) : data_(std::string(v)) {}
  Value(Array v) : data_(std::move(v)) {}
  Value(Table v) : data_(std::move(v)) {}

  Type type() const { return static_cast<Type>(data_.index()); }
  bool is_null() const { return type() == Type::null; }
  bool is_bool() const { return type() == Type::boolean; }
  bool is_int() const { return type() == Type::integer; }
  bool is_float() const { return type() == Type::floating; }
  bool is_number() const { return is_int() || is_float(); }
  bool is_string() const { return type() == Type::string; }
  bool is_array() const { return type() == Type::array; }
  bool is_table() const { return type() == Type::table; }

  // Each throws std::bad_variant_access for another type; as_double widens integers.
  bool as_bool() const { return std::get<bool>(data_); }
  std::int64_t as_int() const { return std::get<std::int64_t>(data_); }
  double as_double() const;
  const std::string& as_string() const { return std::get<std::string>(data_); }
  const Array& as_array() const { return std::get<Array>(data_); }
  Array& as_array() { return std::get<Array>(data_); }
  const Table& as_table() const { return std::get<Table>(data_); }
  Table& as_table() { return std::get<Table>(data_); }

  /// Exact equality: the integer 1 differs from the float 1.0, NaN equals NaN.
  friend bool operator==(const Value&, const Value&);

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Table> data_;
};

inline bool Table::empty() const {
  return entries_.empty();
}
inline std::size_t Table::size() const {
  return entries_.size();
}
inline std::vector<Table::Entry>::const_iterator Table::begin() const {
  return entries_.begin();
}
inline std::vector<Table::Entry>::const_iterator Table::end() const {
  return entries_.end();
}
inline std::vector<Table::Entry>::iterator Table::begin() {
  return entries_.begin();
}
inline std::vector<Table::Entry>::iterator Table::end() {
  return entries_.end();
}

/// The name of a type as users read it: "int", "float", "string", ...
std::string_view type_name(Value::Type type);

/// Walks a dotted path ("model.d_model"); null pointer when any part is missing.
const Value* find_path(const Value& root, std::string_view dotted_path);

/// Compact JSON with keys as stored; doubles in shortest round-trip form. NaN and infinities,
/// which JSON lacks, are written as the strings "NaN", "Infinity" and "-Infinity".
std::string to_json(const Value& value, int indent = -1);
/// As `to_json`, keys sorted at every level: the form that hashes are taken of.
std::string to_canonical_json(const Value& value);
/// Throws DataError naming `origin` and the byte offset on malformed text. Depth is limited to 200.
Value parse_json(std::string_view text, const std::string& origin);
/// Shortest text that reads back as the same double and always looks like a float ("3.0", "3e-4").
std::string format_double(double value);

}  // namespace retake
