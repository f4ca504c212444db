#include "run/verdicts.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "config/wiring.hpp"
#include "run/json_lines.hpp"
#include "run/progress.hpp"

namespace retake::run {
namespace {

constexpr double kStuck = 0.05;    ///< of the size of the values
constexpr double kWorse = 0.1;     ///< of the best value
constexpr std::size_t kLeast = 3;  ///< points in a tenth

struct Series {
  std::vector<double> values;
  std::vector<std::int64_t> steps;
};

double mean(const double* from, std::size_t n) {
  return std::accumulate(from, from + n, 0.0) / static_cast<double>(n);
}

void judge_trend(const Series& s, bool falling, const MetricInfo& m, Verdict& v) {
  const std::size_t tenth = std::max(kLeast, s.values.size() / 10);
  if (s.values.size() < 2 * tenth) {
    v.why = "too few points to tell";
    return;
  }
  const double before = mean(s.values.data(), tenth);
  const double after = mean(s.values.data() + s.values.size() - tenth, tenth);
  const double gain = falling ? before - after : after - before;
  v.state = Verdict::State::good;
  if (gain > kStuck * std::max(std::abs(before), std::abs(after))) return;
  v.state = Verdict::State::problem;
  const bool wrong_way = gain < -kStuck * std::max(std::abs(before), std::abs(after));
  v.why = std::string(wrong_way ? (falling ? "rises" : "falls") : "is stuck") + ": " +
          format_number(before) + " at first, " + format_number(after) + " at last";
  if (!m.problem.empty()) v.why += " (" + m.problem + ")";
}

/// Validated metrics that were better once: over-fitting shows so.
void judge_decline(const Series& s, const MetricInfo& m, Verdict& v) {
  const bool watched = !m.target.empty() || !m.problem.empty();
  if (!watched || !m.name.starts_with("val") || !v.best || s.values.size() < 2 * kLeast) return;
  const double worse = m.goal == "min" ? v.last - *v.best : *v.best - v.last;
  if (worse <= kWorse * std::abs(*v.best)) return;
  v.state = Verdict::State::problem;
  v.why = "was better: " + format_number(*v.best) + " at step " + std::to_string(v.best_step) +
          " (over-fitting?)";
}

void judge_limits(const Watch::Rule& rule, Verdict& v) {
  const bool above = rule.max && !(v.last <= *rule.max);
  const bool below = rule.min && !(v.last >= *rule.min);
  if (!above && !below) {
    if (v.state == Verdict::State::open) v.state = Verdict::State::good;
    return;
  }
  v.state = Verdict::State::problem;
  v.why = (above ? "above " + format_number(*rule.max) : "below " + format_number(*rule.min)) +
          (rule.message.empty() ? "" : ": " + rule.message);
}

Verdict judge(const std::string& name, const Series& s, const MetricInfo& m, const Watch& watch) {
  Verdict v;
  v.metric = name;
  v.doc = m.doc;
  v.target = m.target;
  v.points = static_cast<std::int64_t>(s.values.size());
  v.first = s.values.front();
  v.last = s.values.back();
  if (!m.goal.empty()) {
    const auto best = m.goal == "min" ? std::min_element(s.values.begin(), s.values.end())
                                      : std::max_element(s.values.begin(), s.values.end());
    v.best = *best;
    v.best_step = s.steps[static_cast<std::size_t>(best - s.values.begin())];
  }
  if (!std::isfinite(v.last)) {
    v.state = Verdict::State::problem;
    v.why = "is no finite number";
    return v;
  }
  if (!m.trend.empty()) judge_trend(s, m.trend == "falling", m, v);
  judge_decline(s, m, v);
  if (const Watch::Rule* rule = watch.rule_for(name)) judge_limits(*rule, v);
  return v;
}

}  // namespace

std::vector<Verdict> judge_metrics(const std::filesystem::path& metrics_file,
                                   const std::vector<MetricInfo>& declared, const Watch& watch) {
  std::map<std::string, Series> all;
  read_json_lines(metrics_file, [&](const Value& record) {
    const std::int64_t step = record.as_table().at("step").as_int();
    for (const auto& [name, value] : record.as_table()) {
      if (name == "step" || name == "t") continue;
      Series& series = all[name];
      series.values.push_back(value.is_number() ? value.as_double() : NAN);
      series.steps.push_back(step);
    }
  });
  std::vector<Verdict> out;
  for (const MetricInfo& m : declared) {
    for (auto it = all.begin(); it != all.end();) {
      const bool judged = !m.goal.empty() || !m.target.empty() || !m.trend.empty() ||
                          watch.rule_for(it->first) != nullptr;
      if (!judged || !config::matches_metric(m.name, it->first)) {
        ++it;
        continue;
      }
      out.push_back(judge(it->first, it->second, m, watch));
      it = all.erase(it);  // the first declaration that covers it
    }
  }
  return out;
}

}  // namespace retake::run
