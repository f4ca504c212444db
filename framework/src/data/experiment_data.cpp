#include "data/experiment_data.hpp"

#include <algorithm>
#include <cstdio>

#include "config/wiring.hpp"
#include "core/hash.hpp"
#include "core/stop.hpp"
#include "retake/error.hpp"
#include "retake/kinds/dataset.hpp"
#include "run/hash_cache.hpp"

namespace retake::data {
void use_aligner(CorpusRequest& request, const config::ResolvedExperiment& experiment,
                 plugin::Registry& registry, plugin::Arena& arena, Context& context) {
  const config::ResolvedComponent* c = experiment.find(Aligner::kind);
  if (c == nullptr) return;
  Aligner& made = registry.create<Aligner>(arena, c->plugin, c->params, context);
  request.aligner = &made;
  request.aligner_spec.extractor = c->plugin;
  request.aligner_spec.version = made.algorithm_version();
  for (const FieldInfo& field : c->info->schema.fields) {
    const Value* value = c->params.find(field.name);
    if (field.affects_results && value != nullptr) {
      request.aligner_spec.params[field.name] = *value;
    }
  }
}

std::vector<NamedExtractor> make_extractors(const config::ResolvedExperiment& experiment,
                                            plugin::Registry& registry, plugin::Arena& arena,
                                            Context& context) {
  std::vector<NamedExtractor> out;
  for (const config::ResolvedComponent* c : experiment.all(FeatureExtractor::kind)) {
    FeatureExtractor& made =
        registry.create<FeatureExtractor>(arena, c->plugin, c->params, context);
    NamedExtractor named;
    named.name = c->name.empty() ? c->plugin : c->name;
    named.extractor = &made;
    named.plugin = c->plugin;
    named.params = c->params;
    named.spec = spec_of(*c->info, made, c->params);
    out.push_back(std::move(named));
  }
  return out;
}

std::vector<WantedFeatures> wanted_features(const std::vector<NamedExtractor>& extractors) {
  std::vector<WantedFeatures> out;
  for (const NamedExtractor& e : extractors) out.push_back({e.name, e.extractor, e.spec});
  return out;
}

Table data_account(const PairSet& pairs) {
  run::HashCache hashes;
  Sha256 tree;
  std::int64_t files = 0, bytes = 0;
  const auto add = [&](const std::filesystem::path& path) {
    if (path.empty()) return;
    tree.update(std::filesystem::relative(path, pairs.root).string() + "\n");
    tree.update(hashes.sha256(path) + "\n");
    bytes += static_cast<std::int64_t>(std::filesystem::file_size(path));
    ++files;
  };
  for (const Pair& pair : pairs.pairs) {
    add(pair.raw);
    add(pair.edit);
    add(pair.truth.empty() ? pair.alignment : pair.truth);
    tree.update(pair.id + " " + pair.split + "\n");
  }
  Table out;
  out["root"] = pairs.root.string();
  out["method"] = "sha256";
  out["files"] = files;
  out["bytes"] = bytes;
  out["tree_hash"] = tree.hex();
  out["index"] = Value();
  out["cache"] = "size+mtime+inode";
  return out;
}

config::Identity ExperimentData::identity() const {
  const Value hash = files.at("tree_hash");
  return [hash](const std::string& path, const Value& value) -> std::optional<Value> {
    const bool empty = value.is_array() ? value.as_array().empty()
                                        : !value.is_string() || value.as_string().empty();
    if (empty || !path.starts_with(std::string(Dataset::kind) + ".")) return std::nullopt;
    return hash;
  };
}

std::string ExperimentData::summary() const {
  double seconds = 0;
  for (const Pair& pair : pairs.pairs) seconds += pair.raw_seconds;
  char hours[32];
  std::snprintf(hours, sizeof hours, "%.1f h", seconds / 3600.0);
  std::string text =
      "data " + dataset + ": " + std::to_string(pairs.pairs.size()) + " pairs, " + hours + "  ";
  for (const char* split : {"train", "val", "test"}) {
    text += " " + std::string(split) + " " + std::to_string(pairs.in_split(split).size()) + " ";
  }
  return text + "  hash " + files.at("tree_hash").as_string().substr(0, 8);
}

ExperimentData prepare_data(const config::ResolvedExperiment& experiment,
                            plugin::Registry& registry, plugin::Arena& arena, Context& context) {
  const config::ResolvedComponent* dataset = experiment.find(Dataset::kind);
  std::vector<Diagnostic> faults;
  for (const char* kind : {Dataset::kind, FeatureExtractor::kind}) {
    if (experiment.find(kind) == nullptr) faults.push_back(config::missing_table(kind));
  }
  if (!faults.empty()) throw ConfigError(std::move(faults));

  ExperimentData data;
  data.dataset = dataset->plugin;
  data.extractors = make_extractors(experiment, registry, arena, context);
  CorpusRequest request;
  request.features = wanted_features(data.extractors);
  use_aligner(request, experiment, registry, arena, context);
  data.pairs =
      registry.create<Dataset>(arena, dataset->plugin, dataset->params, context).pairs(context);
  if (data.pairs.pairs.empty()) {
    throw DataError(file_diagnostic("E507", data.pairs.root.string(), "holds no pairs",
                                    "put recordings into input/ and edits into desired_output/, "
                                    "or make some with  retake synth"));
  }
  const FeatureStore store(FeatureStore::default_folder(data.pairs.root));
  data.corpus = build_corpus(data.pairs, request, store, context);
  if (stop_requested()) {
    throw stopped(
        "stopped while preparing the data; what is prepared stays in " + store.folder().string(),
        "start the command again: it goes on from there");
  }
  data.files = data_account(data.pairs);
  return data;
}

}  // namespace retake::data
