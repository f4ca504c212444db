// retake synth: pairs with exact truth, from finished tracks or the built-in band.

#include <array>
#include <cstdio>
#include <map>

#include "command.hpp"
#include "config/experiment.hpp"
#include "core/stop.hpp"
#include "data/corpus_builder.hpp"
#include "many_files.hpp"
#include "plugin/registry.hpp"
#include "report/evaluation.hpp"
#include "retake/kinds/dataset.hpp"
#include "run/progress.hpp"
#include "run/run_context.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

struct Made {
  PairSet set;
  std::string measured;   ///< "test" or "all"
  std::size_t songs = 0;  ///< that were measured
  Value table;            ///< what baselines and oracles score on them; null when not measured
};

std::string toml_list(const std::vector<std::string>& items) {
  // JSON strings are TOML basic strings.
  Array list;
  for (const std::string& item : items) list.emplace_back(item);
  return to_json(Value(std::move(list)));
}

/// --music, --pairs and --seed are shorthands for the generator's own keys.
std::vector<config::OverrideText> parameters(const Arguments& a) {
  std::vector<config::OverrideText> out;
  const auto index = [&](const std::string& name) {
    for (const TypedOption& o : a.typed) {
      if (o.name == name) return o.argv_index;
    }
    return 0;
  };
  if (a.options.count("music") != 0) {
    std::vector<std::string> folders = a.options["music"].as<std::vector<std::string>>();
    for (std::string& folder : folders) folder = fs::absolute(folder).lexically_normal().string();
    out.push_back({"music=" + toml_list(folders), index("music")});
  }
  for (const char* name : {"pairs", "seed"}) {
    if (a.options.count(name) == 0) continue;
    out.push_back({std::string(name) + "=" + a.options[name].as<std::string>(), index(name)});
  }
  for (std::size_t i = 1; i < a.positional.size(); ++i) {
    if (a.positional[i].find('=') == std::string::npos) {
      throw usage_error("synth takes one folder and key=value pairs, not `" + a.positional[i] + "`",
                        "retake synth ROOT [--music DIR] [key=value ...]");
    }
    out.push_back({a.positional[i], a.argv_index[i]});
  }
  return out;
}

/// What can be scored on the set without learning, and by knowing a part of the truth.
void measure(Made& made, const Context& context) {
  const data::FeatureStore store(data::FeatureStore::default_folder(made.set.root));
  const Corpus corpus = data::build_corpus(made.set, {}, store, context);
  std::vector<const Song*> songs = corpus.split("test");
  made.measured = songs.empty() ? "all" : "test";
  if (songs.empty()) {
    for (const Song& song : corpus.songs()) songs.push_back(&song);
  }
  made.songs = songs.size();
  std::vector<report::Contestant> rows = report::baselines(corpus.split("train"), context);
  for (auto& oracle : report::oracles(songs)) rows.push_back(std::move(oracle));
  made.table = report::evaluate(rows, songs, context);
}

Made make(const Arguments& a) {
  const fs::path root = a.positional.front();
  plugin::Registry registry(a.globals.plugin_path);
  const std::string name = a.options["generator"].as<std::string>();
  const config::ResolvedComponent component =
      config::resolve_component("dataset", name, parameters(a), registry);
  run::ProgressLine line(run::ProgressLine::mode_of(stderr, a.globals.quiet, a.globals.json));
  run::RunContext::Options options;
  options.threads = threads_of(a);
  options.progress = [&](std::string_view what, double done, double total) {
    line.update({std::string(what), done, total, {}, {}});
  };
  run::RunContext context(std::move(options));
  plugin::Arena arena;
  Dataset& dataset = registry.create<Dataset>(arena, component, context);
  auto* generator = dynamic_cast<PairGenerator*>(&dataset);
  if (generator == nullptr) {
    throw usage_error("dataset `" + name + "` does not make pairs", "leave --generator away");
  }
  Made made;
  made.set = generator->generate(root, context);
  line.finish();
  if (a.options.count("no-oracles") == 0 && !stop_requested()) {
    measure(made, context);
    line.finish();
  }
  return made;
}

/// A stop shows itself in many ways: a pair that was broken off, a set that lacks pairs. All of
/// them mean the same to who asked for it.
Made make_unless_stopped(const Arguments& a) {
  Made made;
  try {
    made = make(a);
  } catch (const Error&) {
    if (!stop_requested()) throw;
  }
  if (stop_requested()) {
    throw stopped("stopped before all was done; the pairs that are whole are kept",
                  "the same command goes on where it was");
  }
  return made;
}

/// Share of each kind of material in all raws.
std::map<std::string, double> shares(const PairSet& set) {
  std::map<std::string, double> out;
  double total = 0.0;
  for (const Pair& pair : set.pairs) {
    if (pair.material.empty()) continue;
    const double scale = pair.raw_seconds / static_cast<double>(pair.material.back().end);
    total += pair.raw_seconds;
    for (const MaterialSpan& span : pair.material) {
      out[span.kind] += static_cast<double>(span.end - span.begin) * scale;
    }
  }
  for (auto& [kind, seconds] : out) seconds /= total;
  return out;
}

struct Total {
  std::int64_t pairs = 0;
  double raw_s = 0.0;
  double edit_s = 0.0;
};

Total total_of(const std::vector<Pair>& pairs) {
  Total t;
  for (const Pair& pair : pairs) {
    ++t.pairs;
    t.raw_s += pair.raw_seconds;
    t.edit_s += pair.edit_seconds;
  }
  return t;
}

Value total_value(const Total& t) {
  Table out;
  out["pairs"] = Value(t.pairs);
  out["raw_seconds"] = Value(t.raw_s);
  out["edit_seconds"] = Value(t.edit_s);
  return Value(std::move(out));
}

Value result(const Made& made) {
  Table root;
  root["root"] = Value(made.set.root.string());
  root["total"] = total_value(total_of(made.set.pairs));
  Table splits;
  for (const char* split : {"train", "val", "test"}) {
    splits[split] = total_value(total_of(made.set.in_split(split)));
  }
  root["splits"] = Value(std::move(splits));
  Table material;
  for (const auto& [kind, share] : shares(made.set)) material[kind] = Value(share);
  root["material"] = Value(std::move(material));
  Array pairs;
  for (const Pair& pair : made.set.pairs) pairs.emplace_back(pair.id);
  root["pairs"] = Value(std::move(pairs));
  root["oracles"] = made.table;
  root["oracles_on"] = Value(made.measured);
  return Value(std::move(root));
}

template <class... Args>
std::string line_of(const char* format, Args... args) {
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(), format, args...);
  return text.data();
}

std::string text_of(const Made& made) {
  const Total all = total_of(made.set.pairs);
  std::string out = made.set.root.string() + "\n";
  out += line_of("%lld pairs, raw %.1f min, edit %.1f min, keep ratio %.2f\n",
                 static_cast<long long>(all.pairs), all.raw_s / 60.0, all.edit_s / 60.0,
                 all.raw_s > 0.0 ? all.edit_s / all.raw_s : 0.0);
  for (const char* split : {"train", "val", "test"}) {
    const Total t = total_of(made.set.in_split(split));
    out += line_of("%-6s %4lld pairs, raw %.1f min\n", split, static_cast<long long>(t.pairs),
                   t.raw_s / 60.0);
  }
  out += "material of the raws:";
  for (const auto& [kind, share] : shares(made.set)) {
    out += line_of(" %s %.0f%%", kind.c_str(), 100.0 * share);
  }
  out += "\n";
  if (made.table.is_null()) return out;
  return out + "\nwhat can be scored on " +
         (made.measured == "test" ? "the test split: " : "all pairs: ") +
         report::evaluation_text(made.table, made.songs);
}

int run(const Arguments& a) {
  if (a.positional.empty()) {
    throw usage_error("synth needs a folder to write to",
                      "retake synth ROOT [--music DIR] [key=value ...]");
  }
  install_stop_signals();
  const Made made = make_unless_stopped(a);
  print_result(a, result(made), [&] { return text_of(made); });
  return 0;
}

const RegisterCommand registered({
    .name = "synth",
    .synopsis = "ROOT [--music DIR] [--pairs N] [--seed S] [key=value ...]",
    .summary = "Make pairs with exact truth, from finished tracks or the built-in band",
    .examples = {"retake synth data/band --pairs 30 sample_rate=22050 channels=1",
                 "retake synth data/real --music ~/music minutes=12 keep=0.3",
                 "retake synth data/hard --music ~/music codec=mp3 snr_db=20 eq_db=6"},
    .options =
        [](po::options_description& o) {
          o.add_options()("music", po::value<std::vector<std::string>>()->value_name("DIR"),
                          "folder of finished tracks, searched to the bottom; may be repeated");
          o.add_options()("pairs", po::value<std::string>()->value_name("N"), "how many pairs");
          o.add_options()("seed", po::value<std::string>()->value_name("S"), "seed of the set");
          o.add_options()(
              "generator",
              po::value<std::string>()->default_value("synthetic_edits")->value_name("NAME"),
              "dataset plugin that makes the pairs");
          threads_option(o, "pairs made at once; 0: one per core. Results do not depend on it");
          o.add_options()("no-oracles", "do not measure what oracles and floors score on the set");
        },
    .run = run,
    .details =
        "Keys are the generator's parameters:  retake plugins params dataset/synthetic_edits\n"
        "Pairs that are there already are kept; a stopped command goes on where it was.\n",
});

}  // namespace
}  // namespace retake::cli
