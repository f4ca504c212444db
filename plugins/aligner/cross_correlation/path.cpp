#include "path.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace retake::xcorr {
namespace {

constexpr double kTolerance = 1.2;      ///< matches of one line, samples
constexpr std::int64_t kPatience = 43;  ///< rows (2 s) that a line may be unseen
constexpr std::int64_t kMargin = 70;    ///< sounding frames (0.8 s) measured beyond the chunks seen
constexpr std::int64_t kLongMargin = 430;  ///< of lines that are certain (5 s): sustained
                                           ///< tones leave the chunks' places open
constexpr std::int64_t kSmooth = 3;        ///< frames on each side

struct Support {
  double offset;
  std::int64_t first;  ///< edit rows
  std::int64_t last;
  float best;
  int count;
};

/// Clusters by offset, then splits at long absences.
std::vector<Support> cluster(std::vector<Match> matches) {
  std::sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.row < b.row;
  });
  std::vector<Support> out;
  for (std::size_t begin = 0; begin < matches.size();) {
    // A cluster reaches while neighbours are close, but no wider than the tolerance.
    std::size_t end = begin + 1;
    while (end < matches.size() && matches[end].offset - matches[begin].offset < 2.0 * kTolerance &&
           matches[end].offset - matches[end - 1].offset < kTolerance) {
      ++end;
    }
    std::sort(matches.begin() + static_cast<std::ptrdiff_t>(begin),
              matches.begin() + static_cast<std::ptrdiff_t>(end),
              [](const Match& a, const Match& b) { return a.row < b.row; });
    for (std::size_t i = begin; i < end;) {
      double weight = 0.0;
      double sum = 0.0;
      Support s{0.0, matches[i].row, matches[i].row, 0.0F, 0};
      for (; i < end && matches[i].row - s.last <= kPatience; ++i) {
        const double c = matches[i].correlation;
        const double w = std::pow(c, 4) / (1.0 - std::min(c, 0.999));
        weight += w;
        sum += w * matches[i].offset;
        s.last = std::max(s.last, matches[i].row + matches[i].rows);
        s.best = std::max(s.best, matches[i].correlation);
        ++s.count;
      }
      s.offset = sum / weight;
      out.push_back(s);
    }
    begin = end;
  }
  return out;
}

/// Frames where the edit is silent: every line explains them.
std::vector<char> silent_frames(const Samples& x, std::int64_t frames) {
  double total = 0.0;
  for (const float v : x) total += static_cast<double>(v) * v;
  const double floor = 1e-8 * total / static_cast<double>(std::max<std::size_t>(1, x.size()));
  std::vector<char> out(static_cast<std::size_t>(frames), 0);
  const auto size = static_cast<std::int64_t>(x.size());
  for (std::int64_t t = 0; t < frames; ++t) {
    double energy = 0.0;
    const std::int64_t begin = std::max<std::int64_t>(0, t * kFrame - kFrame / 2);
    const std::int64_t end = std::min(size, t * kFrame + kFrame / 2);
    for (std::int64_t i = begin; i < end; ++i) {
      energy +=
          static_cast<double>(x[static_cast<std::size_t>(i)]) * x[static_cast<std::size_t>(i)];
    }
    out[static_cast<std::size_t>(t)] = energy <= floor * kFrame;
  }
  return out;
}

/// Per frame sums of products, smoothed by a triangle.
void smooth(std::vector<double>& x) {
  const auto n = static_cast<std::int64_t>(x.size());
  std::vector<double> y(x.size(), 0.0);
  for (std::int64_t t = 0; t < n; ++t) {
    for (std::int64_t k = -kSmooth; k <= kSmooth; ++k) {
      const std::int64_t at = std::clamp<std::int64_t>(t + k, 0, n - 1);
      y[static_cast<std::size_t>(t)] +=
          static_cast<double>(kSmooth + 1 - std::abs(k)) * x[static_cast<std::size_t>(at)];
    }
  }
  x = std::move(y);
}

/// The offset at which raw and edit agree best, to about a hundredth of a sample: parabola through
/// the correlations at three offsets over up to 1.5 s. Near-identical passes differ by less than a
/// tenth of a sample of mistuning costs.
double tune(const Samples& raw, const Samples& edit, double offset, std::int64_t begin,
            std::int64_t end) {
  constexpr double kStep = 0.2;
  const std::int64_t middle = (begin + end) / 2;
  begin = std::max({begin, middle - 8192, std::int64_t{0}});
  end = std::min({end, middle + 8192, static_cast<std::int64_t>(edit.size())});
  if (end - begin < 1024) return offset;
  std::vector<float> r(static_cast<std::size_t>(end - begin));
  double value[3] = {0.0, 0.0, 0.0};
  for (int k = 0; k < 3; ++k) {
    read_shifted(raw, static_cast<double>(begin) + offset + (k - 1) * kStep, end - begin, r.data());
    double er = 0.0;
    double rr = 0.0;
    for (std::size_t i = 0; i < r.size(); ++i) {
      er += static_cast<double>(edit[static_cast<std::size_t>(begin) + i]) * r[i];
      rr += static_cast<double>(r[i]) * r[i];
    }
    value[k] = rr > 0.0 ? er / std::sqrt(rr) : 0.0;
  }
  const double curvature = value[0] - 2.0 * value[1] + value[2];
  if (curvature >= 0.0) return offset;
  return offset + kStep * std::clamp(0.5 * (value[0] - value[2]) / curvature, -2.0, 2.0);
}

/// The frame `margin` sounding frames from `frame`, forward or back: a line goes on through
/// silence, where nothing can be matched.
std::int64_t reach(const std::vector<char>& silent, std::int64_t frame, std::int64_t step,
                   std::int64_t margin) {
  const auto frames = static_cast<std::int64_t>(silent.size());
  while (margin > 0 && frame + step >= 0 && frame + step <= frames) {
    frame += step;
    if (frame < frames && !silent[static_cast<std::size_t>(frame)]) --margin;
  }
  return frame;
}

Line measure(const Samples& raw, const Samples& edit, const Support& support,
             const std::vector<char>& silent) {
  const auto frames = static_cast<std::int64_t>(silent.size());
  const std::int64_t margin = support.count >= 3 && support.best > 0.7F ? kLongMargin : kMargin;
  constexpr std::int64_t kRowFrames = Bands::kHop / kFrame;
  Line line;
  line.offset =
      tune(raw, edit, support.offset, support.first * Bands::kHop, support.last * Bands::kHop);
  line.first = reach(silent, std::min(frames, support.first * kRowFrames), -1, margin);
  const std::int64_t last = reach(silent, std::min(frames, support.last * kRowFrames), 1, margin);
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(0, last - line.first));
  std::vector<double> er(count);
  std::vector<double> rr(count);
  std::vector<double> ee(count);
  std::vector<float> r(kFrame);
  const auto size = static_cast<std::int64_t>(edit.size());
  for (std::size_t t = 0; t < count; ++t) {
    // A frame is centred on its time.
    const std::int64_t begin = (line.first + static_cast<std::int64_t>(t)) * kFrame - kFrame / 2;
    read_shifted(raw, static_cast<double>(begin) + line.offset, kFrame, r.data());
    for (std::int64_t i = std::max<std::int64_t>(0, -begin); i < kFrame && begin + i < size; ++i) {
      const double e = edit[static_cast<std::size_t>(begin + i)];
      const double v = r[static_cast<std::size_t>(i)];
      er[t] += e * v;
      rr[t] += v * v;
      ee[t] += e * e;
    }
  }
  smooth(er);
  smooth(rr);
  smooth(ee);
  line.correlation.resize(count);
  for (std::size_t t = 0; t < count; ++t) {
    const double energy = rr[t] * ee[t];
    const double c = energy > 1e-18 ? er[t] / std::sqrt(energy) : 0.0;
    line.correlation[t] = static_cast<float>(std::clamp(c, 0.0, 1.0));
  }
  return line;
}

}  // namespace

std::vector<Line> measure_lines(const Samples& raw, const Samples& edit, std::vector<Match> matches,
                                const Context& context) {
  auto supports = cluster(std::move(matches));
  // A single weak match is chance.
  std::erase_if(supports,
                [](const Support& s) { return s.best < 0.35F || (s.count == 1 && s.best < 0.5F); });
  const auto silent = silent_frames(edit, static_cast<std::int64_t>(edit.size()) / kFrame + 1);
  std::vector<Line> lines(supports.size());
  context.parallel_for(supports.size(), 4, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) lines[i] = measure(raw, edit, supports[i], silent);
  });
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return a.first != b.first ? a.first < b.first : a.offset < b.offset;
  });
  return lines;
}

namespace {

constexpr double kIndependent = 4.0;  ///< independent values that a frame is counted as
constexpr double kLeastResidual = 1e-3;

double log_likelihood(double correlation) {
  return -0.5 * kIndependent * std::log(std::max(1.0 - correlation * correlation, kLeastResidual));
}

/// Jumps forward are what edits mostly do: among exact repeats the nearest one ahead wins.
double jump_penalty(double from, double to) {
  const double seconds = (to - from) / kRate;
  return seconds >= 0.0 ? std::min(1.0, 0.1 * std::log1p(seconds))
                        : 1.0 + std::min(1.0, 0.1 * std::log1p(-seconds));
}

class Viterbi {
 public:
  Viterbi(const std::vector<Line>& lines, const Samples& raw, const Samples& edit,
          std::int64_t frames, const PathSettings& settings)
      : lines_(lines),
        frames_(frames),
        settings_(settings),
        silent_(silent_frames(edit, frames)),
        none_(log_likelihood(settings.no_source)) {
    raw_silent_ = silent_frames(raw, static_cast<std::int64_t>(raw.size()) / kFrame + 1);
    came_from_.resize(lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      came_from_[i].assign(lines[i].correlation.size(), kContinue);
    }
    none_from_.assign(static_cast<std::size_t>(frames), kContinue);
  }

  std::vector<Run> run() {
    forward();
    return backward();
  }

 private:
  static constexpr std::int32_t kContinue = -2;
  static constexpr std::int32_t kNone = -1;
  struct State {
    std::int32_t line;
    double score;
  };

  double emission(const Line& line, std::int64_t t) const {
    if (!silent_[static_cast<std::size_t>(t)]) {
      return log_likelihood(line.correlation[static_cast<std::size_t>(t - line.first)]);
    }
    const auto at = std::llround(line.offset / kFrame) + t;
    const bool quiet = at < 0 || at >= static_cast<std::int64_t>(raw_silent_.size()) ||
                       raw_silent_[static_cast<std::size_t>(at)];
    // Barely less than "no source": silence beside a run is no proof of it, within one it goes on.
    return quiet ? 0.99 * none_ : 0.0;
  }

  /// Cost of going from one line to another; parts of one line are one.
  double leave(const Line& from, const Line& to, std::int64_t t) const {
    if (t == 0 || std::abs(from.offset - to.offset) < 1.0) return 0.0;
    return settings_.jump_cost + jump_penalty(from.offset, to.offset);
  }

  void forward() {
    std::vector<State> states;
    double none = 0.0;
    std::size_t next = 0;
    for (std::int64_t t = 0; t < frames_; ++t) {
      // The best score that any state reaches by leaving its line.
      std::vector<State> now;
      const auto enter = [&](std::int32_t i, double own) {
        const Line& line = lines_[static_cast<std::size_t>(i)];
        double best = own;
        std::int32_t from = kContinue;
        const double jump = t == 0 ? 0.0 : settings_.jump_cost;
        if (none - jump > best) {
          best = none - jump;
          from = kNone;
        }
        for (const auto& s : states) {
          if (s.line == i || s.score <= best) continue;
          const double v = s.score - leave(lines_[static_cast<std::size_t>(s.line)], line, t);
          if (v > best) {
            best = v;
            from = s.line;
          }
        }
        came_from_[static_cast<std::size_t>(i)][static_cast<std::size_t>(t - line.first)] = from;
        now.push_back({i, best + emission(line, t)});
      };
      for (const auto& s : states) {
        if (t < lines_[static_cast<std::size_t>(s.line)].last()) enter(s.line, s.score);
      }
      for (; next < lines_.size() && lines_[next].first <= t; ++next) {
        if (t < lines_[next].last()) {
          enter(static_cast<std::int32_t>(next), -std::numeric_limits<double>::infinity());
        }
      }
      std::int32_t from = kContinue;
      double best = none;
      for (const auto& s : states) {
        if (s.score - settings_.jump_cost > best) {
          best = s.score - settings_.jump_cost;
          from = s.line;
        }
      }
      none_from_[static_cast<std::size_t>(t)] = from;
      none = best + none_;
      states = std::move(now);
    }
    end_ = kNone;
    double best = none;
    for (const auto& s : states) {
      if (s.score > best) {
        best = s.score;
        end_ = s.line;
      }
    }
  }

  std::vector<Run> backward() const {
    std::vector<Run> runs;
    std::int32_t at = end_;
    Run run{0, frames_, at};
    for (std::int64_t t = frames_ - 1; t >= 0; --t) {
      const std::int32_t from =
          at == kNone ? none_from_[static_cast<std::size_t>(t)]
                      : came_from_[static_cast<std::size_t>(at)][static_cast<std::size_t>(
                            t - lines_[static_cast<std::size_t>(at)].first)];
      if (from == kContinue || t == 0) continue;
      run.first = t;
      runs.push_back(run);
      at = from;
      run = {0, t, at};
    }
    run.first = 0;
    runs.push_back(run);
    std::reverse(runs.begin(), runs.end());
    return runs;
  }

  const std::vector<Line>& lines_;
  std::int64_t frames_;
  PathSettings settings_;
  std::vector<char> silent_;
  std::vector<char> raw_silent_;
  double none_;
  std::vector<std::vector<std::int32_t>> came_from_;
  std::vector<std::int32_t> none_from_;
  std::int32_t end_ = kNone;
};

/// Mean correlation of a run on its line.
double mean_correlation(const Run& run, const std::vector<Line>& lines) {
  const Line& line = lines[static_cast<std::size_t>(run.line)];
  double sum = 0.0;
  for (std::int64_t t = run.first; t < run.last; ++t) {
    sum += line.correlation[static_cast<std::size_t>(t - line.first)];
  }
  return sum / static_cast<double>(std::max<std::int64_t>(1, run.last - run.first));
}

/// The mean correlation that half of the frames with a source reach.
double typical_correlation(const std::vector<Run>& runs, const std::vector<Line>& lines) {
  std::vector<std::pair<double, std::int64_t>> all;
  std::int64_t frames = 0;
  for (const auto& run : runs) {
    if (run.line < 0) continue;
    all.emplace_back(mean_correlation(run, lines), run.last - run.first);
    frames += run.last - run.first;
  }
  std::sort(all.begin(), all.end());
  std::int64_t passed = 0;
  for (const auto& [correlation, length] : all) {
    passed += length;
    if (2 * passed >= frames) return correlation;
  }
  return 0.0;
}

/// Runs that are too short, or short and much poorer than the others (a tone that happens to sound
/// elsewhere too), become "no source"; neighbours without source merge.
std::vector<Run> tidy(std::vector<Run> runs, const std::vector<Line>& lines,
                      const PathSettings& settings) {
  const auto least = static_cast<std::int64_t>(settings.min_run_seconds * kRate / kFrame);
  constexpr std::int64_t kShort = 86;  // frames, 1 s
  const double poor = 0.85 * typical_correlation(runs, lines);
  std::vector<Run> out;
  for (auto run : runs) {
    const std::int64_t length = run.last - run.first;
    if (run.line >= 0 &&
        (length < least || (length < kShort && mean_correlation(run, lines) < poor))) {
      run.line = -1;
    }
    if (!out.empty() && out.back().line < 0 && run.line < 0) {
      out.back().last = run.last;
    } else if (!out.empty() && out.back().line >= 0 && run.line >= 0 &&
               std::abs(lines[static_cast<std::size_t>(out.back().line)].offset -
                        lines[static_cast<std::size_t>(run.line)].offset) < 1.0) {
      out.back().last = run.last;
    } else {
      out.push_back(run);
    }
  }
  return out;
}

}  // namespace

std::vector<Run> best_path(const std::vector<Line>& lines, const Samples& raw, const Samples& edit,
                           std::int64_t frames, const PathSettings& settings) {
  return tidy(Viterbi(lines, raw, edit, frames, settings).run(), lines, settings);
}

}  // namespace retake::xcorr
