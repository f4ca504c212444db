#include "config/validate.hpp"

#include <algorithm>
#include <cmath>

#include "config/layers.hpp"
#include "config/path.hpp"
#include "config/write.hpp"
#include "core/shell.hpp"
#include "core/suggest.hpp"

namespace retake::config {
namespace {

std::string plain_number(double v) {
  if (v == std::floor(v) && std::abs(v) < 1e15) return std::to_string(static_cast<long long>(v));
  return format_double(v);
}

const char* word(FieldType type) {
  switch (type) {
    case FieldType::boolean:
      return "bool";
    case FieldType::integer:
      return "int";
    case FieldType::floating:
      return "float";
    case FieldType::string:
      return "string";
    case FieldType::group:
      return "table";
  }
  return "value";
}

std::string range_text(const FieldInfo& f) {
  if (!f.min && !f.max) return {};
  if (f.min && f.max) {
    if (f.type == FieldType::integer && !f.min_open && !f.max_open) {
      return plain_number(*f.min) + ".." + plain_number(*f.max);
    }
    return std::string(f.min_open ? "(" : "[") + plain_number(*f.min) + ", " +
           plain_number(*f.max) + (f.max_open ? ")" : "]");
  }
  if (f.min) return (f.min_open ? "> " : ">= ") + plain_number(*f.min);
  return (f.max_open ? "< " : "<= ") + plain_number(*f.max);
}

std::string choices_text(const FieldInfo& f) {
  std::string out;
  for (const Value& choice : f.choices) {
    out +=
        (out.empty() ? "" : ", ") + (choice.is_string() ? choice.as_string() : inline_toml(choice));
  }
  return out;
}

/// A value as an error names it: the string "3e-4x", the int 5, an array.
std::string got_text(const Value& value) {
  if (value.is_table() || value.is_array()) {
    return std::string("a") + (value.is_array() ? "n " : " ") +
           std::string(type_name(value.type()));
  }
  std::string text = value.is_null() ? "nothing" : inline_toml(value);
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return "the " + std::string(type_name(value.type())) + " " + text;
}

bool in_range(const FieldInfo& f, double v) {
  // Written so that NaN is outside.
  if (f.min && !(f.min_open ? v > *f.min : v >= *f.min)) return false;
  if (f.max && !(f.max_open ? v < *f.max : v <= *f.max)) return false;
  return std::isfinite(v);
}

std::vector<Candidate> candidates(const std::vector<FieldInfo>& fields) {
  std::vector<Candidate> out;
  for (const FieldInfo& f : fields) {
    if (!f.deprecated) out.push_back({f.name, f.synonyms});
  }
  return out;
}

const FieldInfo* find_field(const std::vector<FieldInfo>& fields, const std::string& name) {
  const auto it = std::find_if(fields.begin(), fields.end(),
                               [&](const FieldInfo& f) { return f.name == name; });
  return it == fields.end() ? nullptr : &*it;
}

Place place_of(const OriginMap& origins, const std::string& path, bool key) {
  const Origin* origin = nearest_origin(origins, path);
  if (origin == nullptr) return {};
  // A table's own position is its header.
  return key || origin_of(origins, path) == nullptr ? key_place(*origin) : value_place(*origin);
}

}  // namespace

std::string expectation(const FieldInfo& f) {
  if (!f.choices.empty()) {
    return (f.is_list ? "a list of any of " : "one of ") + choices_text(f);
  }
  std::string type = f.type == FieldType::integer ? "an int" : std::string("a ") + word(f.type);
  if (f.is_list) type = std::string("a list of ") + word(f.type) + "s";
  const std::string range = range_text(f);
  if (range.empty()) return type;
  const bool relation = range[0] == '>' || range[0] == '<';
  return type + (relation ? " " : " in ") + range;
}

std::string summary(const FieldInfo& f) {
  std::string out = f.is_list ? std::string("list of ") + word(f.type) : word(f.type);
  if (f.required) {
    out += ", required";
  } else if (f.type != FieldType::group && !f.default_value.is_null()) {
    out += ", default " + inline_toml(f.default_value);
  }
  if (!f.choices.empty()) out += ", one of " + choices_text(f);
  const std::string range = range_text(f);
  if (!range.empty()) out += ", " + range;
  if (!f.unit.empty()) out += ", " + f.unit;
  return out;
}

/// Whether people type `word` for one of the fields.
bool is_synonym(const std::vector<FieldInfo>& fields, const std::string& word) {
  return std::any_of(fields.begin(), fields.end(), [&](const FieldInfo& f) {
    return std::find(f.synonyms.begin(), f.synonyms.end(), word) != f.synonyms.end();
  });
}

std::optional<Diagnostic> several_values(const std::string& path, const Origin* origin,
                                         const std::string& file) {
  if (origin == nullptr || origin->argv_index == 0) return std::nullopt;
  std::vector<std::string> several = comma_values(*origin);
  if (origin->written.is_array()) {
    for (const Value& item : origin->written.as_array()) several.push_back(inline_toml(item));
  }
  if (several.size() < 2) return std::nullopt;
  std::string list;
  for (const std::string& item : several) list += (list.empty() ? "" : ", ") + item;
  Diagnostic d;
  d.id = "E109";
  d.message = "`" + path + "` takes one value, got several: " + list;
  d.place = value_place(*origin);
  d.help = "to try several values use: retake sweep " + shell_quote({file}) + " -s '" + path +
           "=[" + list + "]'";
  return d;
}

bool Validator::fail(Certainty certainty, Diagnostic diagnostic) {
  findings_.add(certainty, std::move(diagnostic));
  return false;
}

Table Validator::check(const SchemaInfo& schema, const Table& given, const std::string& path,
                       const TableWords& words, const std::vector<FieldInfo>& extra) {
  return check_fields(schema.fields, schema.rules, given, path, words, extra);
}

Table Validator::check_fields(const std::vector<FieldInfo>& fields,
                              const std::vector<RuleInfo>& rules, const Table& given,
                              const std::string& path, const TableWords& words,
                              const std::vector<FieldInfo>& extra) {
  for (const auto& [key, value] : given) {
    if (find_field(fields, key) == nullptr && find_field(extra, key) == nullptr) {
      unknown_key(fields, key, child_path(path, key), words, extra);
    }
  }
  Table out;
  for (const FieldInfo& f : fields) {
    const std::string at = child_path(path, f.name);
    const Value* mine = given.find(f.name);
    const auto pending = document_.append_to_default.find(at);
    if (pending != document_.append_to_default.end() && f.is_list && f.default_value.is_array()) {
      Value grown = f.default_value;
      auto& items = grown.as_array();
      items.insert(items.end(), pending->second.begin(), pending->second.end());
      check_field(f, grown, at, words);
      out[f.name] = std::move(grown);
    } else if (mine != nullptr) {
      Value value = *mine;
      check_field(f, value, at, words);
      out[f.name] = std::move(value);
    } else if (f.required) {
      Diagnostic d;
      d.id = "E106";
      d.message = "`" + at + "` is required by " + words.owner;
      d.place = place_of(document_.origins, path, true);
      d.facts.push_back(f.name + ": " + f.doc);
      d.help = "add  " + quoted_key(f.name) + " = ...  (" + summary(f) + ")";
      bad_.insert(at);
      fail(Certainty::value, std::move(d));
    } else if (f.type == FieldType::group && !f.is_list) {
      out[f.name] = check_fields(f.fields, f.rules, {}, at, words, {});
    } else if (!(f.deprecated && !f.renamed_to.empty())) {
      out[f.name] = f.default_value;
    }
  }
  check_rules(fields, rules, out, path);
  return out;
}

void Validator::unknown_key(const std::vector<FieldInfo>& fields, const std::string& key,
                            const std::string& path, const TableWords& words,
                            const std::vector<FieldInfo>& extra) {
  Diagnostic d;
  d.id = words.unknown_id;
  d.message = words.unknown + " `" + key + "` " + words.where + " " + words.owner;
  d.place = place_of(document_.origins, path, true);
  std::vector<FieldInfo> all = fields;
  all.insert(all.end(), extra.begin(), extra.end());
  if (const auto guess = did_you_mean(key, candidates(all))) {
    d.caret = "did you mean `" + *guess + "` (" + summary(*find_field(all, *guess)) + ")?";
  } else if (key == "weight" || key == "enabled") {
    d.facts.push_back("`" + key + "` belongs to losses, rewards and augmentations");
  }
  const auto there = elsewhere_.find(key);
  if (there != elsewhere_.end() && !is_synonym(all, key)) {
    d.caret = "did you mean `" + there->second + "`?";
  } else if (key == "extends" || key == "merge") {
    d.caret.clear();
    d.facts.push_back("`" + key + "` is no part of a table: write it " +
                      (key == "merge" ? "as  [merge]" : "above the first table of the file"));
  }
  d.help = words.help;
  fail(Certainty::value, std::move(d));
}

bool Validator::check_field(const FieldInfo& f, Value& value, const std::string& path,
                            const TableWords& words) {
  if (failed_.contains(path)) {
    bad_.insert(path);
    return false;
  }
  if (!f.is_list) return check_item(f, value, path, words);
  if (!value.is_array()) {
    wrong_value(f, value, path);
    return false;
  }
  bool good = true;
  for (std::size_t i = 0; i < value.as_array().size(); ++i) {
    const std::string at = item_path(path, i);
    if (failed_.contains(at)) {
      good = false;
      continue;
    }
    // One complaint is enough for a list of thousands.
    if (good) good = check_item(f, value.as_array()[i], at, words);
  }
  if (!good) bad_.insert(path);
  return good;
}

/// What is said of the keys of a table inside a host table.
TableWords Validator::inner_words(const FieldInfo& f, const std::string& path,
                                  const TableWords& words) {
  if (words.unknown_id != std::string("E103")) return words;
  TableWords inner = words;
  inner.owner = "[" + path + "]";
  inner.help = "keys are ";
  for (const FieldInfo& key : f.fields) inner.help += (&key == &f.fields[0] ? "" : ", ") + key.name;
  return inner;
}

bool Validator::check_item(const FieldInfo& f, Value& value, const std::string& path,
                           const TableWords& words) {
  bool right_type = false;
  switch (f.type) {
    case FieldType::boolean:
      right_type = value.is_bool();
      break;
    case FieldType::integer:
      right_type = value.is_int();
      break;
    case FieldType::floating:
      if (value.is_int()) value = value.as_double();
      right_type = value.is_float();
      break;
    case FieldType::string:
      right_type = value.is_string();
      break;
    case FieldType::group:
      if (!value.is_table()) break;
      value =
          check_fields(f.fields, f.rules, value.as_table(), path, inner_words(f, path, words), {});
      return true;
  }
  const bool in_choices = f.choices.empty() ||
                          std::any_of(f.choices.begin(), f.choices.end(), [&](const Value& choice) {
                            return choice == value || (choice.is_number() && value.is_number() &&
                                                       choice.as_double() == value.as_double());
                          });
  const bool good =
      right_type && in_choices && (!value.is_number() || in_range(f, value.as_double()));
  if (!good) wrong_value(f, value, path);
  return good;
}

void Validator::wrong_value(const FieldInfo& f, const Value& value, const std::string& path) {
  bad_.insert(path);
  Diagnostic d;
  d.place = place_of(document_.origins, path, false);
  const Origin* origin = nearest_origin(document_.origins, path);
  if (auto several = several_values(path, origin, file_); several && !f.is_list) {
    bool fitting = true;
    const auto words = comma_values(*origin);
    if (f.type == FieldType::integer || f.type == FieldType::floating) {
      fitting = std::none_of(words.begin(), words.end(),
                             [](const std::string& word) { return word.starts_with('"'); });
    }
    if (fitting) {
      fail(Certainty::value, std::move(*several));
      return;
    }
  }
  const bool of_list = path.ends_with(']');
  FieldInfo wanted = f;
  wanted.is_list = f.is_list && !of_list;
  d.id = f.choices.empty() ? "E107" : "E108";
  d.message = "`" + path + "` must be " + expectation(wanted) + ", got " + got_text(value);
  if (!f.choices.empty() && value.is_string()) {
    std::vector<std::string> names;
    for (const Value& choice : f.choices) {
      if (choice.is_string()) names.push_back(choice.as_string());
    }
    if (const auto guess = did_you_mean(value.as_string(), names)) {
      d.caret = "did you mean \"" + *guess + "\"?";
    }
  }
  const auto history = document_.origins.find(path);
  if (history != document_.origins.end() && history->second.size() > 1) {
    const Origin& before = history->second[history->second.size() - 2];
    if (!before.written.is_null()) {
      d.facts.push_back("note: the " + std::string(before.source ? "file" : "earlier") +
                        " value was " + inline_toml(before.written) + " (" + describe(before) +
                        ")");
    }
  }
  if (!f.doc.empty()) d.help = f.name + ": " + f.doc + (f.unit.empty() ? "" : ", in " + f.unit);
  if (value.is_float() && !std::isfinite(value.as_double())) {
    d.facts.push_back("a number must be finite");
  }
  if (value.is_string() && f.type != FieldType::string) {
    const std::string& text = value.as_string();
    if (text.size() > 18 && text.find_first_not_of("+-0123456789") == std::string::npos) {
      d.facts.push_back("an int has at most 63 bits: up to 9223372036854775807");
    }
    if (origin != nullptr && origin->written.is_string() &&
        origin->written.as_string().find("${env:") != std::string::npos) {
      d.facts.push_back("what ${env:...} gives is always text");
      d.help = text.empty()
                   ? "the variable is set and empty: give it a value, or unset it for the default"
                   : "set it on the command line instead:  " + path + "=" + text;
    }
  }
  if (f.is_list && !of_list && value.is_string() && origin != nullptr && origin->argv_index > 0) {
    d.help = f.type == FieldType::string
                 ? "a list of texts is written  " + path + "='[\"a\", \"b\"]'"
                 : "a list is written  " + path + "='[1, 2]'";
  }
  // A bare word on the command line that TOML takes for something else: nan, true, 2024.
  if (f.type == FieldType::string && !f.is_list && origin != nullptr && origin->argv_index > 0 &&
      !value.is_string() && !value.is_table() && !value.is_array()) {
    const std::string bare = origin->argument.substr(origin->argument.find('=') + 1);
    d.help = "if you mean the text, quote it for TOML and for the shell:  " + path + "='\"" + bare +
             "\"'";
  }
  fail(Certainty::value, std::move(d));
}

void Validator::check_rules(const std::vector<FieldInfo>& fields,
                            const std::vector<RuleInfo>& rules, const Table& table,
                            const std::string& path) {
  for (const RuleInfo& rule : rules) {
    const std::string at = child_path(path, rule.field);
    const std::string other_at = child_path(path, rule.other);
    const Value* mine = table.find(rule.field);
    const Value* other = rule.other.empty() ? nullptr : table.find(rule.other);
    if (mine == nullptr || bad_.contains(at) || bad_.contains(other_at)) continue;
    if (!rule.other.empty() && other == nullptr) continue;
    const auto both_numbers = [&] {
      return other != nullptr && mine->is_number() && other->is_number();
    };
    const std::string values = "`" + at + "` (" + inline_toml(*mine) + ")";
    const std::string others =
        other != nullptr ? "`" + other_at + "` (" + inline_toml(*other) + ")" : "";
    std::string message;
    switch (rule.kind) {
      case RuleInfo::Kind::odd:
        if (mine->is_int() && mine->as_int() % 2 == 0) message = values + " must be odd";
        break;
      case RuleInfo::Kind::multiple_of:
        if (both_numbers() && (other->as_double() == 0.0 ||
                               std::fmod(mine->as_double(), other->as_double()) != 0.0)) {
          message = values + " must be a multiple of " + others;
        }
        break;
      case RuleInfo::Kind::less_than:
        if (both_numbers() && !(mine->as_double() < other->as_double())) {
          message = values + " must be less than " + others;
        }
        break;
      case RuleInfo::Kind::at_most:
        if (both_numbers() && !(mine->as_double() <= other->as_double())) {
          message = values + " must be at most " + others;
        }
        break;
      case RuleInfo::Kind::requires_: {
        const FieldInfo* field = find_field(fields, rule.field);
        if (field != nullptr && *mine != field->default_value && *other != rule.value) {
          message = values + " needs `" + other_at + "` = " + inline_toml(rule.value) + ", it is " +
                    inline_toml(*other);
        }
        break;
      }
    }
    if (message.empty()) continue;
    Diagnostic d;
    d.id = "E110";
    d.message = message;
    // The rule may be broken by either side: point at the one that was written last.
    const auto layer = [&](const std::string& p) {
      const Origin* origin = origin_of(document_.origins, p);
      return origin != nullptr ? origin->layer : -1;
    };
    const bool own = rule.other.empty() || (layer(at) >= 0 && layer(at) >= layer(other_at));
    d.place = place_of(document_.origins, own ? at : other_at, false);
    d.help = "change one of them";
    if (rule.kind == RuleInfo::Kind::odd && std::abs(mine->as_double()) < 1e15) {
      d.help =
          "use " + std::to_string(mine->as_int() - 1) + " or " + std::to_string(mine->as_int() + 1);
    }
    fail(Certainty::rule, std::move(d));
  }
}

}  // namespace retake::config
