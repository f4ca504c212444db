// retake align: which raw samples an edit was made of.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <regex>

#include "chosen_pairs.hpp"
#include "command.hpp"
#include "config/experiment.hpp"
#include "core/diagnostics.hpp"
#include "core/hash.hpp"
#include "core/stop.hpp"
#include "data/alignment_files.hpp"
#include "many_files.hpp"
#include "plugin/registry.hpp"
#include "report/plot.hpp"
#include "retake/data/pair_set.hpp"
#include "retake/kinds/aligner.hpp"
#include "run/progress.hpp"
#include "run/run_context.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

struct Job {
  std::string id;
  fs::path raw;
  fs::path edit;
  fs::path folder;
};

struct Outcome {
  Job job;
  bool kept = false;  ///< was there already, made the same way
  double seconds = 0.0;
  Value info;
};

/// Words of the command line: files first, then `key=value`.
struct Words {
  std::vector<std::string> files;
  std::vector<config::OverrideText> params;
};

Words words_of(const Arguments& a) {
  static const std::regex assignment("[A-Za-z_][A-Za-z0-9_.\\[\\]]*\\+?=.*",
                                     std::regex::ECMAScript | std::regex::optimize);
  Words w;
  for (std::size_t i = 0; i < a.positional.size(); ++i) {
    const std::string& word = a.positional[i];
    std::error_code none;
    if (std::regex_match(word, assignment) && !fs::exists(word, none)) {
      w.params.push_back({word, a.argv_index[i]});
    } else {
      w.files.push_back(word);
    }
  }
  return w;
}

/// What there is to do, and what is wrong with pairs that were to be aligned too.
struct Plan {
  std::vector<Job> jobs;
  std::vector<Diagnostic> problems;
};

Plan plan_of_set(const fs::path& root, const Arguments& a) {
  const PairScan scan = scan_pairs(root);
  const auto only = only_of(a, ids_of(scan), "see the pairs with  retake pairs " + root.string());
  const fs::path folder = a.options.contains("output")
                              ? fs::path(a.options["output"].as<std::string>())
                              : root / "pointer_sequences";
  ChosenPairs chosen = choose_pairs(scan, only);
  Plan plan;
  plan.problems = std::move(chosen.problems);
  for (const Pair& pair : chosen.pairs) {
    plan.jobs.push_back({pair.id, pair.raw, pair.edit, folder});
  }
  return plan;
}

Plan plan_of(const Words& words, const Arguments& a) {
  // What is not there at all is said to be missing.
  std::error_code error;
  if (words.files.size() == 1 && !fs::is_regular_file(words.files[0], error)) {
    return plan_of_set(words.files[0], a);
  }
  if (a.options.contains("only")) {
    throw usage_error("--only chooses pairs of one pair set",
                      "retake align ROOT --only song1 song2; words behind --only are ids, so name "
                      "the files before it, and leave it out for a single pair");
  }
  if (words.files.size() != 2) {
    throw usage_error("align takes a raw recording and its edit, or the folder of a pair set",
                      "retake align RAW EDIT  or  retake align ROOT");
  }
  const fs::path folder =
      a.options.contains("output") ? fs::path(a.options["output"].as<std::string>()) : ".";
  return {{{alignment_id(words.files[0]), words.files[0], words.files[1], folder}}, {}};
}

class Work {
 public:
  Work(const Arguments& a, const Words& words)
      : force_(a.options.contains("force")),
        line_(run::ProgressLine::mode_of(stderr, a.globals.quiet, a.globals.json)),
        context_({0,
                  threads_of(a),
                  "cpu",
                  {},
                  [this](std::string_view what, double done, double total) {
                    line_.update({title_ + " " + std::string(what), done, total, {}, {}});
                  }}),
        registry_(a.globals.plugin_path),
        component_(config::resolve_component("aligner", a.options["aligner"].as<std::string>(),
                                             words.params, registry_)) {}

  /// What the progress line starts with.
  void set_title(std::string title) { title_ = std::move(title); }
  void finish_line() { line_.finish(); }

  /// Stopped by a signal (E007) it writes no file.
  Outcome run(const Job& job) {
    const auto began = std::chrono::steady_clock::now();
    const auto raw = open_audio(job.raw.string());
    const auto edit = open_audio(job.edit.string());
    if (!aligner_)
      aligner_ = registry_.create<Aligner>(component_.plugin, component_.params, context_);
    const AlignmentPaths paths(job.folder, job.id);
    const AlignmentOrigin origin{component_.plugin, aligner_->algorithm_version(),
                                 component_.params, sha256_file(job.raw), sha256_file(job.edit)};
    Outcome out;
    out.job = job;
    if (!force_ && is_current(paths, origin)) {
      out.kept = true;
    } else {
      const Alignment alignment = aligner_->align(*raw, *edit, context_);
      if (context_.stop_requested()) throw stopped("stopped while aligning " + job.id);
      write(alignment, *raw, *edit, paths, origin, job);
    }
    out.info = read_info(paths);
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return out;
  }

 private:
  static void write(const Alignment& alignment, const AudioSource& raw, const AudioSource& edit,
                    const AlignmentPaths& paths, const AlignmentOrigin& origin, const Job& job) {
    const auto pointers = alignment_pointers(alignment, raw.info());
    write_alignment(alignment, pointers, paths);
    report::plot_alignment(paths.plot, job.id, pointers, alignment.confidence, alignment.grid,
                           frame_grid(raw.info().samples, raw.info().sample_rate));
    write_info(alignment_info(alignment, pointers, raw.info(), edit.info(), origin), paths);
  }

  bool force_;
  std::string title_;
  run::ProgressLine line_;
  run::RunContext context_;
  plugin::Registry registry_;
  config::ResolvedComponent component_;
  std::unique_ptr<Aligner> aligner_;
};

std::string line_of(const Outcome& o) {
  const auto number = [&o](const char* key) { return find_path(o.info, key)->as_double(); };
  char text[160];
  std::snprintf(text, sizeof text, "  aligned %5.1f %%  cuts %3ld  loops %3ld  confidence %.2f  %s",
                100.0 * number("alignment_ratio"), static_cast<long>(number("n_cuts")),
                static_cast<long>(number("n_loops")), number("confidence"),
                o.kept ? "there already" : "");
  std::string line = o.job.id + text;
  if (!o.kept) {
    std::snprintf(text, sizeof text, "%.1f s", o.seconds);
    line += text;
  }
  if (!find_path(o.info, "related")->as_bool()) {
    line += "\n  warning: this edit does not seem to come from this raw recording";
  }
  return line + "\n";
}

Value json_of(const std::vector<Outcome>& outcomes) {
  Array pairs;
  for (const auto& o : outcomes) {
    Table t;
    t["id"] = o.job.id;
    const AlignmentPaths paths(o.job.folder, o.job.id);
    t["edl"] = paths.edl.string();
    t["pointers"] = paths.pointers.string();
    t["ops"] = paths.ops.string();
    t["info"] = paths.info.string();
    t["plot"] = paths.plot.string();
    t["kept"] = o.kept;
    t["seconds"] = o.seconds;
    for (const char* key :
         {"raw_frames", "edit_frames", "aligned_frames", "alignment_ratio", "mean_correlation",
          "min_correlation", "n_cuts", "n_loops", "confidence", "related"}) {
      t[key] = *find_path(o.info, key);
    }
    pairs.push_back(Value(std::move(t)));
  }
  Table root;
  root["pairs"] = Value(std::move(pairs));
  return Value(std::move(root));
}

int run_align(const Arguments& a) {
  install_stop_signals();
  const Words words = words_of(a);
  const Plan plan = plan_of(words, a);
  const std::vector<Job>& jobs = plan.jobs;
  Work work(a, words);
  std::vector<Outcome> outcomes;
  Batch batch;
  for (const Diagnostic& d : plan.problems) batch.add(d);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    work.set_title(jobs.size() == 1 ? jobs[i].id
                                    : std::to_string(i + 1) + "/" + std::to_string(jobs.size()) +
                                          " " + jobs[i].id);
    const std::size_t before = outcomes.size();
    const bool more = batch.attempt([&] { outcomes.push_back(work.run(jobs[i])); });
    work.finish_line();
    if (!a.globals.json && outcomes.size() > before) print_text(line_of(outcomes.back()));
    if (!more) break;
  }
  if (a.globals.json) print_result(a, json_of(outcomes), [] { return std::string(); });
  batch.finish(a.options.contains("force")
                   ? "with --force the same command begins again with the first pair"
                   : "the same command goes on: pairs that are aligned are not aligned again");
  return 0;
}

const RegisterCommand command({
    "align",
    "RAW EDIT [-o DIR] [-a ALIGNER] [key=value ...]   or   ROOT [--only ID...] [--force]",
    "Find which raw samples an edit was made of",
    {"retake align session_raw.wav session_edit.wav -o aligned",
     "retake align pairs/ --only song1 song2", "retake align pairs/ jump_cost=30 --force"},
    [](po::options_description& o) {
      o.add_options()("output,o", po::value<std::string>()->value_name("DIR"),
                      "where the five files go (default: here, or ROOT/pointer_sequences)");
      o.add_options()(
          "aligner,a",
          po::value<std::string>()->value_name("NAME")->default_value("cross_correlation"),
          "aligner plugin");
      only_option(o, "these pairs of the set alone");
      o.add_options()("force", "align again although the files are there and current");
      threads_option(o, "threads, 0 for all cores; the result does not depend on it");
    },
    run_align,
});

}  // namespace
}  // namespace retake::cli
