#pragma once
// One table against the schema that owns it.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/document.hpp"
#include "config/findings.hpp"
#include "retake/schema.hpp"

namespace retake::config {

/// What a table is called in messages.
struct TableWords {
  std::string owner;       ///< "model plugin `pointer_network`", "[train]"
  std::string unknown_id;  ///< E104 for parameters of plugins, E103 for keys of host tables
  std::string unknown;     ///< "unknown parameter", "unknown key"
  std::string where;       ///< "for", "in"
  std::string help;        ///< where to see all of them
};

/// "int, default 3, 1..24": a parameter in a few words.
std::string summary(const FieldInfo& field);
/// "a float in (0, 1]", "a list of strings", "one of max, min".
std::string expectation(const FieldInfo& field);

/// E109 when an override gave several values (a,b or [a, b]): a sweep is what tries several.
std::optional<Diagnostic> several_values(const std::string& path, const Origin* origin,
                                         const std::string& file);

/// Key or synonym -> the paths of the tables at hand that have it: what a key that stands in the
/// wrong table may have meant.
using Elsewhere = std::map<std::string, std::string>;

/// Checks tables of one document. Not thread-safe.
class Validator {
 public:
  /// `failed`: paths whose value is already known to be unusable; nothing more is said of them.
  /// `file`: the experiment, as it is called in remedies.
  Validator(Document& document, const std::set<std::string>& failed, Findings& findings,
            Elsewhere elsewhere = {}, std::string file = "EXP")
      : document_(document),
        failed_(failed),
        findings_(findings),
        elsewhere_(std::move(elsewhere)),
        file_(std::move(file)) {}

  /// The table complete: every field in the schema's order, defaults filled, integers widened where
  /// the field is a float. `extra`: keys of the host that may stand in it too,
  /// left out of the result. What is wrong becomes findings.
  Table check(const SchemaInfo& schema, const Table& given, const std::string& path,
              const TableWords& words, const std::vector<FieldInfo>& extra = {});

  /// One value on its own, with widening. False when it is wrong.
  bool check_field(const FieldInfo& field, Value& value, const std::string& path,
                   const TableWords& words);

 private:
  Table check_fields(const std::vector<FieldInfo>& fields, const std::vector<RuleInfo>& rules,
                     const Table& given, const std::string& path, const TableWords& words,
                     const std::vector<FieldInfo>& extra);
  void unknown_key(const std::vector<FieldInfo>& fields, const std::string& key,
                   const std::string& path, const TableWords& words,
                   const std::vector<FieldInfo>& extra);
  static TableWords inner_words(const FieldInfo& field, const std::string& path,
                                const TableWords& words);
  bool check_item(const FieldInfo& field, Value& value, const std::string& path,
                  const TableWords& words);
  void check_rules(const std::vector<FieldInfo>& fields, const std::vector<RuleInfo>& rules,
                   const Table& table, const std::string& path);
  void wrong_value(const FieldInfo& field, const Value& value, const std::string& path);
  bool fail(Certainty certainty, Diagnostic diagnostic);

  Document& document_;
  const std::set<std::string>& failed_;
  Findings& findings_;
  Elsewhere elsewhere_;
  std::string file_;
  std::set<std::string> bad_;  ///< paths already complained about: rules skip them
};

}  // namespace retake::config
