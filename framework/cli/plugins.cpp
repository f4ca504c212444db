// `retake plugins list | info | params`: what is installed, read from the embedded tables.

#include <algorithm>

#include "command.hpp"
#include "core/diagnostics.hpp"
#include "core/suggest.hpp"
#include "plugin/registry.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

using plugin::PluginFile;
using plugin::Registry;

void path_option(po::options_description& o) {
  o.add_options()("path", po::value<std::vector<std::string>>()->value_name("DIR"),
                  "a folder to look in first");
}

std::vector<std::string> search_folders(const Arguments& a) {
  std::vector<std::string> folders;
  if (a.options.contains("path")) folders = a.options["path"].as<std::vector<std::string>>();
  folders.insert(folders.end(), a.globals.plugin_path.begin(), a.globals.plugin_path.end());
  return folders;
}

/// KIND/NAME, or NAME alone where one kind has it.
const ComponentInfo& component(const Registry& registry, const Arguments& a) {
  if (a.positional.size() != 1) {
    throw usage_error("one component is needed, as KIND/NAME",
                      "see the names with  retake plugins list");
  }
  const std::string& word = a.positional.front();
  const std::size_t slash = word.find('/');
  if (slash != std::string::npos) {
    const std::string kind = word.substr(0, slash);
    const std::vector<std::string> kinds = registry.kinds();
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
      const auto nearest = did_you_mean(kind, kinds);
      throw usage_error("there is no kind `" + kind + "`",
                        nearest ? "did you mean `" + *nearest + "`?" : "kinds: " + join(kinds));
    }
    return registry.info(kind, word.substr(slash + 1));
  }
  std::vector<std::string> found;
  for (const std::string& kind : registry.kinds()) {
    if (registry.find(kind, word) != nullptr) found.push_back(kind + "/" + word);
  }
  if (found.size() == 1) return registry.info(found[0].substr(0, found[0].find('/')), word);
  if (found.empty()) {
    if (const Diagnostic* clash = registry.clash("", word)) throw PluginError(*clash);
    std::vector<std::string> all;
    for (const std::string& kind : registry.kinds()) {
      for (const std::string& name : registry.names(kind)) all.push_back(name);
    }
    const auto nearest = did_you_mean(word, all);
    Diagnostic d;
    d.id = "E201";
    d.message = "no plugin of any kind named `" + word + "`";
    if (nearest) d.facts.push_back("did you mean `" + *nearest + "`?");
    d.facts.push_back("looked in: " + join(registry.looked_in()));
    d.help = "see the names with  retake plugins list";
    throw PluginError(std::move(d));
  }
  throw usage_error("`" + word + "` is the name of several components",
                    "write one of: " + join(found));
}

// ---- list ----

Value list_value(const Registry& registry, const std::vector<const ComponentInfo*>& shown) {
  Array components;
  for (const ComponentInfo* c : shown) {
    Table t;
    t["kind"] = c->kind;
    t["name"] = c->name;
    t["version"] = c->version;
    t["plugin"] = c->plugin;
    t["file"] = c->file;
    t["doc"] = c->doc;
    components.emplace_back(std::move(t));
  }
  Array problems;
  for (const Diagnostic& d : registry.problems()) problems.push_back(to_value(d));
  Array notes;
  for (const Diagnostic& d : registry.notes()) notes.push_back(to_value(d));
  Array looked_in;
  for (const std::string& place : registry.looked_in()) looked_in.emplace_back(place);
  Table out;
  out["components"] = std::move(components);
  out["problems"] = std::move(problems);
  out["notes"] = std::move(notes);
  out["looked_in"] = std::move(looked_in);
  return out;
}

std::string list_text(const Registry& registry, const std::vector<const ComponentInfo*>& shown) {
  if (shown.empty()) {
    return "no plugins found\nlooked in: " + join(registry.looked_in()) + "\n";
  }
  std::vector<std::vector<std::string>> rows;
  for (const ComponentInfo* c : shown) rows.push_back({c->kind, c->name, c->version, c->doc});
  return columns({"kind", "name", "version", ""}, rows);
}

int run_list(const Arguments& a) {
  if (!a.positional.empty())
    throw usage_error("plugins list takes no words, only options", "--kind KIND lists one kind");
  const Registry registry(search_folders(a));
  std::vector<std::string> kinds = registry.kinds();
  if (a.options.contains("kind")) {
    const std::string kind = a.options["kind"].as<std::string>();
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
      const auto nearest = did_you_mean(kind, kinds);
      throw usage_error("there is no kind `" + kind + "`",
                        nearest ? "did you mean `" + *nearest + "`?" : "kinds: " + join(kinds));
    }
    kinds = {kind};
  }
  std::vector<const ComponentInfo*> shown;
  for (const std::string& kind : kinds) {
    for (const std::string& name : registry.names(kind)) shown.push_back(registry.find(kind, name));
  }
  print_result(a, list_value(registry, shown), [&] { return list_text(registry, shown); });
  print_diagnostics(a.globals, registry.problems());
  print_diagnostics(a.globals, registry.notes());
  return 0;
}

// ---- info ----

std::string ports_text(const char* title, const std::vector<PortInfo>& ports) {
  if (ports.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const PortInfo& p : ports) {
    std::string doc = p.doc;
    if (p.is_list) doc = "(list) " + doc;
    if (p.optional) doc = "(optional) " + doc;
    rows.push_back({p.name, p.dtype + "[" + p.shape + "]", doc});
  }
  return "\n" + columns({title, "type", ""}, rows);
}

std::string metrics_text(const std::vector<MetricInfo>& metrics) {
  if (metrics.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const MetricInfo& m : metrics) {
    std::string watch = m.target.empty() ? "" : "target: " + m.target;
    if (!m.problem.empty()) watch += (watch.empty() ? "" : "; ") + ("problem if: " + m.problem);
    rows.push_back({m.name, m.goal, m.doc + (watch.empty() ? "" : " (" + watch + ")")});
  }
  return "\n" + columns({"metric", "goal", ""}, rows);
}

std::string header(const ComponentInfo& c) {
  const std::string file = std::filesystem::path(c.file).filename().string();
  return c.kind + "/" + c.name + "   " + c.version + "   (" + file + ")\n" + c.doc + "\n";
}

std::string traits_text(const ComponentInfo& c, const PluginFile& file) {
  std::string out = "\n";
  out += "file           " + plugin::display_path(c.file) + "\n";
  out += "abi            " + plugin::abi(file.stamp, c.kind) + "\n";
  out += std::string("deterministic  ") + (c.traits.deterministic ? "yes" : "no") + "\n";
  out += std::string("needs a GPU    ") + (c.traits.needs_gpu ? "yes" : "no") + "\n";
  out += std::string("uses LibTorch  ") + (file.stamp.torch() ? "yes" : "no") + "\n";
  const std::size_t n = c.schema.fields.size();
  out += "parameters     " + std::to_string(n);
  if (n > 0) out += "   (retake plugins params " + c.kind + "/" + c.name + ")";
  return out + "\n";
}

Value info_value(const ComponentInfo& c, const PluginFile& file) {
  Value value = to_value(c);
  Table& t = value.as_table();
  t["file"] = c.file;
  t["abi"] = plugin::abi(file.stamp, c.kind);
  t["torch"] = file.stamp.torch();
  Table stamp;
  for (const auto& [key, line] : file.stamp.lines) stamp[key] = line;
  t["stamp"] = std::move(stamp);
  return value;
}

int run_info(const Arguments& a) {
  const Registry registry(search_folders(a));
  const ComponentInfo& c = component(registry, a);
  const PluginFile& file = registry.file_of(c.kind, c.name);
  print_result(a, info_value(c, file), [&] {
    return header(c) + traits_text(c, file) + ports_text("input", c.traits.inputs) +
           ports_text("output", c.traits.outputs) + metrics_text(c.traits.metrics);
  });
  return 0;
}

// ---- params ----

std::string params_text(const ComponentInfo& c) {
  if (c.schema.fields.empty()) return header(c) + "\nno parameters\n";
  std::string out =
      header(c) + "\n" +
      columns({"parameter", "type", "default", "range", "unit", ""}, field_rows(c.schema.fields));
  const std::vector<std::string> rules = rule_lines(c.schema.rules);
  if (!rules.empty()) out += "\nrules\n";
  for (const std::string& rule : rules) out += "  " + rule + "\n";
  for (const MigrationInfo& m : c.schema.migrations) {
    out += "\n`" + m.old_name + "` of version " + std::to_string(m.from_version) + " is now `" +
           m.new_name + "`\n";
  }
  return out;
}

int run_params(const Arguments& a) {
  const Registry registry(search_folders(a));
  const ComponentInfo& c = component(registry, a);
  Table t;
  t["kind"] = c.kind;
  t["name"] = c.name;
  t["version"] = c.version;
  t["schema"] = to_value(c.schema);
  print_result(a, t, [&] { return params_text(c); });
  return 0;
}

const RegisterCommand list(
    {.name = "plugins list",
     .synopsis = "[--kind KIND] [--path DIR]",
     .summary = "List the installed plugins",
     .examples = {"retake plugins list", "retake plugins list --kind model --json"},
     .options =
         [](po::options_description& o) {
           o.add_options()("kind", po::value<std::string>()->value_name("KIND"), "only this kind");
           path_option(o);
         },
     .run = run_list});

const RegisterCommand info({.name = "plugins info",
                            .synopsis = "KIND/NAME [--path DIR]",
                            .summary = "Show what one plugin is, takes, gives and measures",
                            .examples = {"retake plugins info model/pointer_network",
                                         "retake plugins info feature_extractor/log_mel --json"},
                            .options = path_option,
                            .run = run_info});

const RegisterCommand params(
    {.name = "plugins params",
     .synopsis = "KIND/NAME [--path DIR]",
     .summary = "Show the parameters of one plugin",
     .examples = {"retake plugins params model/pointer_network",
                  "retake plugins params aligner/cross_correlation --json"},
     .options = path_option,
     .run = run_params});

}  // namespace
}  // namespace retake::cli
