#pragma once
// Declarative parameter schemas. A parameter is declared once, beside the struct that holds it:
//
//   struct Params {
//     double floor = 1e-5;
//     static void describe(retake::Schema<Params>& s) {
//       s.field(&Params::floor, "floor", "smallest energy before the logarithm")
//           .range(1e-12, 1e-1).log_scale();
//     }
//   };
//
// Validation, help, generated docs, sweeps, resolved configs and run identity all come from it.
// Everything in `SchemaInfo` is data, so it can be read without running the plugin.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "retake/error.hpp"
#include "retake/value.hpp"

namespace retake {

enum class FieldType { boolean, integer, floating, string, group };

/// A rule across fields or on one field, applied by `retake check` without foreign code.
struct RuleInfo {
  enum class Kind {
    odd,          ///< `field` is odd
    multiple_of,  ///< `field` is a multiple of `other`
    less_than,    ///< `field` < `other`
    at_most,      ///< `field` <= `other`
    requires_,    ///< when `field` differs from its default, `other` must equal `value`
  };
  Kind kind = Kind::odd;
  std::string field;
  std::string other;
  Value value;
};

struct FieldInfo {
  std::string name;
  std::string doc;
  std::string unit;
  FieldType type = FieldType::boolean;
  bool is_list = false;
  Value default_value;        ///< null when required
  std::optional<double> min;  ///< of each element for lists
  std::optional<double> max;
  bool min_open = false;  ///< (min, ...
  bool max_open = false;
  std::vector<Value> choices;
  bool log_scale = false;  ///< sweeps search it logarithmically
  bool required = false;
  bool affects_results = true;  ///< false: not part of a run's identity (worker counts, caches)
  bool is_path = false;  ///< a file or folder: a run is told apart by what it holds, not its name
  bool deprecated = false;
  std::string renamed_to;
  std::vector<std::string> synonyms;  ///< other names people type, for did-you-mean
  std::vector<FieldInfo> fields;      ///< of a group
  std::vector<RuleInfo> rules;        ///< of a group
};

/// `{"renamed": old -> new}` of an older params version, so that old files still run (with a note).
struct MigrationInfo {
  int from_version = 1;
  std::string old_name;
  std::string new_name;
};

struct SchemaInfo {
  int version = 1;
  std::vector<FieldInfo> fields;
  std::vector<RuleInfo> rules;
  std::vector<MigrationInfo> migrations;

  const FieldInfo* find(std::string_view name) const;
};

Value to_value(const SchemaInfo& schema);
/// Throws DataError naming `origin` when the value is no schema.
SchemaInfo schema_from_value(const Value& value, const std::string& origin);

/// Problems found by a component's own `check(const Params&, Problems&)`.
class Problems {
 public:
  /// `key` is the parameter's dotted name inside the component.
  void add(std::string key, std::string message, std::string help = {}) {
    items_.push_back({std::move(key), std::move(message), std::move(help)});
  }
  struct Item {
    std::string key, message, help;
  };
  const std::vector<Item>& items() const { return items_; }

 private:
  std::vector<Item> items_;
};

/// Which parameters a component has read so far: those whose members are `Param<T>`. Copies share
/// the counts. Thread-safe to read while the component works.
class ParamReads {
 public:
  std::shared_ptr<std::atomic<bool>> add(std::string name) {
    flags_.emplace_back(std::move(name), std::make_shared<std::atomic<bool>>(false));
    return flags_.back().second;
  }
  /// Dotted names of the counted parameters that were never read.
  std::vector<std::string> unread() const {
    std::vector<std::string> out;
    for (const auto& [name, read] : flags_) {
      if (!read->load(std::memory_order_relaxed)) out.push_back(name);
    }
    return out;
  }

 private:
  std::vector<std::pair<std::string, std::shared_ptr<std::atomic<bool>>>> flags_;
};

/// A parameter that knows whether it was read: `retake::Param<double> decay = 0.1;` in a Params
/// struct, used like the value itself. A run warns (W26) when the user set a parameter that the
/// component never read, as one that another mode would use. A plain member serves as well, but
/// nobody can tell whether it was read. Copying is not reading. `const` use is thread-safe.
template <class T>
class Param {
 public:
  using value_type = T;
  Param() = default;
  Param(T value) : value_(std::move(value)) {}
  template <class U>
  requires std::is_convertible_v<U, T> &&
      (!std::is_same_v<std::remove_cvref_t<U>, Param> &&
       !std::is_same_v<std::remove_cvref_t<U>, T>)Param(U&& value)
      : value_(std::forward<U>(value)) {}

  const T& get() const {
    if (read_) read_->store(true, std::memory_order_relaxed);
    return value_;
  }
  operator const T&() const { return get(); }
  const T& operator*() const { return get(); }
  const T* operator->() const { return &get(); }
  template <class U>
  friend bool operator==(const Param& a, const U& b) {
    return a.get() == b;
  }

  /// For the schema: the value without counting, and where reads are counted.
  const T& peek() const { return value_; }
  void count_in(std::shared_ptr<std::atomic<bool>> read) { read_ = std::move(read); }

 private:
  T value_{};
  std::shared_ptr<std::atomic<bool>> read_;
};

template <class P>
class Schema;

namespace detail {

template <class T>
struct unwrapped {
  using type = T;
  static constexpr bool counted = false;
  static const T& peek(const T& member) { return member; }
};
template <class T>
struct unwrapped<Param<T>> {
  using type = T;
  static constexpr bool counted = true;
  static const T& peek(const Param<T>& member) { return member.peek(); }
};

template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};

template <class T>
constexpr FieldType field_type() {
  if constexpr (std::is_same_v<T, bool>) {
    return FieldType::boolean;
  } else if constexpr (std::is_integral_v<T>) {
    return FieldType::integer;
  } else if constexpr (std::is_floating_point_v<T>) {
    return FieldType::floating;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return FieldType::string;
  } else {
    return FieldType::group;
  }
}

template <class T>
Value value_of(const T& v);
template <class T>
T value_to(const Value& v);

}  // namespace detail

/// Marks on one field; returned by `Schema::field`, meant to be chained.
template <class P>
class Field {
 public:
  Field(Schema<P>& schema, std::size_t index) : schema_(schema), index_(index) {}

  Field& range(double min, double max) {
    info().min = min;
    info().max = max;
    return *this;
  }
  Field& min(double v) {
    info().min = v;
    return *this;
  }
  Field& max(double v) {
    info().max = v;
    return *this;
  }
  /// The lower (upper) bound itself is not allowed: (0, 1].
  Field& open_min() {
    info().min_open = true;
    return *this;
  }
  Field& open_max() {
    info().max_open = true;
    return *this;
  }
  Field& one_of(std::initializer_list<Value> choices) {
    info().choices.assign(choices);
    return *this;
  }
  Field& unit(std::string u) {
    info().unit = std::move(u);
    return *this;
  }
  Field& log_scale() {
    info().log_scale = true;
    return *this;
  }
  Field& required() {
    info().required = true;
    info().default_value = Value();
    return *this;
  }
  Field& affects_results(bool v) {
    info().affects_results = v;
    return *this;
  }
  Field& path() {
    info().is_path = true;
    return *this;
  }
  Field& deprecated(std::string renamed_to = {}) {
    info().deprecated = true;
    info().renamed_to = std::move(renamed_to);
    return *this;
  }
  Field& synonyms(std::initializer_list<std::string> names) {
    info().synonyms.assign(names);
    return *this;
  }
  Field& odd() { return rule(RuleInfo::Kind::odd, {}); }
  template <class T>
  Field& multiple_of(T P::*other) {
    return rule(RuleInfo::Kind::multiple_of, schema_.offset(other));
  }
  template <class T>
  Field& less_than(T P::*other) {
    return rule(RuleInfo::Kind::less_than, schema_.offset(other));
  }
  template <class T>
  Field& at_most(T P::*other) {
    return rule(RuleInfo::Kind::at_most, schema_.offset(other));
  }
  /// When this field is set away from its default, `other` must equal `value`.
  template <class T>
  Field& requires_(T P::*other, Value value) {
    return rule(RuleInfo::Kind::requires_, schema_.offset(other), std::move(value));
  }

 private:
  FieldInfo& info() { return schema_.info_.fields[index_]; }
  Field& rule(RuleInfo::Kind kind, std::optional<std::ptrdiff_t> other, Value value = {}) {
    schema_.pending_.push_back({kind, index_, other, std::move(value)});
    return *this;
  }
  Schema<P>& schema_;
  std::size_t index_;
};

/// Binds a parameter struct to its description. P is default-constructible; `P::describe` fills it.
template <class P>
class Schema {
 public:
  /// The described schema of P.
  static Schema make() {
    Schema s;
    P::describe(s);
    s.resolve_rules();
    return s;
  }

  /// M: bool, an integer, a floating type, std::string, a struct with `describe`, or a
  /// std::vector of one of these; or a Param of one. Type and default come from the member.
  template <class M>
  Field<P> field(M P::*member, std::string name, std::string doc) {
    using T = typename detail::unwrapped<M>::type;
    FieldInfo f;
    f.name = std::move(name);
    f.doc = std::move(doc);
    if constexpr (detail::is_vector<T>::value) {
      f.is_list = true;
      fill_type<typename T::value_type>(f);
    } else {
      fill_type<T>(f);
    }
    f.default_value = detail::value_of<T>(detail::unwrapped<M>::peek(defaults_.*member));
    if constexpr (detail::unwrapped<M>::counted) {
      counters_.push_back([member, name = f.name](P& p, ParamReads& reads) {
        (p.*member).count_in(reads.add(name));
      });
    }
    info_.fields.push_back(std::move(f));
    offsets_.push_back(offset(member));
    setters_.push_back([member](P& p, const Value& v) { p.*member = detail::value_to<T>(v); });
    return Field<P>(*this, info_.fields.size() - 1);
  }

  /// Bump when a field is renamed or changes meaning.
  void version(int v) { info_.version = v; }
  void renamed(int from_version, std::string old_name, std::string new_name) {
    info_.migrations.push_back({from_version, std::move(old_name), std::move(new_name)});
  }

  const SchemaInfo& info() const { return info_; }

  /// Reads a validated table; absent keys keep their defaults. Keys of other owners are ignored:
  /// validation against `info()` has happened before. Reads of its `Param` members are counted in
  /// `reads`, where there is one.
  P read(const Table& table, ParamReads* reads = nullptr) const {
    P p{};
    for (std::size_t i = 0; i < setters_.size(); ++i) {
      if (const Value* v = table.find(info_.fields[i].name)) setters_[i](p, *v);
    }
    if (reads != nullptr) {
      for (const auto& count : counters_) count(p, *reads);
    }
    return p;
  }

  /// Byte offset of a member inside P, used to name it in rules.
  template <class T>
  std::ptrdiff_t offset(T P::*member) const {
    return reinterpret_cast<const char*>(&(defaults_.*member)) -
           reinterpret_cast<const char*>(&defaults_);
  }

 private:
  friend class Field<P>;
  struct PendingRule {
    RuleInfo::Kind kind;
    std::size_t field;
    std::optional<std::ptrdiff_t> other;
    Value value;
  };

  template <class T>
  void fill_type(FieldInfo& f) {
    f.type = detail::field_type<T>();
    if constexpr (detail::field_type<T>() == FieldType::group) {
      SchemaInfo group = Schema<T>::make().info();
      f.fields = std::move(group.fields);
      f.rules = std::move(group.rules);
    }
  }

  void resolve_rules() {
    for (auto& p : pending_) {
      RuleInfo r{p.kind, info_.fields[p.field].name, {}, std::move(p.value)};
      for (std::size_t i = 0; p.other && i < offsets_.size(); ++i) {
        if (offsets_[i] == *p.other) r.other = info_.fields[i].name;
      }
      info_.rules.push_back(std::move(r));
    }
    pending_.clear();
  }

  P defaults_{};
  SchemaInfo info_;
  std::vector<std::function<void(P&, const Value&)>> setters_;
  std::vector<std::function<void(P&, ParamReads&)>> counters_;
  std::vector<std::ptrdiff_t> offsets_;
  std::vector<PendingRule> pending_;
};

/// Parameters of a component that has none.
struct NoParams {
  static void describe(Schema<NoParams>&) {}
};

namespace detail {

template <class T>
Value value_of(const T& v) {
  if constexpr (is_vector<T>::value) {
    Array a;
    for (const auto& item : v) a.push_back(value_of<typename T::value_type>(item));
    return Value(std::move(a));
  } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string>) {
    return Value(v);
  } else if constexpr (std::is_integral_v<T>) {
    return Value(static_cast<std::int64_t>(v));
  } else if constexpr (std::is_floating_point_v<T>) {
    return Value(static_cast<double>(v));
  } else {
    Table t;  // a group's own defaults are described by its fields
    const auto schema = Schema<T>::make();
    for (const auto& f : schema.info().fields) t[f.name] = f.default_value;
    return Value(std::move(t));
  }
}

template <class T>
T value_to(const Value& v) {
  if constexpr (is_vector<T>::value) {
    T out;
    for (const auto& item : v.as_array()) out.push_back(value_to<typename T::value_type>(item));
    return out;
  } else if constexpr (std::is_same_v<T, bool>) {
    return v.as_bool();
  } else if constexpr (std::is_same_v<T, std::string>) {
    return v.as_string();
  } else if constexpr (std::is_integral_v<T>) {
    if (!std::in_range<T>(v.as_int())) {
      throw ConfigError(file_diagnostic(
          "E107", {},
          "the number " + std::to_string(v.as_int()) + " is too large for its parameter",
          "declare a range for the parameter in its schema"));
    }
    return static_cast<T>(v.as_int());
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(v.as_double());
  } else {
    return Schema<T>::make().read(v.as_table());
  }
}

}  // namespace detail

}  // namespace retake
