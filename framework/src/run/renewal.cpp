#include "run/renewal.hpp"

#include "core/shell.hpp"
#include "retake/error.hpp"
#include "run/json_lines.hpp"

namespace retake::run {
namespace {

/// Of the environment, what reaches into the bits of a result.
constexpr const char* kDecisive[] = {"cpu_capability",
                                     "threads.intra",
                                     "libtorch",
                                     "blas.name",
                                     "blas.version",
                                     "gpu",
                                     "cuda",
                                     "vars.MKL_CBWR",
                                     "vars.MKL_ENABLE_INSTRUCTIONS",
                                     "vars.DNNL_MAX_CPU_ISA"};

std::string text_at(const Value& root, const std::string& path) {
  const Value* value = find_path(root, path);
  return value == nullptr ? "null" : to_json(*value);
}

/// What the manifest says of a plugin's file; "null" when it does not know the plugin.
std::string hash_of(const Value* plugins, const Table& plugin) {
  if (plugins == nullptr || !plugins->is_array()) return "null";
  for (const Value& entry : plugins->as_array()) {
    const Value* kind = find_path(entry, "kind");
    const Value* name = find_path(entry, "name");
    if (kind == nullptr || name == nullptr) continue;
    if (*kind == plugin.at("kind") && *name == plugin.at("name")) return text_at(entry, "sha256");
  }
  return "null";
}

}  // namespace

std::vector<std::string> changed_facts(const Table& then, const Table& now) {
  std::vector<std::string> changes;
  const Value before(then), present(now);
  if (text_at(before, "host_program.sha256") != text_at(present, "host_program.sha256")) {
    changes.push_back("the host program is another build");
  }
  const Value* plugins = then.find("plugins");
  for (const Value& entry : now.at("plugins").as_array()) {
    const Table& plugin = entry.as_table();
    const std::string then_hash = hash_of(plugins, plugin);
    if (then_hash == to_json(plugin.at("sha256"))) continue;
    changes.push_back("plugin " + plugin.at("kind").as_string() + "/" +
                      plugin.at("name").as_string() +
                      (then_hash == "null" ? " is new" : " is another build"));
  }
  for (const std::string path : kDecisive) {
    const std::string was = text_at(before, "env." + path), is = text_at(present, "env." + path);
    if (was != is) changes.push_back(path + " was " + was + " and is " + is);
  }
  return changes;
}

std::vector<std::string> altered_logs(const RunFolder& run, const Table& manifest) {
  std::vector<std::string> altered;
  const Value* outputs = manifest.find("outputs");
  if (outputs == nullptr || !outputs->is_array()) return altered;
  for (const Value& entry : outputs->as_array()) {
    const Value* path = find_path(entry, "path");
    const Value* hash = find_path(entry, "sha256_values");
    if (path == nullptr || hash == nullptr) continue;
    if (*path != Value("metrics.jsonl") && *path != Value("trace.jsonl")) continue;
    const std::string name = path->as_string();
    try {
      if (Value(json_lines_values_hash(run.path() / name)) == *hash) continue;
    } catch (const DataError&) {  // gone, or no records at all
    }
    altered.push_back(name);
  }
  return altered;
}

std::string resume_command(const RunFolder& run) {
  if (run.path().parent_path() == "runs") return "retake resume " + run.id();
  return "retake resume " + shell_quote({run.path().string()});
}

}  // namespace retake::run
