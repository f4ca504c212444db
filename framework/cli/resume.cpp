// retake resume: goes on with an interrupted run.

#include <filesystem>

#include "command.hpp"
#include "core/files.hpp"
#include "overrides.hpp"
#include "run/run_find.hpp"
#include "train_session.hpp"

namespace retake::cli {
namespace {

void options(po::options_description& o) {
  auto add = o.add_options();
  add("from", po::value<std::string>()->value_name("CKPT"),
      "go on from this checkpoint of the run instead of its latest: a step, or its folder");
  add("max-steps", po::value<std::int64_t>()->value_name("N"), "train to this step instead");
  add("dir", po::value<std::string>()->default_value("runs")->value_name("DIR"),
      "where runs are looked for");
}

int resume(const Arguments& a) {
  if (a.positional.size() != 1) {
    throw usage_error("resume takes one run",
                      "name it by id, path or `last`; retake runs lists them");
  }
  const std::string runs_dir = a.options["dir"].as<std::string>();
  const run::RunFolder folder = run::find_run(a.positional.front(), runs_dir);
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
  start.experiment = config::resolve_experiment(folder.resolved_config(), registry, load);
  config::substitute_run(start.experiment, {folder.id(), folder.path().string(), folder.name()});
  start.registry = &registry;
  start.command_line = a.argv;
  start.archive = start.experiment.run.archive;
  start.resumed = folder;
  if (a.options.contains("from")) {
    const std::string from = a.options["from"].as<std::string>();
    const bool is_step = from.find_first_not_of("0123456789") == std::string::npos;
    start.checkpoint =
        run::find_checkpoint(is_step ? folder.path().string() + ":" + from : from, runs_dir);
    std::error_code error;
    if (!std::filesystem::equivalent(std::filesystem::absolute(*start.checkpoint).parent_path(),
                                     folder.checkpoints(), error)) {
      throw usage_error(start.checkpoint->string() + " is no checkpoint of run " + folder.id(),
                        "a run goes on from its own; to begin a new run with the weights of "
                        "another:  retake run EXP train.init_from=" +
                            from);
    }
  }
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
