#include "retake/env/environment.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "plugin/blame.hpp"

namespace retake {

std::int64_t observation_width(const EpisodeTask& task, std::int64_t context) {
  return (2 * context + 1) * task.feature_width + kObservationScalars;
}

void observe(const Episode& episode, std::int64_t context, std::span<float> out) {
  const EpisodeTask& task = *episode.task;
  const std::int64_t width = task.feature_width;
  std::size_t at = 0;
  for (std::int64_t unit = episode.cursor - context; unit <= episode.cursor + context; ++unit) {
    const bool inside = unit >= 0 && unit < task.units();
    for (std::int64_t k = 0; k < width; ++k, ++at) {
      out[at] = inside ? task.features[static_cast<std::size_t>(unit * width + k)] : 0.0F;
    }
  }
  const double whole = static_cast<double>(task.boundaries.back() - task.boundaries.front());
  const std::int64_t before = task.boundaries[static_cast<std::size_t>(episode.cursor)];
  const bool used = !episode.segments.empty() && episode.segments.back().end == before;
  const auto target = static_cast<double>(std::max<std::int64_t>(task.target_samples, 1));
  out[at++] = static_cast<float>(episode.cursor) / static_cast<float>(task.units());
  out[at++] = static_cast<float>(static_cast<double>(episode.output_samples) / target);
  out[at++] = static_cast<float>(target / whole);
  out[at++] = used ? 1.0F : 0.0F;
}

EpisodeTask make_task(const EdlSource& source, const TimeGrid& grid, std::span<const float> rows,
                      std::int64_t width, double unit_seconds, double target_share) {
  EpisodeTask task;
  task.source = source;
  task.feature_width = width;
  const auto unit = std::max<std::int64_t>(1, std::llround(unit_seconds * source.sample_rate));
  for (std::int64_t at = 0; at < source.samples; at += unit) task.boundaries.push_back(at);
  task.boundaries.push_back(source.samples);
  const std::int64_t count = static_cast<std::int64_t>(rows.size()) / width;
  for (std::int64_t u = 0; u < task.units(); ++u) {
    const auto row_of = [&](std::int64_t sample) {
      const double seconds = static_cast<double>(sample) / source.sample_rate;
      return std::min(count - 1, static_cast<std::int64_t>(seconds * grid.rows_per_second()));
    };
    const std::int64_t first = row_of(task.boundaries[static_cast<std::size_t>(u)]);
    const std::int64_t last =
        std::max(first + 1, row_of(task.boundaries[static_cast<std::size_t>(u) + 1]));
    for (std::int64_t k = 0; k < width; ++k) {
      double sum = 0;
      for (std::int64_t t = first; t < last; ++t) {
        sum += rows[static_cast<std::size_t>(t * width + k)];
      }
      task.features.push_back(static_cast<float>(sum / static_cast<double>(last - first)));
    }
  }
  task.target_samples = std::llround(target_share * static_cast<double>(source.samples));
  return task;
}

EditingEnvironment::EditingEnvironment(const ActionSpace& space,
                                       std::vector<std::pair<double, const Reward*>> rewards)
    : space_(space), rewards_(std::move(rewards)), heads_(space.heads()) {}

void EditingEnvironment::reset(const EpisodeTask& task, std::uint64_t seed) {
  episode_ = Episode{};
  episode_.task = &task;
  episode_.seed = seed;
}

namespace {

/// NaN would go on into returns and gradients, where nobody can tell where it came from.
double finite_score(const Reward& reward, const Episode& episode) {
  const double score = reward.score(episode);
  if (std::isfinite(score)) return score;
  Diagnostic d;
  d.id = "E902";
  const std::string library = plugin::library_of(reward);
  d.message = "a reward" + (library.empty() ? "" : " of " + library) + " became " +
              format_double(score) + " after " + std::to_string(episode.actions.size()) +
              " actions";
  d.help = "this is a defect of the plugin: retake plugins check FILE looks for it";
  throw DivergedError(std::move(d));
}

}  // namespace

void EditingEnvironment::check(std::span<const std::int32_t> action) const {
  if (done()) throw std::logic_error("the episode is over");
  if (action.size() != heads_.size()) throw std::logic_error("an action has one index per head");
  for (std::size_t head = 0; head < heads_.size(); ++head) {
    std::vector<std::uint8_t> mask(heads_[head].choices.size());
    space_.mask(episode_, head, action.first(head), mask);
    const auto index = static_cast<std::size_t>(action[head]);
    if (action[head] < 0 || index >= mask.size() || mask[index] == 0) {
      throw std::logic_error("choice " + std::to_string(action[head]) + " of head `" +
                             heads_[head].name + "` is not allowed here");
    }
  }
}

double EditingEnvironment::step(std::span<const std::int32_t> action) {
  check(action);
  space_.apply(action, episode_);
  episode_.actions.emplace_back(action.begin(), action.end());
  double total = 0;
  for (const auto& [weight, reward] : rewards_) {
    if (reward->when() == Reward::When::step || done()) {
      total += weight * finite_score(*reward, episode_);
    }
  }
  return total;
}

Edl EditingEnvironment::edl() const {
  Edl out;
  out.sources.push_back(episode_.task->source);
  out.segments = episode_.segments;
  merge_contiguous(out);
  return out;
}

}  // namespace retake
