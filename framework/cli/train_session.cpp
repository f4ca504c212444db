#include "train_session.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "core/build_info.hpp"
#include "core/files.hpp"
#include "core/hash.hpp"
#include "core/log_sink.hpp"
#include "core/stop.hpp"
#include "data/experiment_data.hpp"
#include "nn_door.hpp"
#include "plugin/stamp.hpp"
#include "run/archive.hpp"
#include "run/code_snapshot.hpp"
#include "run/environment.hpp"
#include "run/json_lines.hpp"
#include "run/manifest.hpp"
#include "run/progress.hpp"
#include "run/run_context.hpp"
#include "run/run_find.hpp"
#include "run/tensorboard.hpp"

namespace retake::cli {
namespace {

/// Files and lines that a training writes beside its checkpoints.
class RunLogs {
 public:
  RunLogs(const run::RunFolder& folder, std::optional<std::int64_t> resumed_step,
          run::ProgressLine& line, std::int64_t total)
      : folder_(folder),
        metrics_(folder.metrics(), resumed_step),
        trace_(folder.trace(), resumed_step),
        board_(folder.tensorboard()),
        line_(line),
        total_(total),
        started_(std::chrono::steady_clock::now()),
        before_(metrics_.last_time()) {}

  nn::EngineSinks sinks() {
    nn::EngineSinks s;
    s.metrics = [this](std::int64_t step, const Metrics& m) { metrics(step, m); };
    s.trace = [this](std::int64_t step, const Table& t) { trace_.append(step, t); };
    s.sync = [this] {
      metrics_.sync();
      trace_.sync();
      board_.flush();
    };
    s.progress = [this](std::int64_t step, const Metrics& m,
                        const std::optional<run::BestMark>& best) { progress(step, m, best); };
    return s;
  }
  void write_config(const std::string& toml) {
    board_.text(0, "config", "```toml\n" + toml + "\n```");
  }

 private:
  void metrics(std::int64_t step, const Metrics& values) {
    Table record;
    const double now =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    record["t"] = before_ + now;
    std::vector<std::pair<std::string, double>> points;
    for (const auto& [name, value] : values) {
      record[name] = value;
      points.emplace_back(name, value);
    }
    metrics_.append(step, record);
    board_.scalars(step, points);
  }

  void progress(std::int64_t step, const Metrics& newest,
                const std::optional<run::BestMark>& best) {
    if (const auto it = newest.find("train/loss"); it != newest.end()) loss_ = it->second;
    run::ProgressState state;
    state.done = static_cast<double>(step);
    state.total = static_cast<double>(total_);
    state.unit = "it";
    state.details = "loss " + run::format_number(loss_);
    if (best) {
      state.details += "  " + best->metric + " " + run::format_number(best->value) +
                       " (best, step " + std::to_string(best->step) + ")";
    }
    line_.update(state);
    const auto now = std::chrono::steady_clock::now();
    if (now - last_state_ < std::chrono::seconds(1)) return;
    last_state_ = now;
    Table live;
    live["step"] = step;
    live["total"] = total_;
    live["loss"] = loss_;
    live["rate"] = line_.rate();
    if (best) {
      live["best"] = best->value;
      live["best_step"] = best->step;
      live["metric"] = best->metric;
    }
    folder_.write_progress(live);
  }

  const run::RunFolder& folder_;
  run::JsonLines metrics_, trace_;
  run::TensorBoardWriter board_;
  run::ProgressLine& line_;
  std::int64_t total_;
  std::chrono::steady_clock::time_point started_, last_state_{};
  double before_;
  double loss_ = 0;
};

std::vector<run::PluginUse> plugin_uses(const SessionStart& s) {
  std::vector<run::PluginUse> uses;
  for (const config::ResolvedComponent& c : s.experiment.components) {
    if (!c.enabled) continue;
    run::PluginUse use;
    use.kind = c.kind;
    use.name = c.plugin;
    use.version = c.info->version;
    use.abi = plugin::abi(s.registry->file_of(c.kind, c.plugin).stamp, c.kind);
    use.params_schema = sha256_hex(to_canonical_json(to_value(c.info->schema)));
    use.path = s.registry->file_of(c.kind, c.plugin).path;
    use.archived = s.archive;
    uses.push_back(std::move(use));
  }
  return uses;
}

Table host_facts() {
  Table facts;
  facts["version"] = build_info::version;
  facts["compiler"] = build_info::compiler;
  facts["flags"] = build_info::flags;
  return facts;
}

Table host_abis(const SessionStart& s) {
  Table abis;
  for (const config::ResolvedComponent& c : s.experiment.components) {
    if (c.enabled) abis[c.kind] = plugin::host_abi(c.kind);
  }
  return abis;
}

void archive(const run::RunFolder& folder, const SessionStart& s) {
  std::vector<std::filesystem::path> files = run::own_binaries();
  for (const run::PluginUse& use : plugin_uses(s)) {
    if (std::find(files.begin(), files.end(), use.path) == files.end()) files.push_back(use.path);
  }
  run::archive_binaries(folder, files);
}

Value parent_of(const SessionStart& s) {
  const std::string& from = s.experiment.train.init_from;
  if (from.empty()) return {};
  Table parent;
  parent["init_from"] = from;
  parent["checkpoint"] = run::find_checkpoint(from, s.experiment.run.dir).string();
  return parent;
}

run::Manifest start_manifest(const run::RunFolder& folder, const SessionStart& s, nn::Room& room) {
  run::HashCache hashes;
  run::ManifestStart m;
  m.config_hash = config::config_hash(s.experiment);
  m.seed = static_cast<std::uint64_t>(s.experiment.experiment.seed);
  m.host_program = run::describe_host_program(host_facts(), host_abis(s), hashes);
  m.plugins = plugin_uses(s);
  m.code = run::snapshot_code(folder, std::filesystem::current_path());
  m.env = run::describe_environment(room.environment(), hashes);
  m.determinism["requested"] = s.experiment.run.deterministic;
  m.determinism["level"] = s.experiment.run.deterministic ? "exact" : "none";
  Array loose;
  for (const config::ResolvedComponent& c : s.experiment.components) {
    if (c.enabled && !c.info->traits.deterministic) loose.emplace_back(c.kind + "/" + c.plugin);
  }
  m.determinism["nondeterministic_ops"] = std::move(loose);
  m.parent = parent_of(s);
  m.experiment["name"] = s.experiment.experiment.name;
  m.experiment["notes"] = s.experiment.experiment.notes;
  Array tags;
  for (const std::string& tag : s.experiment.experiment.tags) tags.emplace_back(tag);
  m.experiment["tags"] = std::move(tags);
  m.experiment["environment"] = s.experiment.environment;
  return run::Manifest::start(folder, m);
}

run::RunFolder make_folder(SessionStart& s) {
  const run::RunFolder folder =
      run::RunFolder::create(s.experiment.run.dir, s.experiment.experiment.name);
  config::substitute_run(s.experiment, {folder.id(), folder.path().string(), folder.name()});
  folder.write_config(config::resolved_toml(s.experiment), s.experiment.overrides, s.command_line);
  std::vector<run::InputFile> inputs;
  for (const auto& [path, text] : s.experiment.files) inputs.push_back({path, text});
  folder.write_inputs(inputs);
  return folder;
}

std::vector<std::pair<std::string, std::string>> metric_goals(const SessionStart& s) {
  std::vector<std::pair<std::string, std::string>> goals;
  for (const config::ResolvedComponent& c : s.experiment.components) {
    for (const MetricInfo& m : c.info->traits.metrics) {
      if (!m.goal.empty()) goals.emplace_back(m.name, m.goal);
    }
  }
  goals.emplace_back(s.experiment.train.metric, s.experiment.train.goal);
  return goals;
}

ExitCode exit_code(const nn::TrainingOutcome& outcome) {
  switch (outcome.end) {
    case nn::TrainingEnd::finished:
    case nn::TrainingEnd::early_stopped:
      return ExitCode::ok;
    case nn::TrainingEnd::time_limit:
      return ExitCode::time_limit;
    case nn::TrainingEnd::stopped_by_signal:
      return stop_signal() == SIGINT ? ExitCode::interrupted : ExitCode::preempted;
  }
  return ExitCode::unexpected;
}

void say_start(const SessionStart& s, const run::RunFolder& folder, const run::RunContext& context,
               const data::ExperimentData& data) {
  log_info("run  " + folder.id() + "  " + folder.name() + "  seed " +
           std::to_string(s.experiment.experiment.seed) + "  " + context.device() + " x" +
           std::to_string(context.threads()) + "  config " +
           config::config_hash(s.experiment).substr(0, 8) + "  plugins " +
           std::to_string(plugin_uses(s).size()) + (s.archive ? " (archived)" : ""));
  log_info(data.summary());
}

Value result_value(const run::RunFolder& folder, const nn::TrainingOutcome& outcome,
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
  const std::string resume = "Go on with:  retake resume " + folder.id() + "\n";
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
  return text + "  in " + folder.path().string() + "\nlook at it with:  tensorboard --logdir " +
         folder.path().parent_path().string() + " --samples_per_plugin images=100,audio=100\n";
}

/// The checkpoint a resumed run goes on from; the folders are put into the state of that instant.
std::optional<run::Checkpoint> rewind(const run::RunFolder& folder, const SessionStart& s) {
  run::CheckpointStore store(folder.checkpoints());
  std::optional<run::Checkpoint> checkpoint =
      s.checkpoint ? run::Checkpoint::open(*s.checkpoint) : store.open_latest();
  if (checkpoint) {
    store.resume_from(checkpoint->step());
  } else {
    store.clear();
  }
  return checkpoint;
}

/// Trains on the experiment's data from the start, or from where the run was, to the end.
nn::TrainingOutcome train(const SessionStart& s, nn::Room& room, const run::RunFolder& folder,
                          run::RunContext& context, run::ProgressLine& line,
                          run::Manifest& manifest) {
  const bool resuming = s.resumed.has_value();
  plugin::Arena arena;
  const data::ExperimentData data = data::prepare_data(s.experiment, *s.registry, arena, context);
  line.finish();
  if (!resuming) {
    manifest.set("data", data.account());
    manifest.set("config_hash", config::config_hash(s.experiment, data.identity()));
  }
  say_start(s, folder, context, data);

  const std::optional<run::Checkpoint> from =
      resuming ? rewind(folder, s) : std::optional<run::Checkpoint>();
  if (resuming) manifest.begin_attempt(from ? from->step() : 0);
  RunLogs logs(folder, from ? std::optional(from->step()) : std::nullopt, line,
               s.experiment.train.max_steps);
  if (!from) logs.write_config(config::resolved_toml(s.experiment));
  run::CheckpointStore checkpoints(folder.checkpoints());
  nn::TrainJob job;
  job.experiment = &s.experiment;
  job.registry = s.registry;
  job.arena = &arena;
  job.context = &context;
  job.extractors = data.extractors;
  job.corpus = &data.corpus;
  job.config = resuming && s.experiment.overrides.empty() ? read_file(folder.resolved_config())
                                                          : config::resolved_toml(s.experiment);
  job.settings = engine_settings(s.experiment);
  job.sinks = logs.sinks();
  job.checkpoints = &checkpoints;
  if (from) job.resume_from = from->path();
  if (!from && !s.experiment.train.init_from.empty()) {
    job.init_from = run::find_checkpoint(s.experiment.train.init_from, s.experiment.run.dir);
  }
  return room.train(job);
}

}  // namespace

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
  const run::RunFolder folder = resuming ? *s.resumed : make_folder(s);
  const run::RunLock lock = folder.lock(resuming ? "retake resume" : "retake run");
  if (resuming) folder.clean();
  const LogFile log_file(folder.log_file());
  run::ProgressLine line(run::ProgressLine::mode_of(stderr, s.arguments->globals.quiet));
  run::RunContext context({static_cast<std::uint64_t>(s.experiment.experiment.seed), threads,
                           device, folder.path(),
                           [&](std::string_view what, double done, double total) {
                             line.update({std::string(what), done, total, "", ""});
                           }});

  run::Manifest manifest = resuming ? run::Manifest::load(folder) : start_manifest(folder, s, room);
  manifest.set_goals(metric_goals(s));
  const run::Manifest::AbortGuard abort_guard(manifest);
  run::AttemptEnd end;
  nn::TrainingOutcome outcome;
  try {
    if (s.archive && !resuming) archive(folder, s);
    outcome = train(s, room, folder, context, line, manifest);
    end.code = exit_code(outcome);
    end.to_step = outcome.step;
    end.signal = outcome.end == nn::TrainingEnd::stopped_by_signal ? stop_signal() : 0;
  } catch (const std::exception& e) {
    line.finish();
    const auto* known = dynamic_cast<const Error*>(&e);
    end.code = known != nullptr ? known->code() : ExitCode::unexpected;
    end.message = e.what();
    manifest.record_seeds(context.seeds().recorded());
    manifest.seal(end);
    throw;
  }
  line.finish();
  manifest.record_seeds(context.seeds().recorded());
  manifest.seal(end);
  print_result(*s.arguments, result_value(folder, outcome, end.code),
               [&] { return result_text(folder, outcome, end.code); });
  return static_cast<int>(end.code);
}

}  // namespace retake::cli
