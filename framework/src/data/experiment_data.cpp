#include "data/experiment_data.hpp"

#include <algorithm>
#include <cstdio>

#include "config/wiring.hpp"
#include "core/hash.hpp"
#include "core/stop.hpp"
#include "data/pair_checks.hpp"
#include "plugin/blame.hpp"
#include "retake/error.hpp"
#include "retake/kinds/dataset.hpp"
#include "run/hash_cache.hpp"

namespace retake::data {
void use_aligner(CorpusRequest& request, const config::ResolvedExperiment& experiment,
                 plugin::Registry& registry, plugin::Arena& arena, Context& context) {
  const config::ResolvedComponent* c = experiment.find(Aligner::kind);
  if (c == nullptr) return;
  Aligner& made = registry.create<Aligner>(arena, *c, context);
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
    FeatureExtractor& made = registry.create<FeatureExtractor>(arena, *c, context);
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

std::vector<DataFile> data_index(const PairSet& pairs) {
  run::HashCache hashes;
  std::vector<DataFile> out;
  const auto add = [&](const std::filesystem::path& path) {
    if (path.empty()) return;
    out.push_back({std::filesystem::relative(path, pairs.root).string(),
                   static_cast<std::int64_t>(std::filesystem::file_size(path)),
                   hashes.sha256(path)});
  };
  for (const Pair& pair : pairs.pairs) {
    add(pair.raw);
    add(pair.edit);
    add(pair.truth.empty() ? pair.alignment : pair.truth);
  }
  return out;
}

Table data_account(const PairSet& pairs, const std::vector<DataFile>& index) {
  Sha256 tree;
  std::int64_t bytes = 0;
  for (const DataFile& file : index) {
    tree.update(file.path + "\n" + file.sha256 + "\n");
    bytes += file.bytes;
  }
  for (const Pair& pair : pairs.pairs) tree.update(pair.id + " " + pair.split + "\n");
  Table out;
  out["root"] = pairs.root.string();
  out["method"] = "sha256";
  out["files"] = static_cast<std::int64_t>(index.size());
  out["bytes"] = bytes;
  out["tree_hash"] = tree.hex();
  out["index"] = Value();
  out["cache"] = "size+mtime+ctime+inode";
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

namespace {

void require_tables(const config::ResolvedExperiment& experiment) {
  std::vector<Diagnostic> faults;
  for (const char* kind : {Dataset::kind, FeatureExtractor::kind}) {
    if (experiment.find(kind) == nullptr) faults.push_back(config::missing_table(kind));
  }
  if (!faults.empty()) throw ConfigError(std::move(faults));
}

/// Ids become file names, and a song in two splits makes every figure false.
void require_sound(const PairSet& pairs, const Dataset& dataset) {
  std::vector<std::string> problems = pair_list_problems(pairs);
  if (problems.empty()) return;
  constexpr std::size_t kShown = 10;
  const std::size_t left_out = problems.size() - std::min(problems.size(), kShown);
  problems.resize(problems.size() - left_out);
  if (left_out > 0) problems.push_back("and " + std::to_string(left_out) + " more");
  Diagnostic d;
  d.id = "E528";
  d.message = plugin::library_of(dataset) + " gave a list of pairs that cannot be used";
  d.facts = std::move(problems);
  d.help = "this is a defect of the dataset plugin; retake plugins check FILE looks for more";
  throw PluginError(std::move(d));
}

/// Makes extractors and aligner, then the corpus of `data.pairs`.
void prepare(ExperimentData& data, const FeatureStore& store,
             const config::ResolvedExperiment& experiment, plugin::Registry& registry,
             plugin::Arena& arena, Context& context) {
  data.dataset = experiment.find(Dataset::kind)->plugin;
  if (data.pairs.pairs.empty()) {
    throw DataError(file_diagnostic("E507", data.pairs.root.string(), "holds no pairs",
                                    "put recordings into input/ and edits into desired_output/, "
                                    "or make some with  retake synth"));
  }
  data.extractors = make_extractors(experiment, registry, arena, context);
  CorpusRequest request;
  request.features = wanted_features(data.extractors);
  use_aligner(request, experiment, registry, arena, context);
  data.corpus = build_corpus(data.pairs, request, store, context);
  if (stop_requested()) {
    throw stopped(
        "stopped while preparing the data; what is prepared stays in " + store.folder().string(),
        "start the command again: it goes on from there");
  }
}

/// Nobody wants to learn after an hour that there is nothing to validate with.
void require_splits(const config::ResolvedExperiment& experiment, const PairSet& pairs) {
  const std::string& metric = experiment.train.metric;
  std::string missing, why;
  if (pairs.in_split("train").empty()) {
    missing = "train";
    why = "there is nothing to learn from";
  } else if (metric.starts_with("val/") && pairs.in_split("val").empty()) {
    missing = "val";
    why = "train.metric is " + metric;
  }
  if (missing.empty() || pairs.pairs.empty()) return;
  throw DataError(file_diagnostic(
      "E513", pairs.root.string(),
      "no pair of " + std::to_string(pairs.pairs.size()) + " is in the split `" + missing +
          "`, and " + why,
      "divide the pairs with  retake pairs ROOT --split test=0.2,val=0.2;  few songs need larger "
      "shares, or more songs"));
}

}  // namespace

ExperimentData prepare_data(const config::ResolvedExperiment& experiment,
                            plugin::Registry& registry, plugin::Arena& arena, Context& context) {
  require_tables(experiment);
  ExperimentData data;
  Dataset& dataset = registry.create<Dataset>(arena, *experiment.find(Dataset::kind), context);
  data.pairs = dataset.pairs(context);
  require_sound(data.pairs, dataset);
  require_splits(experiment, data.pairs);
  const FeatureStore store(FeatureStore::default_folder(data.pairs.root));
  prepare(data, store, experiment, registry, arena, context);
  data.index = data_index(data.pairs);
  data.files = data_account(data.pairs, data.index);
  return data;
}

ExperimentData prepare_pairs(const config::ResolvedExperiment& experiment, const PairSet& pairs,
                             plugin::Registry& registry, plugin::Arena& arena, Context& context) {
  require_tables(experiment);
  ExperimentData data;
  data.pairs = pairs;
  const FeatureStore store(pairs.root / ".retake" / "store");
  prepare(data, store, experiment, registry, arena, context);
  return data;
}

}  // namespace retake::data
