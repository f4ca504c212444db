// Least-squares fits of crossfades and fades.

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "refine.hpp"

namespace retake::xcorr {

double fade_weight(Curve curve, double x) {
  x = std::clamp(x, 0.0, 1.0);
  switch (curve) {
    case Curve::equal_power:
      return std::sin(0.5 * std::numbers::pi * x);
    case Curve::equal_gain: {
      const double s = std::sin(0.5 * std::numbers::pi * x);
      return s * s;
    }
    case Curve::exponential:
      return x > 0.0 ? std::pow(10.0, 3.0 * (x - 1.0)) : 0.0;
    case Curve::linear:
      break;
  }
  return x;
}

namespace {

constexpr Curve kCurves[] = {Curve::equal_power, Curve::linear, Curve::equal_gain};

/// fade_weight at (i + 1/2) / kSteps.
class WeightTable {
 public:
  explicit WeightTable(Curve curve) {
    for (std::size_t i = 0; i < kSteps; ++i) {
      values_[i] = static_cast<float>(
          fade_weight(curve, (static_cast<double>(i) + 0.5) / static_cast<double>(kSteps)));
    }
  }
  float operator()(float x) const {
    return values_[std::min(kSteps - 1, static_cast<std::size_t>(x * static_cast<float>(kSteps)))];
  }
  static const WeightTable& of(Curve curve) {
    static const WeightTable power(Curve::equal_power);
    static const WeightTable linear(Curve::linear);
    static const WeightTable gain(Curve::equal_gain);
    return curve == Curve::equal_power ? power : curve == Curve::linear ? linear : gain;
  }

 private:
  static constexpr std::size_t kSteps = 2048;
  std::array<float, kSteps> values_{};
};

/// Squared error of a crossfade of `length` samples centred on `at`, from the prefix errors of the
/// pure sides.
class CrossfadeCost {
 public:
  CrossfadeCost(const std::vector<float>& e, const std::vector<float>& a,
                const std::vector<float>& b)
      : e_(e), a_(a), b_(b), before_(e.size() + 1, 0.0), after_(e.size() + 1, 0.0) {
    for (std::size_t i = 0; i < e.size(); ++i) {
      const double ra = static_cast<double>(e[i]) - a[i];
      const double rb = static_cast<double>(e[i]) - b[i];
      before_[i + 1] = before_[i] + ra * ra;
      after_[i + 1] = after_[i] + rb * rb;
      energy_ += static_cast<double>(e[i]) * e[i];
    }
  }

  std::int64_t size() const { return static_cast<std::int64_t>(e_.size()); }
  double energy() const { return energy_; }

  /// Long crossfades are sampled: at about `points` places.
  double operator()(std::int64_t at, std::int64_t length, Curve curve, std::int64_t points) const {
    const std::int64_t start = at - length / 2;
    const std::int64_t first = std::max<std::int64_t>(0, start);
    const std::int64_t last = std::min(size(), start + length);
    const WeightTable& weight = WeightTable::of(curve);
    const std::int64_t step = std::max<std::int64_t>(1, length / points);
    const float scale = 1.0F / static_cast<float>(length);
    double cost = 0.0;
    for (std::int64_t i = first; i < last; i += step) {
      const float x = (static_cast<float>(i - start) + 0.5F) * scale;
      const auto k = static_cast<std::size_t>(i);
      const float d = e_[k] - weight(1.0F - x) * a_[k] - weight(x) * b_[k];
      cost += static_cast<double>(d) * d;
    }
    return cost * static_cast<double>(step) + before_[static_cast<std::size_t>(first)] +
           after_.back() - after_[static_cast<std::size_t>(last)];
  }

  double hard(std::int64_t at) const {
    return before_[static_cast<std::size_t>(at)] + after_.back() -
           after_[static_cast<std::size_t>(at)];
  }

 private:
  const std::vector<float>& e_;
  const std::vector<float>& a_;
  const std::vector<float>& b_;
  std::vector<double> before_;
  std::vector<double> after_;
  double energy_ = 0.0;
};

constexpr std::int64_t kCoarsePoints = 256;
constexpr std::int64_t kFinePoints = 2048;

struct Trial {
  std::int64_t at = 0;
  std::int64_t length = 0;
  Curve curve = Curve::equal_power;
  double cost = 0.0;
};

/// Halves the steps in position and length until they are one sample.
void polish(const CrossfadeCost& cost, Trial& best, std::int64_t max_samples) {
  for (std::int64_t step = std::max<std::int64_t>(1, best.length / 8); step >= 1;) {
    bool better = false;
    for (const auto& [da, dl] : {std::pair<std::int64_t, std::int64_t>{step, 0},
                                 {-step, 0},
                                 {0, 2 * step},
                                 {0, -2 * step}}) {
      Trial t = best;
      t.at += da;
      t.length += dl;
      if (t.at < 0 || t.at > cost.size() || t.length < 2 || t.length > max_samples) continue;
      t.cost = cost(t.at, t.length, t.curve, kFinePoints);
      if (t.cost < best.cost) {
        best = t;
        better = true;
      }
    }
    if (!better) step /= 2;
  }
}

}  // namespace

JoinFit fit_join(const std::vector<float>& e, const std::vector<float>& a,
                 const std::vector<float>& b, std::int64_t max_samples) {
  const CrossfadeCost cost(e, a, b);
  const std::int64_t n = cost.size();
  Trial hard;
  hard.at = n / 2;
  hard.cost = cost.hard(n / 2);
  for (std::int64_t at = 0; at <= n; ++at) {
    if (const double c = cost.hard(at); c < hard.cost) {
      hard.cost = c;
      hard.at = at;
    }
  }
  // Nothing is left to explain, or no window to explain it in.
  if (hard.cost <= 1e-6 * cost.energy() || n < 128) return {hard.at, {}};
  Trial best = hard;
  const std::int64_t longest = std::min(max_samples, n);
  for (std::int64_t length = 64; length <= longest; length = length * 3 / 2) {
    const std::int64_t stride = std::max<std::int64_t>(8, length / 6);
    const std::int64_t low = std::max<std::int64_t>(0, hard.at - length);
    const std::int64_t high = std::min(n, hard.at + length);
    for (const Curve curve : kCurves) {
      for (std::int64_t at = low; at <= high; at += stride) {
        const double c = cost(at, length, curve, kCoarsePoints);
        if (c < best.cost) best = {at, length, curve, c};
      }
    }
  }
  if (best.length > 0) {
    best.cost = cost(best.at, best.length, best.curve, kFinePoints);
    polish(cost, best, longest);
    for (const Curve curve : kCurves) {
      Trial other = best;
      other.curve = curve;
      other.cost = cost(other.at, other.length, curve, kFinePoints);
      polish(cost, other, longest);
      if (other.cost < best.cost) best = other;
    }
  }
  // Two more parameters must pay: the error falls by a fifth, else the cut is hard.
  if (best.length == 0 || best.cost > 0.8 * hard.cost) return {hard.at, {}};
  return {best.at, {best.length, best.curve}};
}

Fade fit_fade(const std::vector<double>& ratio, const std::vector<double>& energy, double gain,
              std::int64_t block) {
  const auto n = ratio.size();
  if (n < 2 || gain <= 0.0) return {};
  const auto error = [&](std::size_t blocks, Curve curve, std::size_t over) {
    double sum = 0.0;
    for (std::size_t k = 0; k < over; ++k) {
      const double x =
          (static_cast<double>(k) + 0.5) / static_cast<double>(std::max<std::size_t>(1, blocks));
      const double w = blocks == 0 ? 1.0 : fade_weight(curve, x);
      const double d = ratio[k] / gain - w;
      sum += energy[k] * d * d;
    }
    return sum;
  };
  Fade best;
  double most = 0.0;
  for (std::size_t blocks = 1; blocks <= n; blocks = std::max(blocks + 1, blocks * 21 / 20)) {
    for (const Curve curve : {Curve::linear, Curve::equal_power, Curve::exponential}) {
      // Judged where the fade would act: a fade must explain most of what its lack leaves over.
      const double without = error(0, curve, blocks);
      const double with = error(blocks, curve, blocks);
      double heard = 0.0;
      for (std::size_t k = 0; k < blocks; ++k) heard += energy[k];
      if (without < 0.05 * heard || with > 0.3 * without) continue;
      if (without - with > most) {
        most = without - with;
        best = {static_cast<std::int64_t>(blocks) * block, curve};
      }
    }
  }
  return best;
}

}  // namespace retake::xcorr
