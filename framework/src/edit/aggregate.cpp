// From songs to a table.

#include <algorithm>
#include <cmath>

#include "edit/metrics.hpp"
#include "retake/rng.hpp"

namespace retake::edit {
namespace {

constexpr int kResamples = 2000;

double mean(std::span<const double> values) {
  double sum = 0.0;
  for (double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

/// Quantile of sorted values, linear between neighbours.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(at));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

}  // namespace

Interval bootstrap_ci95(std::span<const double> values, std::uint64_t seed) {
  if (values.empty()) return {};
  Rng rng(seed);
  std::vector<double> means;
  means.reserve(kResamples);
  for (int i = 0; i < kResamples; ++i) {
    double sum = 0.0;
    for (std::size_t k = 0; k < values.size(); ++k) sum += values[rng.below(values.size())];
    means.push_back(sum / static_cast<double>(values.size()));
  }
  std::sort(means.begin(), means.end());
  return {quantile(means, 0.025), quantile(means, 0.975)};
}

Value aggregate(const std::map<std::string, Metrics>& per_song) {
  std::map<std::string, std::map<std::string, double>> by_metric;
  for (const auto& [song, metrics] : per_song) {
    for (const auto& [name, value] : metrics) by_metric[name][song] = value;
  }
  Table result;
  for (const auto& [name, songs] : by_metric) {
    std::vector<double> values;
    Table each;
    for (const auto& [song, value] : songs) {
      values.push_back(value);
      each[song] = value;
    }
    const Interval ci = bootstrap_ci95(values, derive_seed(0, {"metrics/bootstrap", name}));
    Table entry;
    entry["mean"] = mean(values);
    entry["ci95"] = Value(Array{Value(ci.low), Value(ci.high)});
    entry["per_song"] = Value(std::move(each));
    result[name] = Value(std::move(entry));
  }
  return Value(std::move(result));
}

}  // namespace retake::edit
