// What `retake plugins check` asks of action spaces and rewards.

#include <algorithm>
#include <cmath>
#include <limits>

#include "plugin/probe.hpp"
#include "retake/env/environment.hpp"
#include "retake/rng.hpp"

namespace retake {
namespace {

using plugin::expect;
using plugin::Probe;
using plugin::Subject;

constexpr std::int64_t kUnit = 1000;  // samples
constexpr std::size_t kMostActions = 10'000;

EpisodeTask task_of(std::int64_t units) {
  EpisodeTask task;
  task.source.path = "probe.wav";
  task.source.sample_rate = 44100;
  task.source.channels = 1;
  task.source.samples = units * kUnit;
  task.feature_width = 3;
  Rng rng(static_cast<std::uint64_t>(units) + 7);
  for (std::int64_t u = 0; u <= units; ++u) task.boundaries.push_back(u * kUnit);
  for (std::int64_t i = 0; i < units * task.feature_width; ++i) {
    task.features.push_back(static_cast<float>(rng.uniform(0, 1)));
  }
  task.truth = identity_edl(task.source);
  task.truth_kept.assign(static_cast<std::size_t>(units), 1);
  task.target_samples = std::max<std::int64_t>(kUnit, units * kUnit / 2);
  return task;
}

/// An edit that keeps some units, decided by coin: an episode as a keep-or-cut agent plays it.
Episode random_episode(const EpisodeTask& task, Rng& rng) {
  Episode episode;
  episode.task = &task;
  while (!episode.done()) {
    const auto unit = static_cast<std::size_t>(episode.cursor);
    const bool keep = rng.chance(0.5);
    if (keep) {
      Segment segment;
      segment.begin = task.boundaries[unit];
      segment.end = task.boundaries[unit + 1];
      episode.segments.push_back(segment);
      episode.output_samples += segment.end - segment.begin;
    }
    episode.actions.push_back({keep ? 1 : 0});
    ++episode.cursor;
  }
  return episode;
}

// ---- action_space ----

void heads(const Subject& subject) {
  const auto all = subject.make<ActionSpace>()->heads();
  expect(!all.empty(), "it has no head", "give at least one head");
  for (const ActionHead& head : all) {
    expect(!head.choices.empty(), "head `" + head.name + "` has no choices", "give it some");
    std::vector<std::string> names = head.choices;
    std::sort(names.begin(), names.end());
    expect(std::adjacent_find(names.begin(), names.end()) == names.end(),
           "head `" + head.name + "` names a choice twice", "give each choice its own name");
  }
}

/// One choice that the mask allows for each head.
std::vector<std::int32_t> allowed_action(const ActionSpace& space, const Episode& episode,
                                         Rng& rng) {
  std::vector<std::int32_t> action;
  const std::vector<ActionHead> all = space.heads();
  for (std::size_t h = 0; h < all.size(); ++h) {
    std::vector<std::uint8_t> mask(all[h].choices.size());
    space.mask(episode, h, action, mask);
    std::vector<std::int32_t> open;
    for (std::size_t c = 0; c < mask.size(); ++c) {
      if (mask[c] != 0) open.push_back(static_cast<std::int32_t>(c));
    }
    expect(!open.empty(), "the mask of head `" + all[h].name + "` allows nothing",
           "leave at least one choice allowed wherever the episode is not over");
    action.push_back(open[rng.below(open.size())]);
  }
  return action;
}

Episode played(const ActionSpace& space, const EpisodeTask& task, std::uint64_t seed) {
  Rng rng(seed);
  EditingEnvironment environment(space, {});
  environment.reset(task, seed);
  while (!environment.done()) {
    expect(environment.episode().actions.size() < kMostActions,
           "an episode of " + std::to_string(task.units()) + " units did not end within " +
               std::to_string(kMostActions) + " actions",
           "let every action, or a bounded number of them, advance the cursor");
    environment.step(allowed_action(space, environment.episode(), rng));
  }
  return environment.episode();
}

void plays(const Subject& subject) {
  const auto space = subject.make<ActionSpace>();
  for (const std::int64_t units : {12, 1}) {
    const EpisodeTask task = task_of(units);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Episode episode = played(*space, task, seed);
      Edl edl;
      edl.sources = {task.source};
      edl.segments = episode.segments;
      const auto wrong = problems(edl);
      expect(wrong.empty(), "an episode gave an unsound EDL: " + (wrong.empty() ? "" : wrong[0]),
             "append only segments inside the source");
      expect(episode.output_samples == edl.output_samples(),
             "the episode says " + std::to_string(episode.output_samples) +
                 " samples of output, its segments are " + std::to_string(edl.output_samples()),
             "count output_samples with every segment that is appended");
    }
  }
}

void replays(const Subject& subject) {
  const auto space = subject.make<ActionSpace>();
  const EpisodeTask task = task_of(12);
  const Episode first = played(*space, task, 5);
  plugin::in_threads([&](int) {
    const Episode again = played(*space, task, 5);
    bool equal = again.actions == first.actions && again.segments.size() == first.segments.size();
    for (std::size_t i = 0; equal && i < first.segments.size(); ++i) {
      equal = again.segments[i].begin == first.segments[i].begin &&
              again.segments[i].end == first.segments[i].end;
    }
    expect(equal, "the same actions gave another edit",
           "let mask and apply depend on the episode alone");
  });
}

// ---- reward ----

void in_range(const Subject& subject) {
  const auto reward = subject.make<Reward>();
  const auto [low, high] = reward->range();
  expect(std::isfinite(low) && std::isfinite(high) && low <= high,
         "its range is " + format_double(low) + " .. " + format_double(high),
         "declare finite bounds, the lower first");
  Rng rng(11);
  for (const std::int64_t units : {16, 2, 1}) {
    const EpisodeTask task = task_of(units);
    for (int i = 0; i < 50; ++i) {
      const double score = reward->score(random_episode(task, rng));
      expect(std::isfinite(score) && score >= low && score <= high,
             "it scored " + format_double(score) + ", its range is " + format_double(low) + " .. " +
                 format_double(high),
             "keep every score inside the declared range");
    }
  }
}

void degenerate(const Subject& subject) {
  const auto reward = subject.make<Reward>();
  EpisodeTask task = task_of(4);
  const auto judge = [&](const Episode& episode, const char* what) {
    plugin::result_or_error([&] {
      expect(std::isfinite(reward->score(episode)),
             std::string("the score of ") + what + " is not finite",
             "give a finite score, or throw an Error that says why not");
    });
  };
  Episode empty;
  empty.task = &task;
  empty.cursor = task.units();
  judge(empty, "an edit without segments");
  EpisodeTask unknown = task;
  unknown.truth = {};
  unknown.truth_kept.clear();
  unknown.target_samples = 0;
  Rng rng(3);
  judge(random_episode(unknown, rng), "an episode without truth and target");
  std::fill(task.features.begin(), task.features.end(), std::numeric_limits<float>::quiet_NaN());
  judge(random_episode(task, rng), "an episode with NaN features");
}

void repeatable(const Subject& subject) {
  const auto reward = subject.make<Reward>();
  const EpisodeTask task = task_of(16);
  Rng rng(17);
  const Episode episode = random_episode(task, rng);
  const double first = reward->score(episode);
  plugin::require_finite_first(first);
  plugin::in_threads([&](int) {
    for (int i = 0; i < 100; ++i) {
      expect(reward->score(episode) == first, "the same episode got two scores",
             "make the score a pure function of the episode");
    }
  });
}

const plugin::RegisterProbes actions(ActionSpace::kind,
                                     {{"heads have choices with names of their own", heads},
                                      {"episodes end in a sound EDL, one unit too", plays},
                                      {"the same actions give the same edit, in several threads",
                                       replays}});
const plugin::RegisterProbes rewards(
    Reward::kind, {{"scores are finite and inside the declared range", in_range},
                   {"empty, unknown and NaN episodes: finite or an error", degenerate},
                   {"the same episode gets the same score, in several threads", repeatable}});

}  // namespace
}  // namespace retake
