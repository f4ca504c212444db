#include "train_session.hpp"

#include <cstdio>

#include "core/files.hpp"
#include "core/log_sink.hpp"
#include "core/stop.hpp"
#include "data/experiment_data.hpp"
#include "disk.hpp"
#include "nn_door.hpp"
#include "plugin/blame.hpp"
#include "plugin/unread.hpp"
#include "retake/audio/hash.hpp"
#include "retake/audio/source.hpp"
#include "run/manifest.hpp"
#include "run/profile.hpp"
#include "run/progress.hpp"
#include "run/renewal.hpp"
#include "run/run_context.hpp"
#include "run/run_find.hpp"
#include "run/watchdog.hpp"
#include "run_examples.hpp"
#include "run_logs.hpp"
#include "run_start.hpp"

namespace retake::cli {
namespace {

ExitCode exit_code(const nn::TrainingOutcome& outcome) {
  switch (outcome.end) {
    case nn::TrainingEnd::finished:
    case nn::TrainingEnd::early_stopped:
      return ExitCode::ok;
    case nn::TrainingEnd::time_limit:
      return ExitCode::time_limit;
    case nn::TrainingEnd::stopped_by_signal:
      return stop_exit_code();
  }
  return ExitCode::unexpected;
}

void say_start(const SessionStart& s, const run::RunFolder& folder, const run::RunContext& context,
               const data::ExperimentData& data, const std::string& config_hash) {
  log_info("run  " + folder.id() + "  " + s.experiment.experiment.name + "  seed " +
           std::to_string(s.experiment.experiment.seed) + "  " + context.device() + " x" +
           std::to_string(context.threads()) + "  config " + config_hash.substr(0, 8) +
           "  plugins " + std::to_string(plugin_uses(s).size()) + (s.archive ? " (archived)" : ""));
  log_info(data.summary());
}

Table result_value(const run::RunFolder& folder, const nn::TrainingOutcome& outcome,
                   ExitCode code) {
  Table t;
  t["run"] = folder.id();
  t["dir"] = folder.path().string();
  t["status"] = run::status_of(code);
  t["step"] = outcome.step;
  if (outcome.best) {
    Table best;
    best["metric"] = outcome.best->metric;
    best["value"] = outcome.best->value;
    best["step"] = outcome.best->step;
    t["best"] = std::move(best);
  }
  Table last;
  for (const auto& [name, value] : outcome.last_validation) last[name] = value;
  t["last_validation"] = std::move(last);
  return t;
}

std::string result_text(const run::RunFolder& folder, const nn::TrainingOutcome& outcome,
                        ExitCode code) {
  const std::string resume = "Go on with:  " + run::resume_command(folder) + "\n";
  const std::string at = "step " + std::to_string(outcome.step);
  switch (code) {
    case ExitCode::interrupted:
    case ExitCode::preempted:
      return "checkpoint saved at " + at + ".  " + resume;
    case ExitCode::time_limit:
      return "time limit reached, checkpoint saved at " + at + ".  " + resume;
    default:
      break;
  }
  std::string text = "done at " + at;
  if (outcome.best) {
    text += ", best " + outcome.best->metric + " " + run::format_number(outcome.best->value) +
            " at step " + std::to_string(outcome.best->step);
  }
  const std::filesystem::path runs = folder.path().parent_path();
  return text + "  in " + folder.path().string() + "\nlook at it with:  tensorboard --logdir " +
         (runs.empty() ? "." : runs.string()) + " --samples_per_plugin images=100,audio=100\n";
}

/// Hash of all files of the data that the run began with; nothing when it ended before it had any.
std::optional<std::string> recorded_data(const run::Manifest& manifest) {
  const Value whole(manifest.value());
  const Value* hash = find_path(whole, "data.tree_hash");
  if (hash == nullptr || !hash->is_string()) return std::nullopt;
  return hash->as_string();
}

/// The checkpoint that train.init_from named when the run began: `last` is another run by now.
std::optional<std::filesystem::path> begun_from(const Table& manifest) {
  const Value* checkpoint = find_path(manifest.at("parent"), "checkpoint");
  if (checkpoint == nullptr || !checkpoint->is_string()) return std::nullopt;
  return std::filesystem::path(checkpoint->as_string());
}

void warn(const char* id, const std::string& message) {
  log_warning(message + " (" + id + ")");
}

/// A run goes on with the data it began with, or its records would be false.
void require_same_data(const run::Manifest& manifest, const std::string& recorded,
                       const data::ExperimentData& data) {
  const Value now = data.account().at("tree_hash");
  if (now == Value(recorded)) return;
  Diagnostic d =
      file_diagnostic("E612", data.pairs.root.string(),
                      "the data is not what run " + manifest.run().id() + " began with",
                      "put the recordings, edits and splits back as they were, or start a new run");
  d.facts.push_back("sha256 of all files then: " + recorded);
  d.facts.push_back("sha256 of all files now:  " + now.as_string());
  throw DataError(std::move(d));
}

/// ... and with its configuration, unless what reads it has changed too.
void require_same_config(const run::RunFolder& run, const run::Manifest& manifest,
                         const std::string& hash) {
  if (manifest.value().at("config_hash") == Value(hash)) return;
  Diagnostic d = file_diagnostic(
      "E614", run.resolved_config().string(),
      "the configuration is not what run " + run.id() + " began with",
      "put the file back as it was; to go on with other settings, begin a new run with the weights "
      "of this one:  retake run EXP train.init_from=" +
          run.path().string());
  d.facts.push_back("config hash then: " + to_json(manifest.value().at("config_hash")));
  d.facts.push_back("config hash now:  \"" + hash + "\"");
  throw DataError(std::move(d));
}

constexpr const char* kDataIndex = "data.index.jsonl";
/// Steps and a validation after which a parameter that was not read never will be (W26).
constexpr std::int64_t kStepsToRead = 1000;

/// One training with everything that it writes.
class Session {
 public:
  Session(const SessionStart& start, nn::Room& room, const run::RunFolder& folder,
          run::RunContext& context, run::ProgressLine& line, run::Manifest& manifest)
      : s_(start),
        room_(room),
        folder_(folder),
        context_(context),
        line_(line),
        manifest_(manifest),
        watchdog_({context, manifest, run::stall_patience(), start.arguments->globals.json}) {
    manifest_.set_goals(metric_goals(s_));
    if (!s_.resumed) guard_.emplace(manifest_);
    if (s_.profile) profile_.emplace(folder_.path());
  }

  const std::optional<run::Profile>& profile() const { return profile_; }
  /// What components show while the run writes its logs.
  void show(const Exhibit& exhibit) {
    if (logs_) logs_->show(exhibit);
  }

  /// Trains from the start, or from where the run was, to the end, and seals the manifest.
  nn::TrainingOutcome run(run::AttemptEnd& end) {
    try {
      if (s_.archive) archive(folder_, s_);
      const nn::TrainingOutcome outcome = train();
      end.code = exit_code(outcome);
      end.to_step = outcome.step;
      end.signal = outcome.end == nn::TrainingEnd::stopped_by_signal ? stop_signal() : 0;
      logs_->finish(end.code);
      if (outcome.step > begun_at_) say_unread(outcome.step);
      seal(end);
      return outcome;
    } catch (const Error& e) {
      const Error error = plugin::settled(e);
      seal_failed(end, error.code(), error.what());
      throw;
    } catch (const std::exception& e) {
      seal_failed(end, ExitCode::unexpected, plugin::said_by(e));
      throw;
    } catch (...) {
      seal_failed(end, ExitCode::unexpected, "something that is no exception");
      throw;
    }
  }

 private:
  nn::TrainingOutcome train() {
    const data::ExperimentData data =
        data::prepare_data(s_.experiment, *s_.registry, arena_, context_);
    line_.finish();
    const std::string hash = config::config_hash(s_.experiment, data.identity());
    if (const auto recorded = recorded_data(manifest_)) {
      require_same_data(manifest_, *recorded, data);
      find_changes();
      if (renewed_.empty() && s_.experiment.overrides.empty()) {
        require_same_config(folder_, manifest_, hash);
      }
    } else {
      record(data, hash);
    }
    say_start(s_, folder_, context_, data, hash);

    run::CheckpointStore checkpoints(folder_.checkpoints());
    std::optional<run::Checkpoint> from;
    if (s_.resumed) {
      from = s_.checkpoint ? run::Checkpoint::open(*s_.checkpoint) : checkpoints.open_latest();
    }
    nn::TrainJob job;
    job.experiment = &s_.experiment;
    job.registry = s_.registry;
    job.arena = &arena_;
    job.context = &context_;
    job.extractors = data.extractors;
    job.corpus = &data.corpus;
    job.config = s_.resumed && s_.experiment.overrides.empty()
                     ? read_file(folder_.resolved_config())
                     : config::resolved_toml(s_.experiment);
    job.config_hash = hash;
    job.settings = engine_settings(s_.experiment);
    job.sinks = sinks();
    job.checkpoints = &checkpoints;
    if (from) job.resume_from = from->path();
    if (!from) job.init_from = begun_from(manifest_.value());
    job.ready = [&](std::int64_t checkpoint_bytes) {
      begin(from, checkpoints, job);
      say_disk(checkpoint_bytes);
    };
    nn::TrainingOutcome outcome = room_.train(job);
    if (exit_code(outcome) == ExitCode::ok && s_.experiment.find("editor") != nullptr) {
      write_examples(folder_, room_, *s_.registry, context_, data, *logs_);
    }
    return outcome;
  }

  /// A rebuilt plugin or another machine is no reason to stop, but must be told and recorded.
  void find_changes() {
    Table now = present_facts(s_, room_);
    const auto changes = run::changed_facts(manifest_.value(), now);
    if (changes.empty()) return;
    std::string all;
    for (const std::string& change : changes) all += (all.empty() ? "" : "; ") + change;
    warn("W34",
         "since the attempt before, " + all + ": what follows need not equal an uninterrupted run");
    Table determinism = manifest_.value().at("determinism").as_table();
    determinism["level"] = "none";
    renewed_ = std::move(now);
    renewed_["determinism"] = std::move(determinism);
  }

  void record(const data::ExperimentData& data, const std::string& hash) {
    write_data_index(data.index);
    Table account = data.account();
    account["index"] = kDataIndex;
    manifest_.set("data", std::move(account));
    manifest_.set("x-inputs", run::describe_inputs(folder_));
    manifest_.set("config_hash", hash);
  }

  /// So that `retake verify` can tell which file is another.
  void write_data_index(const std::vector<data::DataFile>& index) const {
    std::string lines;
    for (const data::DataFile& file : index) {
      Table t;
      t["path"] = file.path;
      t["bytes"] = file.bytes;
      t["sha256"] = file.sha256;
      lines += to_json(Value(t)) + "\n";
    }
    write_file_atomic(folder_.path() / kDataIndex, lines);
  }

  /// A disk that fills up in the middle of the night is better known of now.
  void say_disk(std::int64_t checkpoint_bytes) const {
    const double needed = checkpoints_bytes(s_.experiment.train, checkpoint_bytes);
    const double free = free_bytes(folder_.path());
    log_info("disk " + format_bytes(needed) + " of checkpoints expected, " + format_bytes(free) +
             " free");
    if (const auto warning = disk_warning(needed, free)) {
      log_warning(warning->message + " (" + warning->id + "): " + warning->help);
    }
  }

  /// Opens the logs. A resumed run gives up what it wrote beyond its checkpoint only here, where
  /// all that could keep it from going on has gone well.
  void begin(const std::optional<run::Checkpoint>& from, run::CheckpointStore& checkpoints,
             const nn::TrainJob& job) {
    if (s_.resumed) {
      const auto altered = run::altered_logs(folder_, manifest_.value());
      say_given_up(from, checkpoints, altered);
      if (from) {
        checkpoints.resume_from(from->step());
      } else {
        checkpoints.clear();
      }
      if (!s_.experiment.overrides.empty()) {
        write_file_atomic(folder_.resolved_config(), job.config);
      }
      manifest_.set("config_hash", job.config_hash);
      manifest_.begin_attempt(from ? from->step() : 0, renewed_);
      Array names(altered.begin(), altered.end());
      if (!names.empty()) manifest_.note_attempt("altered", std::move(names));
      begun_at_ = from ? from->step() : 0;
    }
    guard_.emplace(manifest_);  // with the data, which the first one did not know
    watchdog_.end_after(s_.experiment.train.max_time_seconds());
    logs_.emplace(folder_, from ? std::optional(from->step()) : std::nullopt, line_,
                  s_.experiment.train.max_steps, watch_of(s_.experiment));
    if (!from) logs_->write_config(job.config, s_.experiment);
  }

  /// What going on loses, and what was lost before.
  void say_given_up(const std::optional<run::Checkpoint>& from,
                    const run::CheckpointStore& checkpoints,
                    const std::vector<std::string>& altered) const {
    const std::vector<std::int64_t> steps = checkpoints.steps();
    if (from && !steps.empty() && steps.back() > from->step()) {
      log_warning("what lies beyond step " + std::to_string(from->step()) +
                  " is given up: checkpoints up to step " + std::to_string(steps.back()) +
                  ", and the records of these steps");
    }
    if (!from) log_warning("the run has no checkpoint: it begins again at step 0");
    for (const std::string& name : altered) {
      warn("W35", name + " is not as the run left it: its records may be incomplete");
    }
  }

  nn::EngineSinks sinks() {
    nn::EngineSinks sinks;
    sinks.metrics = [this](std::int64_t step, const Metrics& m) {
      logs_->metrics(step, m);
      if (m.contains(s_.experiment.train.metric) && step >= kStepsToRead) say_unread(step);
    };
    if (profile_) {
      sinks.span = [this](const nn::ProfileSpan& span) {
        profile_->add(span.name, span.begin_us, span.end_us);
      };
    }
    sinks.trace = [this](std::int64_t step, const Table& t) { logs_->trace(step, t); };
    sinks.sync = [this] { logs_->sync(); };
    sinks.progress = [this](std::int64_t step, const Metrics& m,
                            const std::optional<run::BestMark>& best) {
      logs_->progress(step, m, best);
    };
    return sinks;
  }

  /// Once, when a component had every chance to read what it was given.
  void say_unread(std::int64_t step) {
    if (said_unread_) return;
    said_unread_ = true;
    for (const Diagnostic& d : plugin::unread_values(s_.experiment, arena_, step)) {
      log_warning(d.message + " (" + d.id + ")");
    }
  }

  /// What ended the run is what the user must hear of, even where its records cannot be closed (the
  /// disk is full, the folder gone).
  void seal_failed(run::AttemptEnd& end, ExitCode code, std::string message) {
    line_.finish();
    const std::string library = plugin::thrown_in();
    if (code == ExitCode::unexpected && !library.empty()) message += ", thrown in " + library;
    end.code = code;
    end.message = std::move(message);
    end.to_step = logs_ ? logs_->step() : 0;
    log_debug("the run ends: " + end.message);
    const auto try_to = [](const auto& do_it) {
      try {
        do_it();
      } catch (const std::exception& e) {
        log_warning(std::string("the end of the run could not be recorded: ") + e.what());
      }
    };
    // The manifest tells more than the logs, and is tried even where they cannot be ended.
    if (logs_) try_to([&] { logs_->finish(code); });
    try_to([&] { seal(end); });
    if (logs_ && code != ExitCode::diverged &&
        !run::CheckpointStore(folder_.checkpoints()).steps().empty()) {
      log_info("Go on with:  " + run::resume_command(folder_));
    }
  }

  /// What a resumed run was stays as it is until it has begun again.
  void seal(const run::AttemptEnd& end) {
    if (s_.resumed && !logs_) return;
    manifest_.record_seeds(context_.seeds().recorded());
    manifest_.seal(end, [](const std::filesystem::path& audio) {
      return sha256_pcm(*open_audio(audio.string()));
    });
  }

  const SessionStart& s_;
  nn::Room& room_;
  const run::RunFolder& folder_;
  run::RunContext& context_;
  run::ProgressLine& line_;
  run::Manifest& manifest_;
  std::optional<run::Manifest::AbortGuard> guard_;
  std::optional<run::Profile> profile_;
  plugin::Arena arena_;
  std::optional<RunLogs> logs_;
  bool said_unread_ = false;
  Table renewed_;  ///< of a resumed run: keys of the manifest that are another now
  std::int64_t begun_at_ = 0;
  run::Watchdog watchdog_;
};

}  // namespace

std::vector<MetricInfo> declared_metrics(const config::ResolvedExperiment& experiment) {
  std::vector<MetricInfo> declared;
  for (const config::ResolvedComponent& c : experiment.components) {
    const auto& own = c.info->traits.metrics;
    if (c.enabled) declared.insert(declared.end(), own.begin(), own.end());
  }
  const auto& engine = config::engine_metrics();
  declared.insert(declared.end(), engine.begin(), engine.end());
  return declared;
}

run::Watch watch_of(const config::ResolvedExperiment& experiment) {
  return {declared_metrics(experiment), experiment.watch};
}

nn::EngineSettings engine_settings(const config::ResolvedExperiment& e) {
  nn::EngineSettings s;
  s.accumulate = e.train.accumulate;
  s.clip_norm = e.train.clip_norm;
  s.precision = e.train.precision;
  s.max_steps = e.train.max_steps;
  s.max_epochs = e.train.max_epochs;
  s.max_seconds = e.train.max_time_seconds();
  s.unit = e.train.unit;
  s.val_every = e.train.val_every;
  s.metric = e.train.metric;
  s.goal = e.train.goal;
  s.early_stop = e.train.early_stop;
  s.ema = e.train.ema;
  s.keep = {e.train.keep.last, e.train.keep.best};
  s.trace_every = e.run.trace_every;
  return s;
}

int train_session(SessionStart s) {
  install_stop_signals();
  nn::Room& room = open_nn_room();
  const int threads = run::resolve_threads(s.experiment.run.threads);
  room.configure(threads, s.experiment.run.deterministic);
  const std::string device = room.choose_device(s.experiment.run.device);

  const bool resuming = s.resumed.has_value();
  const Value parent = resuming ? Value() : parent_of(s);  // refused before there is a folder
  const run::RunFolder folder = resuming ? *s.resumed : make_folder(s);
  const run::RunLock lock = folder.lock(resuming ? "retake resume" : "retake run");
  if (resuming) folder.clean();
  const LogFile log_file(folder.log_file());
  run::ProgressLine line(
      run::ProgressLine::mode_of(stderr, s.arguments->globals.quiet, s.arguments->globals.json));
  Session* running = nullptr;
  run::RunContext context({.seed = static_cast<std::uint64_t>(s.experiment.experiment.seed),
                           .threads = threads,
                           .device = device,
                           .run_dir = folder.path(),
                           .progress =
                               [&](std::string_view what, double done, double total) {
                                 line.update({std::string(what), done, total, "", ""});
                               },
                           .show =
                               [&](const Exhibit& exhibit) {
                                 if (running != nullptr) running->show(exhibit);
                               }});
  run::Manifest manifest =
      resuming ? run::Manifest::load(folder) : start_manifest(folder, s, room, parent);
  if (resuming) s.archive = run::was_archived(manifest.value());
  run::AttemptEnd end;
  Session session(s, room, folder, context, line, manifest);
  running = &session;
  const nn::TrainingOutcome outcome = session.run(end);
  line.finish();
  Table result = result_value(folder, outcome, end.code);
  if (session.profile()) {
    result["profile"] = session.profile()->summary();
    log_info(session.profile()->text());
  }
  print_result(*s.arguments, result, [&] { return result_text(folder, outcome, end.code); });
  return static_cast<int>(end.code);
}

}  // namespace retake::cli
