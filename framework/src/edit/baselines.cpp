#include "edit/baselines.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "edit/frames.hpp"
#include "edit/metrics.hpp"

namespace retake::edit {
namespace {

constexpr double kFloorDb = -120.0;
constexpr double kFramesPerSecond = 22050.0 / 256.0;
constexpr std::int64_t kChunk = 2048;  // frames of levels computed at once

void require(bool good, const char* what) {
  if (!good) throw std::invalid_argument(what);
}

Segment copied(std::int64_t begin, std::int64_t end) {
  Segment s;
  s.begin = begin;
  s.end = end;
  return s;
}

double from_db(double db) {
  return std::pow(10.0, db / 10.0);
}
double to_db(double power) {
  return std::max(kFloorDb, 10.0 * std::log10(std::max(power, 1e-30)));
}

/// Centred moving average of the power of `level_db`, in dB.
std::vector<double> smoothed(std::span<const double> level_db, double seconds) {
  const auto n = static_cast<std::int64_t>(level_db.size());
  const auto reach = static_cast<std::int64_t>(std::floor(seconds * kFramesPerSecond / 2.0 + 0.5));
  std::vector<double> sums(level_db.size() + 1, 0.0);
  for (std::size_t t = 0; t < level_db.size(); ++t) sums[t + 1] = sums[t] + from_db(level_db[t]);
  std::vector<double> result(level_db.size());
  for (std::int64_t t = 0; t < n; ++t) {
    const std::int64_t begin = std::max<std::int64_t>(0, t - reach);
    const std::int64_t end = std::min(n, t + reach + 1);
    const double sum = sums[static_cast<std::size_t>(end)] - sums[static_cast<std::size_t>(begin)];
    result[static_cast<std::size_t>(t)] = to_db(sum / static_cast<double>(end - begin));
  }
  return result;
}

double percentile(std::vector<double> values, double q) {
  const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

/// Turns runs of `value` that are shorter than `frames` into the other value. Runs at the ends of
/// the recording are not spared.
void drop_short(std::vector<bool>& mask, bool value, std::int64_t frames) {
  const auto n = static_cast<std::int64_t>(mask.size());
  for (std::int64_t begin = 0; begin < n;) {
    std::int64_t end = begin;
    while (end < n &&
           mask[static_cast<std::size_t>(end)] == mask[static_cast<std::size_t>(begin)]) {
      ++end;
    }
    if (mask[static_cast<std::size_t>(begin)] == value && end - begin < frames) {
      for (std::int64_t t = begin; t < end; ++t) mask[static_cast<std::size_t>(t)] = !value;
    }
    begin = end;
  }
}

Edl edit_of_mask(EdlSource source, const std::vector<bool>& mask) {
  const FrameMath frames(TimeGrid{}, source.sample_rate);
  const auto half = static_cast<std::int64_t>(frames.hop() / 2.0);
  const auto n = static_cast<std::int64_t>(mask.size());
  Edl edl;
  for (std::int64_t begin = 0; begin < n;) {
    std::int64_t end = begin;
    while (end < n &&
           mask[static_cast<std::size_t>(end)] == mask[static_cast<std::size_t>(begin)]) {
      ++end;
    }
    if (mask[static_cast<std::size_t>(begin)]) {
      const std::int64_t from =
          begin == 0 ? 0 : std::min(source.samples, frames.centre_floor(begin) - half);
      const std::int64_t to =
          end == n ? source.samples : std::min(source.samples, frames.centre_floor(end) - half);
      if (from < to) edl.segments.push_back(copied(from, to));
    }
    begin = end;
  }
  edl.sources.push_back(std::move(source));
  return edl;
}

}  // namespace

Edl keep_all_edit(EdlSource source) {
  return identity_edl(std::move(source));
}

Edl copy_edit(EdlSource source, std::int64_t samples) {
  Edl edl;
  const std::int64_t end = std::min(samples, source.samples);
  if (end > 0) edl.segments.push_back(copied(0, end));
  edl.sources.push_back(std::move(source));
  return edl;
}

Edl linear_ratio_edit(EdlSource source, double ratio) {
  require(ratio > 0.0 && ratio <= 1.0, "linear_ratio_edit: ratio must be in (0, 1]");
  TimeGrid grid = frame_grid(source.samples, source.sample_rate);
  std::vector<std::int64_t> p;
  for (std::int64_t t = 0;; ++t) {
    const auto raw = static_cast<std::int64_t>(std::floor(static_cast<double>(t) / ratio));
    if (raw >= grid.rows) break;
    p.push_back(raw);
  }
  grid.rows = static_cast<std::int64_t>(p.size());
  return from_pointers(p, std::move(source), grid);
}

Edl random_edit(EdlSource source, double ratio, Rng& rng, double mean_keep_s) {
  require(ratio > 0.0 && ratio <= 1.0, "random_edit: ratio must be in (0, 1]");
  require(mean_keep_s > 0.0, "random_edit: mean_keep_s must be positive");
  const double seconds = static_cast<double>(source.samples) / source.sample_rate;
  const auto count = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(std::floor(seconds * ratio / mean_keep_s + 0.5)));
  // Exponential lengths, scaled so that kept and cut parts fill their shares exactly; one more cut
  // than keeps, so that an edit may begin and end anywhere.
  std::vector<double> keeps;
  std::vector<double> cuts;
  double kept = 0.0;
  double cut = 0.0;
  for (std::int64_t i = 0; i < count; ++i) kept += keeps.emplace_back(-std::log1p(-rng.uniform()));
  for (std::int64_t i = 0; i <= count; ++i) cut += cuts.emplace_back(-std::log1p(-rng.uniform()));
  const auto samples = static_cast<double>(source.samples);
  double at = 0.0;
  Edl edl;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto k = static_cast<std::size_t>(i);
    at += cut > 0.0 ? cuts[k] / cut * (1.0 - ratio) * samples : 0.0;
    const auto begin = static_cast<std::int64_t>(at + 0.5);
    at += kept > 0.0 ? keeps[k] / kept * ratio * samples : 0.0;
    const auto end = std::min(source.samples, static_cast<std::int64_t>(at + 0.5));
    if (begin < end) edl.segments.push_back(copied(begin, end));
  }
  edl.sources.push_back(std::move(source));
  merge_contiguous(edl);
  return edl;
}

Edl energy_gate_edit(EdlSource source, std::span<const double> level_db, const EnergyGate& gate) {
  if (level_db.empty()) return edit_of_mask(std::move(source), {});
  const std::vector<double> level = smoothed(level_db, gate.smooth_s);
  const double threshold = percentile(level, 0.95) + gate.threshold_db;
  std::vector<bool> mask(level.size());
  for (std::size_t t = 0; t < level.size(); ++t) mask[t] = level[t] >= threshold;
  const auto in_frames = [](double seconds) {
    return static_cast<std::int64_t>(std::ceil(seconds * kFramesPerSecond));
  };
  drop_short(mask, false, in_frames(gate.min_cut_s));
  drop_short(mask, true, in_frames(gate.min_keep_s));
  return edit_of_mask(std::move(source), mask);
}

std::vector<double> frame_levels(AudioSource& source) {
  const AudioInfo& info = source.info();
  const TimeGrid grid = frame_grid(info.samples, info.sample_rate);
  const FrameMath frames(grid, info.sample_rate);
  const auto half = static_cast<std::int64_t>(frames.hop() / 2.0);
  const auto edge = [&](std::int64_t t) {
    return std::clamp<std::int64_t>(frames.centre_floor(t) - half, 0, info.samples);
  };
  std::vector<double> levels(static_cast<std::size_t>(grid.rows), kFloorDb);
  std::vector<std::vector<float>> channels(static_cast<std::size_t>(info.channels));
  std::vector<float*> out(channels.size());
  for (std::int64_t first = 0; first < grid.rows; first += kChunk) {
    const std::int64_t last = std::min(grid.rows, first + kChunk);
    const std::int64_t begin = edge(first);
    const std::int64_t n = edge(last) - begin;
    for (std::size_t c = 0; c < channels.size(); ++c) {
      channels[c].resize(static_cast<std::size_t>(n));
      out[c] = channels[c].data();
    }
    source.read(begin, n, out);
    for (std::int64_t t = first; t < last; ++t) {
      const std::int64_t from = edge(t) - begin;
      const std::int64_t to = edge(t + 1) - begin;
      double sum = 0.0;
      for (const auto& channel : channels) {
        for (std::int64_t i = from; i < to; ++i) {
          const double x = channel[static_cast<std::size_t>(i)];
          sum += x * x;
        }
      }
      if (to > from) {
        levels[static_cast<std::size_t>(t)] =
            to_db(sum / static_cast<double>((to - from) * info.channels));
      }
    }
  }
  return levels;
}

EnergyGate tune_energy_gate(std::span<const GateSong> songs, EnergyGate gate) {
  if (songs.empty()) return gate;
  EnergyGate best = gate;
  double best_f1 = -1.0;
  for (int db = -60; db <= -2; db += 2) {
    gate.threshold_db = db;
    double sum = 0.0;
    for (const GateSong& song : songs) {
      const Edl edl = energy_gate_edit(song.source, song.level_db, gate);
      sum += edit_metrics(song.truth, edl, song.source.samples).at("edit_f1");
    }
    if (sum > best_f1) {
      best_f1 = sum;
      best = gate;
    }
  }
  return best;
}

}  // namespace retake::edit
