// retake explain: where a value of an experiment comes from.

#include "config/explain.hpp"
#include "command.hpp"
#include "config/path.hpp"
#include "config/validate.hpp"
#include "config/write.hpp"
#include "overrides.hpp"
#include "plugin/registry.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

using config::Dropped;
using config::Explanation;
using config::Origin;
using config::ResolvedExperiment;

std::string file_name(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1);
}

/// "default (plugin libadamw.so 1.2.0)", "default (host)".
std::string default_text(const Explanation& x) {
  if (x.component == nullptr) return "default (host)";
  const ComponentInfo& info = *x.component->info;
  const bool hosts = x.field && (x.field->name == "weight" || x.field->name == "enabled");
  if (hosts) return "default (host)";
  return "default (plugin " + file_name(info.file) + " " + info.version + ")";
}

std::string shown(const Value& value) {
  return value.is_null() || value.is_table() ? std::string() : config::inline_toml(value);
}

std::string place_text(const Origin& origin) {
  return config::describe(config::key_place(origin));
}

Table place_value(const Place& place) {
  Table t;
  t["file"] = place.file;
  t["line"] = place.line;
  t["column"] = place.column;
  if (!place.via.empty()) t["via"] = place.via;
  return t;
}

Table origin_value(const Origin& origin) {
  Table t = place_value(config::key_place(origin));
  if (origin.source == nullptr) t["argv"] = origin.argv_index;
  t["value"] = origin.written;
  return t;
}

Table field_value(const FieldInfo& f) {
  Table t;
  t["summary"] = config::summary(f);
  t["doc"] = f.doc;
  t["unit"] = f.unit;
  t["default"] = f.default_value;
  t["min"] = f.min ? Value(*f.min) : Value();
  t["max"] = f.max ? Value(*f.max) : Value();
  t["choices"] = Array(f.choices);
  return t;
}

Value as_value(const ResolvedExperiment& e, const Explanation& x) {
  Table out;
  out["path"] = x.path;
  if (!x.renamed_from.empty()) out["renamed_from"] = x.renamed_from;
  out["value"] = x.value;
  if (!x.interpolated.empty()) out["interpolated_from"] = x.interpolated;
  out["parameter"] = x.field ? Value(field_value(*x.field)) : Value();
  if (x.component != nullptr) {
    Table owner;
    owner["kind"] = x.component->kind;
    owner["plugin"] = x.component->plugin;
    owner["version"] = x.component->info->version;
    owner["file"] = x.component->info->file;
    out["component"] = std::move(owner);
  }
  Array writings, dropped, children;
  for (const Origin& origin : x.writings) writings.emplace_back(origin_value(origin));
  for (const Dropped& d : x.dropped) {
    Table t = origin_value(d.written);
    t["path"] = d.path;
    t["why"] = d.why;
    t["by"] = place_value(d.by);
    dropped.emplace_back(std::move(t));
  }
  for (const std::string& path : x.children) {
    Table t;
    t["path"] = path;
    const Origin* origin = config::origin_of(e.origins, path);
    t["origin"] = origin != nullptr ? place_text(*origin) : std::string("default");
    children.emplace_back(std::move(t));
  }
  out["writings"] = std::move(writings);
  out["dropped"] = std::move(dropped);
  if (x.value.is_table()) out["holds"] = std::move(children);
  return out;
}

std::string head(const Explanation& x) {
  std::string out = x.value.is_table() ? "[" + x.path + "]" : x.path + " = " + shown(x.value);
  out += "\n";
  if (!x.renamed_from.empty()) out += "`" + x.renamed_from + "` is its old name\n";
  if (x.field) {
    out += config::summary(*x.field) + "\n";
    if (!x.field->doc.empty()) out += x.field->doc + "\n";
  }
  if (x.component != nullptr) {
    const ComponentInfo& info = *x.component->info;
    out += (x.field ? "of " : "") + info.kind + " plugin `" + info.name + "` (" +
           file_name(info.file) + " " + info.version + ")" + (x.field ? "" : ": " + info.doc) +
           "\n";
  }
  return out;
}

std::string interpolation_text(const ResolvedExperiment& e, const Explanation& x) {
  if (x.interpolated.empty()) return {};
  std::string out = "\ninterpolated from " + config::quoted_string(x.interpolated) + "\n";
  for (const auto& [name, value] : e.environment) {
    if (x.interpolated.find("${env:" + name) == std::string::npos) continue;
    out +=
        "  " + name +
        (value.is_null() ? " is not set: the default in the text holds" : "=" + value.as_string()) +
        "\n";
  }
  return out;
}

/// The writings that lead to the value, newest first, the default last.
std::string chain(const Explanation& x) {
  std::vector<std::vector<std::string>> rows;
  for (const Origin& origin : x.writings) {
    rows.push_back({place_text(origin), shown(origin.written), origin.via});
  }
  const bool has_default = x.field && !x.field->required && !x.field->default_value.is_null();
  if (has_default) rows.push_back({default_text(x), shown(x.field->default_value), ""});
  if (rows.empty()) return {};
  return "\n" + columns({x.value.is_table() ? "written" : "set by (newest first)", "", ""}, rows);
}

std::string dropped_text(const Explanation& x) {
  if (x.dropped.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const Dropped& d : x.dropped) {
    rows.push_back({d.path + " = " + shown(d.written.written), place_text(d.written),
                    d.why + " (" + config::describe(d.by) + ")"});
  }
  return "\n" + columns({"dropped", "written", "because"}, rows);
}

/// Of a table: who chose the plugin, and every value with its place.
std::string table_text(const ResolvedExperiment& e, const Explanation& x) {
  std::string out;
  if (x.component != nullptr && x.component->table == x.path) {
    const Explanation plugin = config::explain(e, config::child_path(x.path, "plugin"));
    std::vector<std::vector<std::string>> rows;
    for (const Origin& origin : plugin.writings) {
      rows.push_back({place_text(origin), shown(origin.written), origin.via});
    }
    out += "\n" + columns({"plugin chosen by (newest first)", "", ""}, rows);
  }
  std::vector<std::vector<std::string>> rows;
  for (const std::string& path : x.children) {
    const Explanation child = config::explain(e, path);
    rows.push_back(
        {path, shown(child.value),
         child.writings.empty() ? default_text(child) : place_text(child.writings.front())});
  }
  return out + "\n" + columns({"key", "value", "from"}, rows);
}

int run(const Arguments& a) {
  const std::string file = experiment_argument(a);
  if (a.positional.size() < 2) {
    throw usage_error("`retake explain` needs a key",
                      "for example  retake explain " + file + " train.batch");
  }
  const plugin::Registry registry(a.globals.plugin_path);
  const auto e = config::resolve_experiment(file, registry, read_load_options(a, 2));
  const Explanation x = config::explain(e, a.positional[1]);
  print_diagnostics(a.globals, e.notes);
  print_result(a, as_value(e, x), [&] {
    std::string out = head(x) + interpolation_text(e, x);
    out += x.value.is_table() ? table_text(e, x) : chain(x);
    return out + dropped_text(x);
  });
  return 0;
}

const RegisterCommand registered(
    {.name = "explain",
     .synopsis = "EXP KEY [OVERRIDES]",
     .summary = "Say where a value of an experiment comes from",
     .examples = {"retake explain experiments/pointer/demo.toml train.max_steps",
                  "retake explain experiments/pointer/demo.toml model --json",
                  "retake explain experiments/pointer/demo.toml optimizer.lr optimizer.lr=1e-4"},
     .options = add_override_options,
     .run = run,
     .details = "Every writing of the value is listed, newest first, then its default; for a table "
                "who chose the\nplugin, where each key is from, and what was dropped on the way. "
                "The experiment must be sound:\n`retake check` says what is not."});

}  // namespace
}  // namespace retake::cli
