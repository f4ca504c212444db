// retake lr-find: the learning rate range test.

#include <algorithm>
#include <cmath>

#include "command.hpp"
#include "overrides.hpp"
#include "plugin/own_checks.hpp"
#include "report/plot.hpp"
#include "trial.hpp"

namespace retake::cli {
namespace {

void options(po::options_description& o) {
  add_override_options(o);
  auto add = o.add_options();
  add("low", po::value<double>()->default_value(1e-7, "1e-7")->value_name("LR"), "first rate");
  add("high", po::value<double>()->default_value(1.0, "1")->value_name("LR"), "last rate");
  add("steps", po::value<int>()->default_value(100)->value_name("N"), "updates in between");
  add("output,o", po::value<std::string>()->value_name("FILE.png"), "draw the curve");
}

/// Least-squares smoothing is not needed: an exponential mean in both directions has no lag.
std::vector<double> smoothed(const std::vector<nn::LearningRatePoint>& curve) {
  constexpr double kKeep = 0.8;
  std::vector<double> out;
  double level = curve.front().loss;
  for (const auto& point : curve) out.push_back(level = kKeep * level + (1 - kKeep) * point.loss);
  level = out.back();
  for (auto it = out.rbegin(); it != out.rend(); ++it)
    *it = level = kKeep * level + (1 - kKeep) * *it;
  return out;
}

/// Where the loss falls most steeply per factor of the rate, and a tenth of where it is least.
struct Suggestion {
  double steepest = 0;
  double tenth_of_best = 0;
};

Suggestion suggest(const std::vector<nn::LearningRatePoint>& curve) {
  const std::vector<double> loss = smoothed(curve);
  Suggestion s;
  double slope = 0;
  std::size_t best = 0;
  for (std::size_t i = 0; i < loss.size(); ++i) {
    if (loss[i] < loss[best]) best = i;
    if (i == 0 || i + 1 == loss.size()) continue;
    const double fall = (loss[i - 1] - loss[i + 1]) /
                        std::log(curve[i + 1].learning_rate / curve[i - 1].learning_rate);
    if (fall > slope) {
      slope = fall;
      s.steepest = curve[i].learning_rate;
    }
  }
  s.tenth_of_best = curve[best].learning_rate / 10.0;
  return s;
}

Table as_value(const std::vector<nn::LearningRatePoint>& curve, const Suggestion& s,
               double configured) {
  Table out;
  Array points;
  for (const auto& p : curve) {
    Table t;
    t["lr"] = p.learning_rate;
    t["loss"] = p.loss;
    points.emplace_back(std::move(t));
  }
  out["curve"] = std::move(points);
  out["steepest"] = s.steepest > 0 ? Value(s.steepest) : Value();
  out["tenth_of_best"] = s.tenth_of_best;
  out["configured"] = configured;
  return out;
}

/// A bar a tenth of the points, so that the curve shows in any terminal.
std::string text_of(const std::vector<nn::LearningRatePoint>& curve, const Suggestion& s) {
  const std::vector<double> loss = smoothed(curve);
  const auto [low, high] = std::minmax_element(loss.begin(), loss.end());
  std::string text = "learning rate   loss\n";
  const std::size_t stride = std::max<std::size_t>(1, curve.size() / 24);
  for (std::size_t i = 0; i < curve.size(); i += stride) {
    char line[64];
    std::snprintf(line, sizeof line, "%13.2e   %-9.4g ", curve[i].learning_rate, loss[i]);
    const double share = *high > *low ? (loss[i] - *low) / (*high - *low) : 0.0;
    text += line + std::string(static_cast<std::size_t>(1 + std::lround(share * 40)), '#') + "\n";
  }
  if (s.steepest > 0) {
    text += "steepest fall at " + format_double(s.steepest) +
            ", a tenth of the least loss's rate " + format_double(s.tenth_of_best) +
            "\ntry  optimizer.lr=" + run::format_number(std::min(s.steepest, s.tenth_of_best)) +
            "\n";
  } else {
    text += "the loss never falls: lower --low, or the batch says nothing\n";
  }
  return text;
}

double configured_rate(const config::ResolvedExperiment& e) {
  const config::ResolvedComponent* optimizer = e.find("optimizer");
  const Value* lr = optimizer != nullptr ? optimizer->params.find("lr") : nullptr;
  return lr != nullptr && lr->is_number() ? lr->as_double() : 0.0;
}

int run(const Arguments& a) {
  const double low = a.options["low"].as<double>(), high = a.options["high"].as<double>();
  const int steps = a.options["steps"].as<int>();
  if (!(low > 0) || !(high > low) || !std::isfinite(high)) {
    throw usage_error("--low and --high must be 0 < low < high", "--low 1e-6 --high 0.1");
  }
  if (steps < 10) throw usage_error("--steps takes 10 or more", "--steps 100");
  plugin::Registry registry(a.globals.plugin_path);
  config::LoadOptions load = read_load_options(a);
  load.training = config::LoadOptions::Training::required;
  const auto e = config::resolve_experiment(experiment_argument(a), registry, load);
  print_diagnostics(a.globals, e.notes);
  plugin::run_own_checks(e, registry);
  if (a.options.contains("output") && !a.options["output"].as<std::string>().ends_with(".png")) {
    throw usage_error(
        "the curve is drawn as a PNG file, not as " + a.options["output"].as<std::string>(),
        "name it FILE.png");
  }
  Trial trial(a, e, registry);
  trial.use_data();
  const auto curve = trial.find_learning_rate(low, high, steps);
  if (curve.size() < 3) {
    Diagnostic d;
    d.id = "E901";
    d.message = "the loss was not finite from the start";
    d.help = "retake doctor EXP tells which part; try a smaller --low";
    throw DivergedError(std::move(d));
  }
  const Suggestion s = suggest(curve);
  if (a.options.contains("output")) {
    std::vector<std::pair<double, double>> points;
    for (const auto& p : curve) points.emplace_back(std::log10(p.learning_rate), p.loss);
    report::plot_curve(a.options["output"].as<std::string>(), e.experiment.name,
                       "log10 of the learning rate", "loss", points);
  }
  print_result(a, as_value(curve, s, configured_rate(e)), [&] { return text_of(curve, s); });
  return 0;
}

const RegisterCommand registered(
    {.name = "lr-find",
     .synopsis = "EXP [OVERRIDES] [--low LR] [--high LR] [--steps N] [-o FILE.png]",
     .summary = "Find a learning rate: the range test",
     .examples = {"retake lr-find experiments/pointer/demo.toml",
                  "retake lr-find experiments/pointer/demo.toml --steps 200 -o curve.png"},
     .options = options,
     .run = run,
     .details =
         "Trains from the start while the learning rate rises geometrically, with no schedule, "
         "until the loss\nis four times the least seen. Nothing is kept. The rate is best where "
         "the loss falls most steeply."});

}  // namespace
}  // namespace retake::cli
