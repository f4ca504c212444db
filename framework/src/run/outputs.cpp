// What a run produced, as the manifest names it.

#include <algorithm>
#include <cmath>
#include <map>
#include <system_error>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "run/checkpoint.hpp"
#include "run/json_lines.hpp"
#include "run/manifest.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

bool is_audio(const fs::path& path) {
  const std::string e = path.extension().string();
  return e == ".wav" || e == ".flac" || e == ".ogg" || e == ".mp3" || e == ".rf64";
}

Table output(const std::string& path, const char* how, std::string hash) {
  Table entry;
  entry["path"] = path;
  entry[how] = std::move(hash);
  return entry;
}

Table describe_file(const RunFolder& run, const fs::path& path, const PcmHash& pcm_hash) {
  const std::string name = path.lexically_relative(run.path()).generic_string();
  if (path.extension() == ".json") {
    const Value value = parse_json(read_file(path), path.string());
    return output(name, "sha256_values", sha256_hex(to_canonical_json(value)));
  }
  if (path.extension() == ".jsonl" && path.parent_path() == run.path()) {
    return output(name, "sha256_values", json_lines_values_hash(path));
  }
  if (is_audio(path) && pcm_hash) return output(name, "sha256_pcm", pcm_hash(path));
  return output(name, "sha256", sha256_file(path));
}

struct Track {
  double best = 0;
  std::int64_t best_step = 0;
  double last = 0;
  std::int64_t last_step = 0;
};

}  // namespace

Array describe_inputs(const RunFolder& run) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const char* name : {"command.txt", "overrides.txt", "data.index.jsonl"}) {
    if (fs::exists(run.path() / name, error)) files.push_back(run.path() / name);
  }
  const fs::path configs = run.path() / "config.input";
  if (fs::is_directory(configs, error)) {
    for (const auto& entry : fs::recursive_directory_iterator(configs)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  Array out;
  for (const auto& file : files) {
    out.push_back(
        output(file.lexically_relative(run.path()).generic_string(), "sha256", sha256_file(file)));
  }
  return out;
}

Array describe_outputs(const RunFolder& run, const PcmHash& pcm_hash) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& path : {run.metrics(), run.trace(), run.resolved_config()}) {
    if (fs::exists(path, error)) files.push_back(path);
  }
  const CheckpointStore store(run.checkpoints());
  for (const std::int64_t step : store.steps()) files.push_back(*store.at(step) / "hashes.json");
  if (fs::is_directory(run.artifacts(), error)) {
    for (const auto& entry : fs::recursive_directory_iterator(run.artifacts())) {
      if (entry.is_regular_file() && !entry.path().filename().string().starts_with('.')) {
        files.push_back(entry.path());
      }
    }
  }
  std::sort(files.begin(), files.end());
  Array out;
  for (const auto& file : files) out.push_back(describe_file(run, file, pcm_hash));
  return out;
}

Table summarize_metrics(const fs::path& metrics_file,
                        const std::vector<std::pair<std::string, std::string>>& goals) {
  std::map<std::string, bool> wants_max;
  for (const auto& [name, goal] : goals) {
    if (goal == "max" || goal == "min") wants_max[name] = goal == "max";
  }
  std::map<std::string, Track> tracks;
  read_json_lines(metrics_file, [&](const Value& record) {
    const std::int64_t step = record.as_table().at("step").as_int();
    for (const auto& [name, value] : record.as_table()) {
      if (name == "step" || name == "t" || !value.is_number()) continue;
      const double v = value.as_double();
      const auto [it, fresh] = tracks.try_emplace(name, Track{v, step, v, step});
      Track& track = it->second;
      track.last = v;
      track.last_step = step;
      const auto goal = wants_max.find(name);
      if (fresh || goal == wants_max.end()) continue;
      if (goal->second ? v > track.best : v < track.best) {
        track.best = v;
        track.best_step = step;
      }
    }
  });
  Table out;
  for (const auto& [name, track] : tracks) {
    Table entry;
    if (wants_max.contains(name)) {
      entry["best"] = track.best;
      entry["step"] = track.best_step;
    } else {
      entry["step"] = track.last_step;
    }
    entry["last"] = track.last;
    out[name] = std::move(entry);
  }
  return out;
}

}  // namespace retake::run
