// retake resume: goes on with an interrupted run.

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "archived_plugins.hpp"
#include "command.hpp"
#include "core/files.hpp"
#include "overrides.hpp"
#include "plugin/own_checks.hpp"
#include "run/checkpoint.hpp"
#include "run/manifest.hpp"
#include "run/run_find.hpp"
#include "train_session.hpp"

namespace retake::cli {
namespace {

void options(po::options_description& o) {
  auto add = o.add_options();
  add("from", po::value<std::string>()->value_name("CKPT"),
      "go on from this checkpoint of the run instead of its latest: a step, best, or its folder");
  add("max-steps", po::value<std::int64_t>()->value_name("N"),
      "train to this step instead, a later one than the run stands at");
  add("dir", po::value<std::string>()->default_value("runs")->value_name("DIR"),
      "where runs are looked for");
}

bool is_mark(const std::string& text) {
  return text == "best" || text == "latest" ||
         (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos);
}

/// RUN, and the checkpoint of --from or of RUN:best, RUN:latest, RUN:STEP.
struct Wanted {
  std::string run, from;
};

Wanted wanted_of(const Arguments& a) {
  if (a.positional.size() != 1) {
    throw usage_error("resume takes one run",
                      "name it by id, path or `last`; retake runs lists them");
  }
  Wanted w{a.positional.front(), ""};
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::absolute(w.run);
  if (std::filesystem::exists(folder / "retake.json", error)) {  // a checkpoint's folder
    w.from = folder.string();
    w.run = folder.parent_path().parent_path().string();
  }
  const std::size_t colon = w.run.rfind(':');
  if (colon != std::string::npos && is_mark(w.run.substr(colon + 1))) {
    w.from = w.run.substr(colon + 1);
    w.run.resize(colon);
  }
  if (a.options.contains("from")) w.from = a.options["from"].as<std::string>();
  return w;
}

/// The checkpoint that the run goes on from, which is one of its own.
std::filesystem::path checkpoint_of(const run::RunFolder& folder, const std::string& from,
                                    const std::string& runs_dir) {
  const auto found =
      run::find_checkpoint(is_mark(from) ? folder.path().string() + ":" + from : from, runs_dir);
  std::error_code error;
  if (std::filesystem::equivalent(std::filesystem::absolute(found).parent_path(),
                                  folder.checkpoints(), error)) {
    return found;
  }
  throw usage_error(found.string() + " is no checkpoint of run " + folder.id(),
                    "a run goes on from its own; to begin a new run with the weights of another:  "
                    "retake run EXP train.init_from=" +
                        from);
}

/// The step that the run goes on from; nothing where no checkpoint tells.
std::optional<std::int64_t> step_of(const run::RunFolder& folder,
                                    const std::optional<std::filesystem::path>& checkpoint) {
  std::optional<std::filesystem::path> at = checkpoint;
  if (!at) at = run::CheckpointStore(folder.checkpoints()).latest();
  const std::string name = at ? at->filename().string() : "";
  if (!name.starts_with("step-")) return std::nullopt;
  return std::atoll(name.c_str() + 5);
}

void require_more_steps(const Arguments& a, std::optional<std::int64_t> step) {
  if (!a.options.contains("max-steps")) return;
  const auto wanted = a.options["max-steps"].as<std::int64_t>();
  if (wanted > step.value_or(0)) return;
  throw usage_error("--max-steps " + std::to_string(wanted) + ": the run stands at step " +
                        std::to_string(step.value_or(0)),
                    "name a later step, or go back first with --from STEP");
}

/// Whether the run came to its end, and nothing asks for more of it.
bool nothing_to_do(const Arguments& a, const Wanted& wanted, const run::RunFolder& folder) {
  if (a.options.contains("max-steps") || !wanted.from.empty()) return false;
  const Value* status = run::Manifest::load(folder).value().find("status");
  return status != nullptr && *status == Value("finished");
}

int say_finished(const Arguments& a, const run::RunFolder& folder,
                 std::optional<std::int64_t> step) {
  Table t;
  t["run"] = folder.id();
  t["dir"] = folder.path().string();
  t["status"] = "finished";
  t["step"] = step.value_or(0);
  t["last_validation"] = Table();
  print_result(a, t, [&] {
    return "run " + folder.id() + " is finished at step " + std::to_string(step.value_or(0)) +
           ": nothing to do; --max-steps N trains it further\n";
  });
  return 0;
}

config::ResolvedExperiment resolve(const run::RunFolder& folder, const plugin::Registry& registry,
                                   const config::LoadOptions& load) {
  try {
    return config::resolve_experiment(folder.resolved_config(), registry, load);
  } catch (const PluginError& e) {
    throw with_archived_plugins(e, folder.path());
  }
}

int resume(const Arguments& a) {
  const Wanted wanted = wanted_of(a);
  const std::string runs_dir = a.options["dir"].as<std::string>();
  const run::RunFolder folder = run::find_run(wanted.run, runs_dir);
  std::optional<std::filesystem::path> checkpoint;
  if (!wanted.from.empty()) checkpoint = checkpoint_of(folder, wanted.from, runs_dir);
  const auto step = step_of(folder, checkpoint);
  require_more_steps(a, step);
  if (nothing_to_do(a, wanted, folder)) return say_finished(a, folder, step);
  plugin::Registry registry(a.globals.plugin_path);
  config::LoadOptions load;
  for (const TypedOption& option : a.typed) {
    if (option.name != "max-steps") continue;
    load.overrides.push_back(
        {"train.max_steps=" + std::to_string(a.options["max-steps"].as<std::int64_t>()),
         value_index(a, option), false});
  }
  SessionStart start;
  start.arguments = &a;
  start.experiment = resolve(folder, registry, load);
  config::substitute_run(start.experiment, {folder.id(), folder.path().string(), folder.name()});
  plugin::run_own_checks(start.experiment, registry);
  start.registry = &registry;
  start.command_line = a.argv;
  start.archive = start.experiment.run.archive;
  start.resumed = folder;
  start.checkpoint = std::move(checkpoint);
  return train_session(std::move(start));
}

const RegisterCommand registered(
    {.name = "resume",
     .synopsis = "RUN [--from CKPT] [--max-steps N]",
     .summary = "Go on with an interrupted run",
     .examples = {"retake resume last", "retake resume k7q2m4xa --max-steps 40000"},
     .options = options,
     .run = resume,
     .details = "The run goes on from its latest checkpoint; what was logged beyond it is written "
                "again. On a CPU\nwith the same threads the result equals that of a run that was "
                "never interrupted, bit for bit."});

}  // namespace
}  // namespace retake::cli
