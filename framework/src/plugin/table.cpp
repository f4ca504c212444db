#include "plugin/table.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "config/host_tables.hpp"
#include "config/version.hpp"
#include "plugin/errors.hpp"

namespace retake::plugin {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTableSchema = "retake.plugin/1";
constexpr std::size_t kMaxTable = 16u << 20;

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= 100 && name.front() >= 'a' && name.front() <= 'z' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

/// Names that experiment files give a meaning of their own inside or beside a component table.
const std::set<std::string>& reserved_names() {
  static const std::set<std::string> names = [] {
    std::set<std::string> all;
    for (const auto& words :
         {config::host_table_names(), config::reserved_component_keys(), host_kinds()}) {
      all.insert(words.begin(), words.end());
    }
    return all;
  }();
  return names;
}

bool fits_type(const FieldInfo& field, const Value& v) {
  switch (field.type) {
    case FieldType::boolean:
      return v.is_bool();
    case FieldType::integer:
      return v.is_int();
    case FieldType::floating:
      return v.is_float();
    case FieldType::string:
      return v.is_string();
    case FieldType::group:
      return v.is_table();
  }
  return false;
}

/// What is wrong with one default (an element of it for lists); empty when nothing is.
std::string default_problem(const FieldInfo& field, const Value& v) {
  if (!fits_type(field, v)) return "is no value of its type";
  if (v.is_number()) {
    const double x = v.as_double();
    if (std::isnan(x)) return "is not a number";
    if (field.min && (field.min_open ? x <= *field.min : x < *field.min))
      return "is below its range";
    if (field.max && (field.max_open ? x >= *field.max : x > *field.max))
      return "is above its range";
  }
  const auto same = [&](const Value& choice) {
    return choice == v ||
           (choice.is_number() && v.is_float() && choice.as_double() == v.as_double());
  };
  if (!field.choices.empty() && std::none_of(field.choices.begin(), field.choices.end(), same)) {
    return "is none of its choices";
  }
  return {};
}

/// What a rule finds wrong with the defaults of its two fields; empty when nothing is.
std::string rule_problem(const RuleInfo& rule, const Value& mine, const Value& other) {
  const bool numbers = mine.is_number() && other.is_number();
  switch (rule.kind) {
    case RuleInfo::Kind::odd:
      return mine.is_int() && mine.as_int() % 2 == 0 ? "is not odd" : "";
    case RuleInfo::Kind::multiple_of:
      return numbers && (other.as_double() == 0.0 ||
                         std::fmod(mine.as_double(), other.as_double()) != 0.0)
                 ? "is no multiple of"
                 : "";
    case RuleInfo::Kind::less_than:
      return numbers && !(mine.as_double() < other.as_double()) ? "is not less than" : "";
    case RuleInfo::Kind::at_most:
      return numbers && !(mine.as_double() <= other.as_double()) ? "is more than" : "";
    case RuleInfo::Kind::requires_:
      return "";  // asks nothing of a field that has its default
  }
  return "";
}

/// Whether `path` ("ramp.steps") names a parameter.
bool declares(const std::vector<FieldInfo>& fields, const std::string& path) {
  const std::size_t dot = path.find('.');
  return std::any_of(fields.begin(), fields.end(), [&](const FieldInfo& field) {
    if (field.name != path.substr(0, dot)) return false;
    return dot == std::string::npos || declares(field.fields, path.substr(dot + 1));
  });
}

/// Whether a rule can say something of a parameter of this type.
bool fits(const RuleInfo& rule, const FieldInfo& field) {
  if (rule.kind == RuleInfo::Kind::requires_) return true;
  if (field.type == FieldType::integer) return true;
  return rule.kind != RuleInfo::Kind::odd && field.type == FieldType::floating;
}

class Checker {
 public:
  Checker(const Stamp& stamp, const fs::path& file) : stamp_(stamp), file_(file) {}

  void components(const std::vector<ComponentInfo>& all) {
    std::set<std::string> seen;
    std::set<std::string> kinds;
    if (all.empty()) add("E226", "registers no component", "add one in RETAKE_PLUGIN");
    if (!config::parse_version(stamp_.version)) {
      add("E223", "has the version \"" + stamp_.version + "\", which cannot be compared",
          "write it like \"1.2.0\" in RETAKE_PLUGIN");
    }
    for (const ComponentInfo& c : all) {
      const std::string id = c.kind + "/" + c.name;
      kinds.insert(c.kind);
      if (!seen.insert(id).second) {
        add("E222", "registers `" + id + "` twice", "give each component a name of its own");
      }
      if (!is_name(c.name)) name_problem("component `" + id + "`");
      renames(id, c.schema);
      if (!stamp_.has_kind(c.kind)) {
        add("E226", "registers `" + id + "`, but is not built for the kind `" + c.kind + "`",
            "add it to KIND in retake_add_plugin(" + stamp_.name + " KIND ...)");
      }
      fields(id, "", c.schema.fields, true);
      rules(id, "", c.schema.fields, c.schema.rules);
    }
    for (const std::string& kind : stamp_.kinds()) {
      if (!all.empty() && !kinds.contains(kind)) {
        add("E226", "is built for the kind `" + kind + "`, but registers none of it",
            "take it out of KIND in retake_add_plugin(" + stamp_.name + " KIND ...)");
      }
    }
  }

  std::vector<Diagnostic> take() { return std::move(problems_); }

 private:
  void add(const char* id, const std::string& what, std::string help) {
    problems_.push_back(file_diagnostic(id, file_.string(), file_.filename().string() + ": " + what,
                                        std::move(help)));
  }
  void name_problem(const std::string& what) {
    add("E223", what + " has a bad name", "use a-z, 0-9 and _, a letter first");
  }

  void fields(const std::string& id, const std::string& prefix, const std::vector<FieldInfo>& all,
              bool top) {
    std::set<std::string> seen;
    for (const FieldInfo& field : all) {
      const std::string what = "parameter `" + prefix + field.name + "` of `" + id + "`";
      if (!seen.insert(field.name).second) {
        add("E222", what + " is declared twice", "give each parameter a name of its own");
      }
      if (!is_name(field.name)) name_problem(what);
      if (top && reserved_names().contains(field.name)) {
        add("E227", what + " has a name that experiment files reserve", "choose another name");
      }
      default_value(what, field);
      fields(id, prefix + field.name + ".", field.fields, false);
      rules(id, prefix + field.name + ".", field.fields, field.rules);
    }
  }

  /// Where renamed parameters lead to, which are there or were renamed later.
  void renames(const std::string& id, const SchemaInfo& schema) {
    const auto leads_on = [&](const std::string& name) {
      return declares(schema.fields, name) ||
             std::any_of(schema.migrations.begin(), schema.migrations.end(),
                         [&](const MigrationInfo& m) { return m.old_name == name; });
    };
    const auto check = [&](const std::string& from, const std::string& to) {
      if (to.empty() || leads_on(to)) return;
      add("E228",
          "parameter `" + from + "` of `" + id + "` is renamed to `" + to +
              "`, which is not declared",
          "declare it with field(...), or correct the name");
    };
    for (const MigrationInfo& m : schema.migrations) check(m.old_name, m.new_name);
    for (const FieldInfo& field : schema.fields) check(field.name, field.renamed_to);
  }

  void rules(const std::string& id, const std::string& prefix, const std::vector<FieldInfo>& all,
             const std::vector<RuleInfo>& rules) {
    const auto field_named = [&](const std::string& name) {
      const auto at = std::find_if(all.begin(), all.end(),
                                   [&](const FieldInfo& field) { return field.name == name; });
      return at == all.end() ? nullptr : &*at;
    };
    for (const RuleInfo& rule : rules) {
      const FieldInfo* mine = field_named(rule.field);
      const FieldInfo* other = field_named(rule.other);
      const bool alone = rule.kind == RuleInfo::Kind::odd;
      const std::string what = "parameter `" + prefix + rule.field + "` of `" + id + "`";
      if (mine == nullptr || (!alone && other == nullptr)) {
        add("E228", what + " has a rule about a parameter that is not declared",
            "declare both with field(...) in the same struct");
        continue;
      }
      if (!fits(rule, *mine) || (!alone && !fits(rule, *other))) {
        add("E228", what + " has a rule about numbers, which it or the other parameter is not",
            "take the rule away, or change the type");
        continue;
      }
      const std::string problem =
          rule_problem(rule, mine->default_value, alone ? Value() : other->default_value);
      if (problem.empty()) continue;
      add("E228",
          "the default " + to_json(mine->default_value) + " of " + what + " " + problem +
              (alone ? ""
                     : " the default " + to_json(other->default_value) + " of `" + prefix +
                           rule.other + "`"),
          "change one of the defaults, or the rule");
    }
  }

  void default_value(const std::string& what, const FieldInfo& field) {
    const Value& v = field.default_value;
    if (field.required || (v.is_null() && field.deprecated)) return;
    std::string problem;
    if (field.is_list) {
      if (!v.is_array()) {
        problem = "is no list";
      } else {
        for (const Value& item : v.as_array()) {
          if (problem.empty()) problem = default_problem(field, item);
        }
      }
    } else {
      problem = default_problem(field, v);
    }
    if (problem.empty()) return;
    add("E228", "the default " + to_json(v) + " of " + what + " " + problem,
        "change the default or the range");
  }

  const Stamp& stamp_;
  const fs::path& file_;
  std::vector<Diagnostic> problems_;
};

}  // namespace

std::string table_text(const std::vector<ComponentInfo>& components) {
  Array list;
  for (const ComponentInfo& info : components) list.push_back(to_value(info));
  Table table;
  table["schema"] = kTableSchema;
  table["components"] = std::move(list);
  return to_json(table);
}

std::vector<ComponentInfo> parse_table(std::string_view text, const fs::path& file) {
  const auto damaged = [&](const std::string& why) {
    fail("E217", file, "its component table is damaged: " + why, "build it again");
  };
  if (text.size() > kMaxTable) damaged("it is larger than any table can be");
  std::vector<ComponentInfo> out;
  try {
    const Value root = parse_json(text, file.string());
    const Value* schema = root.is_table() ? root.as_table().find("schema") : nullptr;
    if (schema == nullptr || !(*schema == Value(kTableSchema))) {
      damaged("it does not begin with its schema " + std::string(kTableSchema));
    }
    const Value* list = root.as_table().find("components");
    if (list == nullptr || !list->is_array()) damaged("it has no list of components");
    for (const Value& item : list->as_array()) {
      out.push_back(component_from_value(item, file.string()));
      out.back().file = file.string();
    }
  } catch (const DataError& e) {
    damaged(e.diagnostics().front().message);
  }
  return out;
}

void check_components(const std::vector<ComponentInfo>& components, const Stamp& stamp,
                      const fs::path& file) {
  Checker checker(stamp, file);
  checker.components(components);
  std::vector<Diagnostic> problems = checker.take();
  if (!problems.empty()) throw PluginError(std::move(problems));
}

std::string first_difference(const Value& a, const Value& b, const std::string& path) {
  if (a == b) return {};
  const std::string here = path.empty() ? "" : path + ".";
  if (a.is_table() && b.is_table()) {
    for (const auto& [key, value] : a.as_table()) {
      const Value* other = b.as_table().find(key);
      const std::string found = first_difference(value, other ? *other : Value(), here + key);
      if (!found.empty()) return found;
    }
    for (const auto& [key, value] : b.as_table()) {
      if (!a.as_table().contains(key)) return first_difference(Value(), value, here + key);
    }
    return {};  // the order of keys has no meaning
  }
  if (a.is_array() && b.is_array()) {
    const std::size_t n = std::max(a.as_array().size(), b.as_array().size());
    for (std::size_t i = 0; i < n; ++i) {
      const Value none;
      const Value& x = i < a.as_array().size() ? a.as_array()[i] : none;
      const Value& y = i < b.as_array().size() ? b.as_array()[i] : none;
      const std::string found = first_difference(x, y, path + "[" + std::to_string(i) + "]");
      if (!found.empty()) return found;
    }
    return {};
  }
  return (path.empty() ? "" : path + ": ") + to_json(a) + " / " + to_json(b);
}

}  // namespace retake::plugin
