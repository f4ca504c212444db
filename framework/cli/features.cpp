// `retake features`: features of recordings, into the store or into NumPy files.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>

#include "chosen_pairs.hpp"
#include "command.hpp"
#include "config/experiment.hpp"
#include "core/stop.hpp"
#include "data/feature_files.hpp"
#include "data/feature_store.hpp"
#include "ledger.hpp"
#include "many_files.hpp"
#include "output_names.hpp"
#include "plugin/registry.hpp"
#include "retake/audio/source.hpp"
#include "run/progress.hpp"
#include "run/run_context.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

/// One recording to work on.
struct Input {
  fs::path audio;
  fs::path root;  ///< the pair set that it belongs to; empty for a single file
};

struct Options {
  std::string extractor = "log_mel";
  fs::path out;  ///< empty: into the store
  bool cached = false;
  int threads = 1;
  std::vector<std::string> words;                ///< recordings and folders
  std::vector<config::OverrideText> parameters;  ///< key=value
};

Options read_options(const Arguments& a) {
  Options o;
  if (a.options.contains("extractor")) o.extractor = a.options["extractor"].as<std::string>();
  if (a.options.contains("out")) o.out = a.options["out"].as<std::string>();
  o.cached = a.options.contains("cached");
  o.threads = threads_of(a);
  const std::string of = a.options["of"].as<std::string>();
  if (of != "mix") {
    throw usage_error("features of `" + of + "` are not available: only `mix` is",
                      "leave --of away, or write --of mix");
  }
  for (std::size_t i = 0; i < a.positional.size(); ++i) {
    const std::string& word = a.positional[i];
    std::error_code error;
    if (word.find('=') != std::string::npos && !fs::exists(word, error)) {
      o.parameters.push_back({word, a.argv_index[i]});
    } else {
      o.words.push_back(word);
    }
  }
  if (o.words.empty()) {
    throw usage_error("no recording is named", "retake features AUDIO... or retake features ROOT");
  }
  return o;
}

bool is_pair_set(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path / "input", error);
}

/// What there is to do, and what is wrong with recordings that were to be done too.
struct Plan {
  std::vector<Input> inputs;
  std::vector<Diagnostic> problems;
};

/// The recordings that the words name, or those of them that --only leaves; of a pair set, raw and
/// edit of every pair.
Plan plan_of(const Options& o, const Arguments& a) {
  std::map<std::string, PairScan> sets;
  std::vector<std::string> ids;
  for (const std::string& word : o.words) {
    if (is_pair_set(word)) {
      const auto of_set = ids_of(sets.emplace(word, scan_pairs(word)).first->second);
      ids.insert(ids.end(), of_set.begin(), of_set.end());
    } else {
      ids.push_back(fs::path(word).stem().string());
    }
  }
  const auto only = only_of(a, ids, "ids of a pair set are listed by  retake pairs ROOT");
  Plan plan;
  for (const std::string& word : o.words) {
    const auto set = sets.find(word);
    if (set == sets.end()) {
      const std::string id = fs::path(word).stem().string();
      if (only.empty() || std::find(only.begin(), only.end(), id) != only.end()) {
        plan.inputs.push_back({word, {}});
      }
      continue;
    }
    ChosenPairs chosen = choose_pairs(set->second, only);
    plan.problems.insert(plan.problems.end(), chosen.problems.begin(), chosen.problems.end());
    for (const Pair& pair : chosen.pairs) {
      for (const fs::path& audio : {pair.raw, pair.edit}) {
        if (!audio.empty()) plan.inputs.push_back({audio, word});
      }
    }
  }
  if (!plan.inputs.empty()) return plan;
  if (!plan.problems.empty()) throw DataError(std::move(plan.problems));
  throw usage_error("there is no recording in " + o.words.front(),
                    "name audio files, or a pair set with recordings in input/");
}

/// Where the features of each recording go; two with one name are an error.
std::vector<fs::path> find_outputs(const Options& o, const std::vector<Input>& inputs) {
  std::vector<fs::path> outputs;
  OutputNames names;
  for (const Input& input : inputs) {
    outputs.push_back(o.out.empty() ? fs::path() : o.out / (input.audio.stem().string() + ".npz"));
    if (o.out.empty()) continue;
    names.add(input.audio.string(), outputs.back(), false);
  }
  return outputs;
}

/// What is said about one recording.
Value row_of(const Input& input, const fs::path& out, const FeatureTable& table) {
  Table t;
  t["audio"] = Value(input.audio.string());
  t["out"] = out.empty() ? Value() : Value(out.string());
  t["rows"] = Value(table.rows());
  t["rows_per_second"] = table.grid().hop == 0 ? Value() : Value(table.grid().rows_per_second());
  Array blocks;
  for (const FeatureBlock& block : table.blocks()) {
    Table b;
    b["name"] = Value(block.name);
    b["width"] = Value(block.width);
    b["unit"] = Value(block.unit);
    blocks.push_back(Value(std::move(b)));
  }
  t["blocks"] = Value(std::move(blocks));
  return Value(std::move(t));
}

/// Everything that is the same for all recordings of a call.
struct Job {
  const Options& options;
  const FeatureExtractor& extractor;
  FeatureSpec spec;
  const Context& context;
};

/// Features of one recording, written where they belong. Nothing is written after a stop.
FeatureTable compute(const Job& job, const Input& input, const fs::path& out) {
  const data::FeatureStore store(data::FeatureStore::default_folder(input.root));
  const std::string audio = input.audio.string();
  FeatureTable table;
  if (job.options.cached) {
    table = store.get(audio, job.extractor, job.spec, job.context);
  } else {
    const std::unique_ptr<AudioSource> source = open_audio(audio);
    table = job.extractor.extract(*source, job.context);
  }
  if (job.context.stop_requested()) throw stopped("stopped at " + audio);
  data::require_finite(table, job.extractor, audio);
  if (!out.empty()) {
    data::write_features_npz(out, table);
  } else if (!job.options.cached) {
    store.put(audio, job.spec, table);
  }
  return table;
}

std::string call_of(const FeatureSpec& spec) {
  return spec.extractor + '\n' + spec.version + '\n' + to_canonical_json(Value(spec.params));
}

std::vector<fs::path> audio_of(const std::vector<Input>& inputs) {
  std::vector<fs::path> files;
  for (const Input& input : inputs) files.push_back(input.audio);
  return files;
}

std::string human(const Value& result) {
  std::string text;
  for (const Value& file : result.as_table().at("files").as_array()) {
    const Table& f = file.as_table();
    text += f.at("audio").as_string() + "  " + std::to_string(f.at("rows").as_int()) + " rows";
    for (const Value& block : f.at("blocks").as_array()) {
      const Table& b = block.as_table();
      text += "  " + b.at("name").as_string() + "[" + std::to_string(b.at("width").as_int()) + "]";
    }
    if (!f.at("out").is_null()) text += "  -> " + f.at("out").as_string();
    text += '\n';
  }
  return text;
}

int run_features(const Arguments& a) {
  const Options o = read_options(a);
  install_stop_signals();
  plugin::Registry registry(a.globals.plugin_path);
  const config::ResolvedComponent component =
      config::resolve_component("feature_extractor", o.extractor, o.parameters, registry);
  const Plan plan = plan_of(o, a);
  const std::vector<Input>& inputs = plan.inputs;
  const std::vector<fs::path> outputs = find_outputs(o, inputs);

  run::ProgressLine line(run::ProgressLine::mode_of(stderr, a.globals.quiet, a.globals.json));
  std::size_t at = 0;
  run::RunContext::Options settings;
  settings.threads = o.threads;
  settings.progress = [&](std::string_view, double done, double total) {
    run::ProgressState state;
    state.what = "features";
    state.done = static_cast<double>(at) + (total > 0 ? done / total : 0.0);
    state.total = static_cast<double>(inputs.size());
    state.details = inputs[at].audio.filename().string();
    state.unit.clear();
    line.update(state);
  };
  run::RunContext context(std::move(settings));
  const auto extractor =
      registry.create<FeatureExtractor>(component.plugin, component.params, context);
  const Job job{o, *extractor, data::spec_of(*component.info, *extractor, component.params),
                context};
  Ledger ledger(o.out.empty() ? data::FeatureStore::default_folder(inputs.front().root) : o.out,
                "features", call_of(job.spec), audio_of(inputs));
  Array files;
  Table resolved = component.params;  // until an extractor tells what it made of them
  Batch batch;
  for (const Diagnostic& d : plan.problems) batch.add(d);
  for (; at < inputs.size(); ++at) {
    if (const Array* done = ledger.find(inputs[at].audio)) {
      files.insert(files.end(), done->begin(), done->end());
      continue;
    }
    const bool more = batch.attempt([&] {
      const FeatureTable table = compute(job, inputs[at], outputs[at]);
      const Array row{row_of(inputs[at], outputs[at], table)};
      files.insert(files.end(), row.begin(), row.end());
      resolved = table.spec().params;
      ledger.add(inputs[at].audio,
                 outputs[at].empty() ? std::vector<fs::path>{} : std::vector<fs::path>{outputs[at]},
                 row);
    });
    if (!more) break;
  }
  if (at == inputs.size()) ledger.finish();
  line.finish();
  Table result;
  result["extractor"] = Value(component.plugin);
  result["version"] = Value(extractor->algorithm_version());
  result["params"] = Value(std::move(resolved));
  result["files"] = Value(std::move(files));
  const Value value(std::move(result));
  print_result(a, value, [&] { return human(value); });
  batch.finish("the same command goes on where this one ended" +
               std::string(o.cached ? "" : ": finished recordings are not computed again"));
  return 0;
}

const RegisterCommand kRegistered({
    .name = "features",
    .synopsis = "AUDIO...|ROOT [-x EXTRACTOR] [key=value ...] [-o DIR] [--of mix] [--only ID...] "
                "[--cached]",
    .summary = "Compute features of recordings",
    .examples = {"retake features take1.wav take2.flac -o features",
                 "retake features ~/pairs -x log_mel hop_length=512 --cached",
                 "retake features take1.wav -x log_mel preset=bigvgan_log -o features"},
    .options =
        [](po::options_description& d) {
          d.add_options()("extractor,x", po::value<std::string>()->value_name("NAME"),
                          "feature extractor (default log_mel)")(
              "out,o", po::value<std::string>()->value_name("DIR"),
              "write DIR/{stem}.npz: one float32 array (width, rows) per block, and `times` in "
              "seconds; without -o the features go into the store")(
              "of", po::value<std::string>()->value_name("WHAT")->default_value("mix"),
              "mix: the recording itself")("cached",
                                           "take what the store has, and store what is computed");
          only_option(d, "only these pairs of a set, or recordings of this name");
          threads_option(d);
        },
    .run = run_features,
    .details =
        "ROOT is a pair set: raw and edit of every pair. Words with = are parameters of the "
        "extractor (retake plugins params feature_extractor/NAME lists them). A command that was "
        "stopped goes on where it ended when it is given again.",
});

}  // namespace
}  // namespace retake::cli
