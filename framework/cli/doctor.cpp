// retake doctor: what is wrong with this installation, an experiment or a run.

#include <filesystem>

#include "command.hpp"
#include "core/files.hpp"
#include "data_audit.hpp"
#include "nn_door.hpp"
#include "overrides.hpp"
#include "plugin/own_checks.hpp"
#include "run/manifest.hpp"
#include "run/run_find.hpp"
#include "run/verdicts.hpp"
#include "table_text.hpp"
#include "train_session.hpp"
#include "trial.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

void options(po::options_description& o) {
  add_override_options(o);
  auto add = o.add_options();
  add("steps", po::value<int>()->default_value(60)->value_name("N"),
      "updates on one batch: it must be learnt by heart");
  add("dir", po::value<std::string>()->default_value("runs")->value_name("DIR"),
      "where runs are looked for");
}

/// One line of what the doctor says.
struct Finding {
  std::string what;
  enum class State { good, problem, open } state = State::good;
  std::string detail;
};

const char* word(Finding::State state) {
  return state == Finding::State::good ? "ok" : state == Finding::State::problem ? "PROBLEM" : "-";
}

/// Everything that the doctor found, as text and as JSON.
struct Report {
  std::vector<Finding> findings;
  Table json;
  std::string text;

  void add(std::string what, Finding::State state, std::string detail) {
    findings.push_back({std::move(what), state, std::move(detail)});
  }
  bool sound() const {
    for (const Finding& f : findings) {
      if (f.state == Finding::State::problem) return false;
    }
    return true;
  }
};

Value findings_value(const std::vector<Finding>& findings) {
  Array out;
  for (const Finding& f : findings) {
    Table t;
    t["what"] = f.what;
    t["verdict"] = f.state == Finding::State::good      ? "ok"
                   : f.state == Finding::State::problem ? "problem"
                                                        : "unknown";
    t["detail"] = f.detail;
    out.emplace_back(std::move(t));
  }
  return Value(std::move(out));
}

std::string to_text(const std::vector<Finding>& findings) {
  std::vector<std::vector<std::string>> rows;
  for (const Finding& f : findings) rows.push_back({f.what, word(f.state), f.detail});
  return columns({"what", "verdict", ""}, rows);
}

// ---- this installation

Report examine_installation(const Arguments& a) {
  Report r;
  const plugin::Registry registry(a.globals.plugin_path);
  std::size_t components = 0;
  for (const auto& file : registry.files()) components += file.components.size();
  for (const std::string& place : registry.looked_in()) {
    r.add("plugin folder", Finding::State::good, place);
  }
  r.add("plugins", components > 0 ? Finding::State::good : Finding::State::problem,
        std::to_string(components) + " components in " + std::to_string(registry.files().size()) +
            " libraries");
  for (const std::string& problem : registry.load_problems()) {
    r.add("plugin", Finding::State::problem, problem + "; retake plugins doctor tells more");
  }
  try {
    nn::Room& room = open_nn_room();
    const Table facts = room.environment();
    const auto fact = [&](const char* key) {
      const Value* v = facts.find(key);
      return v == nullptr ? std::string("unknown") : v->is_string() ? v->as_string() : to_json(*v);
    };
    r.add("LibTorch", Finding::State::good, fact("libtorch") + ", CPU " + fact("cpu_capability"));
    r.add("device", Finding::State::good, room.choose_device("auto") + ", GPUs " + fact("gpu"));
    r.add("BLAS", Finding::State::good, fact("blas"));
  } catch (const Error& e) {
    r.add("LibTorch", Finding::State::problem, e.diagnostics().front().message);
  }
  return r;
}

// ---- experiments and runs

void judge_probe(const nn::ProbeReport& p, int steps, Report& r) {
  r.add("build", Finding::State::good, std::to_string(p.parameters) + " parameters");
  double total = 0, pull = 0;
  for (const nn::LossShare& l : p.losses) {
    total += std::abs(l.weight * l.value);
    pull += l.gradient_norm;
  }
  for (const nn::LossShare& l : p.losses) {
    const double share = total > 0 ? std::abs(l.weight * l.value) / total : 0;
    const double of_gradient = pull > 0 ? l.gradient_norm / pull : 0;
    char detail[160];
    std::snprintf(detail, sizeof detail, "%.4g x %.4g   %.0f%% of the loss, %.0f%% of the gradient",
                  l.weight, l.value, 100 * share, 100 * of_gradient);
    const bool silent = l.weight != 0 && l.gradient_norm == 0;
    r.add("loss " + l.name, silent ? Finding::State::problem : Finding::State::good,
          std::string(detail) + (silent ? ": gives no gradient on this batch" : ""));
  }
  if (p.without_gradient.empty()) {
    r.add("gradients", Finding::State::good, "reach every parameter");
  }
  for (const std::string& name : p.without_gradient) {
    r.add("gradients", Finding::State::problem, "none reaches " + name + ": it never learns");
  }
  for (const std::string& name : p.not_finite) {
    r.add("gradients", Finding::State::problem, "not finite at " + name);
  }
  if (p.loss_curve.size() < 2) return;
  const double first = p.loss_curve.front(), last = p.loss_curve.back();
  r.add("one batch", last < 0.9 * first ? Finding::State::good : Finding::State::problem,
        "loss " + run::format_number(first) + " -> " + run::format_number(last) + " in " +
            std::to_string(p.loss_curve.size()) + " of " + std::to_string(steps) + " steps" +
            (last < 0.9 * first ? "" : ": a model that learns falls by a tenth at least"));
}

/// Time that learning one batch by heart may take.
constexpr double kOverfitSeconds = 120.0;

void examine_training(const Arguments& a, const config::ResolvedExperiment& e,
                      plugin::Registry& registry, const std::optional<fs::path>& checkpoint,
                      Report& r) {
  plugin::run_own_checks(e, registry);
  Trial trial(a, e, registry);
  trial.use_data();
  if (checkpoint) trial.start_from(*checkpoint);
  for (const AuditRow& row : audit_labels(trial.data().corpus)) {
    r.add("labels: " + row.what, row.problem ? Finding::State::problem : Finding::State::good,
          row.detail);
  }
  for (const AuditRow& row : audit_features(trial.data().corpus)) {
    r.add("features: " + row.what, row.problem ? Finding::State::problem : Finding::State::good,
          row.detail);
  }
  const int steps = a.options["steps"].as<int>();
  const nn::ProbeReport probe = trial.probe(
      {.steps = steps, .same_batch = true, .validate = false, .max_seconds = kOverfitSeconds});
  judge_probe(probe, steps, r);
  r.json["training"] = to_value(probe);
}

Report examine_experiment(const Arguments& a) {
  Report r;
  plugin::Registry registry(a.globals.plugin_path);
  config::LoadOptions load = read_load_options(a);
  load.training = config::LoadOptions::Training::required;
  const auto e = config::resolve_experiment(experiment_argument(a), registry, load);
  print_diagnostics(a.globals, e.notes);
  examine_training(a, e, registry, std::nullopt, r);
  return r;
}

Value verdict_value(const run::Verdict& v) {
  using State = run::Verdict::State;
  Table t;
  t["metric"] = v.metric;
  t["target"] = v.target;
  t["points"] = v.points;
  t["first"] = v.first;
  t["last"] = v.last;
  t["best"] = v.best ? Value(*v.best) : Value();
  t["verdict"] = v.state == State::good ? "ok" : v.state == State::problem ? "problem" : "unknown";
  t["why"] = v.why;
  return t;
}

/// The trainer's table of metrics to watch, with what became of each.
void examine_metrics(const run::RunFolder& folder, const config::ResolvedExperiment& e, Report& r) {
  using State = run::Verdict::State;
  const std::vector<run::Verdict> verdicts =
      run::judge_metrics(folder.metrics(), declared_metrics(e), watch_of(e));
  std::vector<std::vector<std::string>> rows;
  Array json;
  for (const run::Verdict& v : verdicts) {
    const Finding::State state = v.state == State::good      ? Finding::State::good
                                 : v.state == State::problem ? Finding::State::problem
                                                             : Finding::State::open;
    rows.push_back({v.metric, run::format_number(v.first), run::format_number(v.last),
                    v.best ? run::format_number(*v.best) : "", v.target, word(state), v.why});
    json.push_back(verdict_value(v));
    if (state == Finding::State::problem) r.add("metric " + v.metric, state, v.why);
  }
  r.text = columns({"metric", "first", "last", "best", "target", "verdict", ""}, rows) + "\n";
  r.json["metrics"] = std::move(json);
}

run::RunFolder named_run(const Arguments& a) {
  try {
    return run::find_run(a.positional.front(), a.options["dir"].as<std::string>());
  } catch (const DataError& e) {
    Diagnostic d = e.diagnostics().front();
    if (d.id == "E601") {
      d.facts.push_back(
          "there is no file of that name either; experiments are named by their path");
    }
    throw DataError(std::move(d));
  }
}

Report examine_run(const Arguments& a) {
  Report r;
  const run::RunFolder folder = named_run(a);
  const run::Manifest manifest = run::Manifest::load(folder);
  const std::string status = manifest.value().at("status").as_string();
  r.add(
      "run " + folder.id(),
      status == "finished" || status == "running" ? Finding::State::good : Finding::State::problem,
      status);
  plugin::Registry registry(a.globals.plugin_path);
  const auto e = config::resolve_experiment(folder.resolved_config(), registry, {});
  examine_metrics(folder, e, r);
  std::optional<fs::path> checkpoint;
  try {
    checkpoint =
        run::find_checkpoint(folder.path().string() + ":latest", folder.path().parent_path());
  } catch (const DataError& none) {
    r.add("checkpoint", Finding::State::problem, none.diagnostics().front().message);
  }
  if (checkpoint) examine_training(a, e, registry, checkpoint, r);
  return r;
}

int run(const Arguments& a) {
  if (a.options["steps"].as<int>() < 2) throw usage_error("--steps takes 2 or more", "--steps 60");
  Report r;
  std::error_code error;
  if (a.positional.empty()) {
    r = examine_installation(a);
  } else if (a.positional.front().ends_with(".toml") ||
             fs::is_regular_file(a.positional.front(), error)) {
    r = examine_experiment(a);
  } else {
    r = examine_run(a);
  }
  r.json["findings"] = findings_value(r.findings);
  r.json["sound"] = r.sound();
  print_result(a, r.json, [&] { return r.text + to_text(r.findings); });
  return 0;
}

const RegisterCommand registered(
    {.name = "doctor",
     .synopsis = "[EXP [OVERRIDES] | RUN] [--steps N]",
     .summary = "Find out what is wrong with an experiment, a run or this installation",
     .examples = {"retake doctor experiments/pointer/demo.toml", "retake doctor last",
                  "retake doctor"},
     .options = options,
     .run = run,
     .details =
         "EXP: labels and features of its data, what each loss weighs, whether gradients reach "
         "every "
         "parameter,\nwhether one batch can be learnt by heart. RUN: each metric against what its "
         "trainer declares (target,\nlimits, trend), then the same examination from its latest "
         "checkpoint. Nothing is written but features\ninto the store. Exit code 0 whatever is "
         "found; "
         "`sound` in the JSON says it."});

}  // namespace
}  // namespace retake::cli
