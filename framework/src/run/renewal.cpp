#include "run/renewal.hpp"

#include <algorithm>

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

const Value* plugin_of(const Value& plugins, const Value& kind, const Value& name) {
  for (const Value& entry : plugins.as_array()) {
    if (entry.as_table().at("kind") == kind && entry.as_table().at("name") == name) return &entry;
  }
  return nullptr;
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
    const Value* old = plugins != nullptr && plugins->is_array()
                           ? plugin_of(*plugins, plugin.at("kind"), plugin.at("name"))
                           : nullptr;
    if (old != nullptr && old->as_table().at("sha256") == plugin.at("sha256")) continue;
    changes.push_back("plugin " + plugin.at("kind").as_string() + "/" +
                      plugin.at("name").as_string() +
                      (old == nullptr ? " is new" : " is another build"));
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
  const std::string path = run.path().string();
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+:@").find(c) != std::string_view::npos;
  });
  if (plain) return "retake resume " + path;
  std::string quoted = "'";
  for (const char c : path) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return "retake resume " + quoted + "'";
}

}  // namespace retake::run
