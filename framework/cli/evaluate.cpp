// retake evaluate: the common table of metrics on held-out songs, baselines included.

#include "command.hpp"
#include "data/experiment_data.hpp"
#include "infer_options.hpp"
#include "report/evaluation.hpp"
#include "retake/kinds/dataset.hpp"

namespace retake::cli {
namespace {

void options(po::options_description& o) {
  infer_options(o);
  auto add = o.add_options();
  add("pairs", po::value<std::string>()->value_name("ROOT"),
      "a pair set; the data of the first run when not given");
  add("split", po::value<std::string>()->default_value("test")->value_name("S"),
      "train, val, test or all");
}

/// The pairs to judge on: ROOT, else those of the run's own experiment.
PairSet pairs_of(const Arguments& a, OpenModel& m, plugin::Arena& arena) {
  if (a.options.contains("pairs")) return read_pair_set(a.options["pairs"].as<std::string>());
  const config::ResolvedComponent* dataset = m.model->experiment().find(Dataset::kind);
  if (dataset == nullptr) {
    throw usage_error("the run names no dataset", "give a pair set with --pairs ROOT");
  }
  return m.registry->create<Dataset>(arena, dataset->plugin, dataset->params, *m.context)
      .pairs(*m.context);
}

Edl edit_song(OpenModel& m, const Song& song) {
  EditRequest request;
  request.source = song.alignment.edl.sources.front();
  request.features = song.features;
  return m.model->edit(request).edl;
}

int run(const Arguments& a) {
  if (a.positional.empty()) {
    throw usage_error("evaluate takes one run or more",
                      "retake runs lists them; `last` is the newest");
  }
  const std::string split = a.options["split"].as<std::string>();
  std::vector<OpenModel> models;
  for (const std::string& run : a.positional) models.push_back(open_model(a, run));
  OpenModel& first = models.front();
  plugin::Arena arena;
  const PairSet set = pairs_of(a, first, arena);
  const data::FeatureStore store(data::FeatureStore::default_folder(set.root));
  const PairSet judged{set.root, split == "all" ? set.pairs : set.in_split(split)};
  const PairSet training{set.root, set.in_split("train")};

  std::vector<report::Contestant> contestants;
  std::vector<Corpus> corpora;  // one per model: each sees its own features
  corpora.reserve(models.size());
  for (std::size_t i = 0; i < models.size(); ++i) {
    data::CorpusRequest request;
    request.features = data::wanted_features(models[i].model->extractors());
    corpora.push_back(data::build_corpus(judged, request, store, *models[i].context));
    const Corpus* corpus = &corpora.back();
    OpenModel* model = &models[i];
    contestants.push_back({a.positional[i], [corpus, model](const Song& song) {
                             for (const Song& own : corpus->songs()) {
                               if (own.pair.id == song.pair.id) return edit_song(*model, own);
                             }
                             throw std::logic_error("a song is missing in a model's corpus");
                           }});
  }
  const Corpus tuning = data::build_corpus(training, {}, store, *first.context);
  for (auto& baseline : report::baselines(tuning.split("train"), *first.context)) {
    contestants.push_back(std::move(baseline));
  }
  std::vector<const Song*> songs;
  for (const Song& song : corpora.front().songs()) songs.push_back(&song);
  for (auto& oracle : report::oracles(songs)) contestants.push_back(std::move(oracle));
  const Value table = report::evaluate(contestants, songs, *first.context);
  first.line->finish();
  print_result(a, table, [&] { return report::evaluation_text(table, songs.size()); });
  return 0;
}

const RegisterCommand registered(
    {.name = "evaluate",
     .synopsis = "RUN... [--pairs ROOT] [--split test]",
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
