// retake evaluate: the common table of metrics on held-out songs, baselines included.

#include <algorithm>
#include <set>

#include "command.hpp"
#include "core/suggest.hpp"
#include "data/experiment_data.hpp"
#include "edit_files.hpp"
#include "infer_options.hpp"
#include "report/evaluation.hpp"
#include "retake/kinds/dataset.hpp"
#include "run/io.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

void options(po::options_description& o) {
  infer_options(o);
  auto add = o.add_options();
  add("pairs", po::value<std::string>()->value_name("ROOT"),
      "a pair set; the data of the first run when not given");
  add("split", po::value<std::string>()->default_value("test")->value_name("S"),
      "train, val, test or all");
  add("save", po::value<std::string>()->value_name("DIR"),
      "also write every edit of the runs there: audio, EDL, picture");
}

/// --split. What it may be is known before anything is opened.
std::string split_of(const Arguments& a) {
  static const std::vector<std::string> known{"train", "val", "test", "all"};
  std::string split = a.options["split"].as<std::string>();
  if (std::find(known.begin(), known.end(), split) != known.end()) return split;
  const auto nearest = did_you_mean(split, known);
  throw usage_error("there is no split `" + split + "`",
                    nearest ? "did you mean `" + *nearest + "`?" : "it is train, val, test or all");
}

/// A row is called what its run was called on the command line: nothing may be named twice.
void refuse_repeats(const std::vector<std::string>& runs) {
  std::set<std::string> taken;
  for (const std::string& run : runs) {
    if (taken.insert(run).second) continue;
    throw usage_error("`" + run + "` is named twice", "name each run or checkpoint once");
  }
}

/// The pairs to judge on: ROOT, else those of the run's own experiment.
PairSet pairs_of(const Arguments& a, OpenModel& m, plugin::Arena& arena) {
  if (a.options.contains("pairs")) return read_pair_set(a.options["pairs"].as<std::string>());
  const config::ResolvedComponent* dataset = m.model->experiment().find(Dataset::kind);
  if (dataset == nullptr) {
    throw usage_error("the run names no dataset", "give a pair set with --pairs ROOT");
  }
  return m.registry->create<Dataset>(arena, *dataset, *m.context).pairs(*m.context);
}

/// Where the edits of run number `i` go: DIR, or a folder each when there are several.
fs::path save_folder(const Arguments& a, std::size_t i) {
  if (!a.options.contains("save")) return {};
  const fs::path folder = a.options["save"].as<std::string>();
  return a.positional.size() == 1 ? folder : folder / std::to_string(i + 1);
}

Edl edit_song(OpenModel& m, const Song& song, const fs::path& save) {
  EditRequest request;
  request.source = song.alignment.edl.sources.front();
  request.features = song.features;
  EditResult result = m.model->edit(request);
  const Edl judged = result.edl;
  if (!save.empty() && judged.output_samples() > 0) {
    run::make_folders(save);
    const auto source = open_audio(song.pair.raw.string());
    write_edit(result, *source, report::waveform(*source, kPlotColumns),
               edit_files(song.pair.raw, save), kJoinSeconds, *m.context);
  }
  return judged;
}

int run(const Arguments& a) {
  if (a.positional.empty()) {
    throw usage_error("evaluate takes one run or more",
                      "retake runs lists them; `last` is the newest");
  }
  const std::string split = split_of(a);
  refuse_repeats(a.positional);
  std::vector<OpenModel> models;
  for (const std::string& run : a.positional) models.push_back(open_model(a, run));
  OpenModel& first = models.front();
  plugin::Arena arena;
  const PairSet set = pairs_of(a, first, arena);
  const data::FeatureStore store(data::FeatureStore::default_folder(set.root));
  const PairSet judged{set.root, split == "all" ? set.pairs : set.in_split(split)};
  const PairSet training{set.root, set.in_split("train")};

  data::CorpusRequest plain;  // without features: what tells how the edits were made
  data::use_aligner(plain, first.model->experiment(), *first.registry, arena, *first.context);

  std::vector<report::Contestant> contestants;
  std::vector<Corpus> corpora;  // one per model: each sees its own features
  corpora.reserve(models.size());
  for (std::size_t i = 0; i < models.size(); ++i) {
    data::CorpusRequest request = plain;
    request.features = data::wanted_features(models[i].model->extractors());
    corpora.push_back(data::build_corpus(judged, request, store, *models[i].context));
    const Corpus* corpus = &corpora.back();
    OpenModel* model = &models[i];
    const fs::path save = save_folder(a, i);
    contestants.push_back({a.positional[i], [corpus, model, save](const Song& song) {
                             for (const Song& own : corpus->songs()) {
                               if (own.pair.id == song.pair.id) return edit_song(*model, own, save);
                             }
                             throw std::logic_error("a song is missing in a model's corpus");
                           }});
  }
  const Corpus tuning = data::build_corpus(training, plain, store, *first.context);
  report::stop_if_asked(*first.context);
  for (auto& baseline : report::baselines(tuning.split("train"), *first.context)) {
    contestants.push_back(std::move(baseline));
  }
  std::vector<const Song*> songs;
  for (const Song& song : corpora.front().songs()) songs.push_back(&song);
  const Value table = report::evaluate(contestants, songs, *first.context);
  // In the text only: by contract the JSON's rows are the models and the baselines.
  Table all = table.as_table();
  const Value oracles = report::evaluate(report::oracles(songs), songs, *first.context);
  for (const auto& [name, row] : oracles.as_table()) all[name] = row;
  first.line->finish();
  print_result(a, table, [&] { return report::evaluation_text(Value(all), songs.size()); });
  return 0;
}

const RegisterCommand registered(
    {.name = "evaluate",
     .synopsis = "RUN... [--pairs ROOT] [--split test] [--save DIR]",
     .summary = "The table of metrics on held-out songs, baselines included",
     .examples = {"retake evaluate last",
                  "retake evaluate k7q2m4xa m3x7p2re --pairs data/pairs --json"},
     .options = options,
     .run = run,
     .details = "Every model and every baseline edits the same songs and is judged by the same "
                "metrics\n(docs/definitions.md). The energy gate is tuned on the training split. "
                "Where the truth knows what\nkind of material everything is, oracles that know a "
                "part of it show what could be reached."});

}  // namespace
}  // namespace retake::cli
