#include "search.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <mutex>

namespace self_similarity {

namespace {

using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::int64_t kLags = 128;  // lags that are followed together
constexpr std::int64_t kTile = 128;  // rows per product
constexpr float kNone = -2.0F;       // below every mean of dot products

/// Sums over the products of one block of lags.
struct Moments {
  double count = 0, sum = 0, squares = 0;
};

std::vector<Matches> empty_matches(std::size_t windows, std::size_t count) {
  Matches m;
  m.later.assign(count, kNone);
  m.earlier.assign(count, kNone);
  m.later_lag.assign(count, 0);
  m.earlier_lag.assign(count, 0);
  return std::vector<Matches>(windows, m);
}

/// Follows the lags [first, first + kLags) from the first row to the last.
class LagBlock {
 public:
  LagBlock(const Rows& x, std::int64_t count, const SearchOptions& options, std::int64_t first,
           std::vector<Matches>& best, Moments* moments)
      : x_(x), count_(count), options_(options), first_(first), best_(best), moments_(moments) {
    ring_ = 1 + *std::max_element(options.windows.begin(), options.windows.end());
    history_.setZero(ring_, kLags);
    sums_.setZero(static_cast<Eigen::Index>(options.windows.size()), kLags);
  }

  void run() {
    for (std::int64_t tile = 0; tile + first_ < count_; tile += kTile) {
      const std::int64_t rows = std::min(kTile, count_ - first_ - tile);
      const std::int64_t columns = std::min(rows + kLags, x_.rows() - tile - first_);
      products_.noalias() =
          x_.middleRows(tile, rows) * x_.middleRows(tile + first_, columns).transpose();
      for (std::int64_t r = 0; r < rows; ++r) step(tile + r, products_.row(r).data() + r);
    }
  }

 private:
  /// `dots[l]` is the product of rows t and t + first_ + l.
  void step(std::int64_t t, const float* dots) {
    const std::int64_t last_lag = std::min(options_.max_lag, count_ - 1 - t);
    const std::int64_t lags = std::min(kLags, last_lag - first_ + 1);
    if (lags <= 0) return;
    float* now = history_.row(t % ring_).data();
    std::copy(dots, dots + lags, now);
    std::fill(now + lags, now + kLags, 0.0F);
    for (std::size_t w = 0; w < options_.windows.size(); ++w) {
      const std::int64_t length = options_.windows[w];
      float* sum = sums_.row(static_cast<Eigen::Index>(w)).data();
      const std::int64_t start = t - length + 1;
      if (start > 0) {
        const float* old = history_.row((t - length) % ring_).data();
        for (std::int64_t l = 0; l < lags; ++l) sum[l] += now[l] - old[l];
      } else {
        for (std::int64_t l = 0; l < lags; ++l) sum[l] += now[l];
      }
      if (start < 0) continue;
      update(best_[w], start, sum, lags, 1.0F / static_cast<float>(length));
      tally(moments_[w], sum, lags, 1.0F / static_cast<float>(length));
    }
  }

  void update(Matches& best, std::int64_t start, const float* sum, std::int64_t lags,
              float scale) const {
    float* earlier = best.earlier.data() + start + first_;
    std::int32_t* earlier_lag = best.earlier_lag.data() + start + first_;
    float most = kNone;
    const auto first = static_cast<std::int32_t>(first_);
    for (std::int64_t l = 0; l < lags; ++l) {
      const float v = sum[l] * scale;
      most = std::max(most, v);
      // Rows come in order, so a place meets the longer lags first: of equal values the shortest
      // lag must stay.
      const bool better = v >= earlier[l];
      earlier[l] = better ? v : earlier[l];
      earlier_lag[l] = better ? first + static_cast<std::int32_t>(l) : earlier_lag[l];
    }
    const auto s = static_cast<std::size_t>(start);
    if (most > best.later[s]) {
      std::int64_t at = 0;
      while (sum[at] * scale < most) ++at;
      best.later[s] = most;
      best.later_lag[s] = first + static_cast<std::int32_t>(at);
    }
  }

  static void tally(Moments& moments, const float* sum, std::int64_t lags, float scale) {
    const Eigen::Map<const Eigen::ArrayXf> values(sum, lags);
    moments.count += static_cast<double>(lags);
    moments.sum += static_cast<double>(scale * values.sum());
    moments.squares += static_cast<double>(scale * scale * values.square().sum());
  }

  const Rows& x_;
  std::int64_t count_;
  const SearchOptions& options_;
  std::int64_t first_, ring_ = 1;
  std::vector<Matches>& best_;
  Moments* moments_;  ///< one per window
  Rows products_, history_, sums_;
};

void merge_one(float value, std::int32_t lag, float& best, std::int32_t& best_lag) {
  if (value > best || (value == best && value > kNone && lag < best_lag)) {
    best = value;
    best_lag = lag;
  }
}

void merge(const std::vector<Matches>& from, std::vector<Matches>& into) {
  for (std::size_t w = 0; w < from.size(); ++w) {
    for (std::size_t t = 0; t < from[w].later.size(); ++t) {
      merge_one(from[w].later[t], from[w].later_lag[t], into[w].later[t], into[w].later_lag[t]);
      merge_one(from[w].earlier[t], from[w].earlier_lag[t], into[w].earlier[t],
                into[w].earlier_lag[t]);
    }
  }
}

/// Mean and deviation from the blocks' sums, added in one order.
void set_moments(Matches& m, const std::vector<Moments>& blocks, std::size_t window,
                 std::size_t windows) {
  Moments all;
  for (std::size_t i = window; i < blocks.size(); i += windows) {
    all.count += blocks[i].count;
    all.sum += blocks[i].sum;
    all.squares += blocks[i].squares;
  }
  if (all.count == 0) return;
  m.mean = all.sum / all.count;
  m.deviation = std::sqrt(std::max(0.0, all.squares / all.count - m.mean * m.mean));
}

}  // namespace

std::vector<Matches> search(const std::vector<float>& rows, std::int64_t width,
                            const SearchOptions& options, const ParallelFor& parallel_for) {
  const auto count = static_cast<std::int64_t>(rows.size()) / width;
  Rows x = Rows::Zero(count + kLags, width);  // zeros behind the end, so that tiles need no edge
  x.topRows(count) = Eigen::Map<const Rows>(rows.data(), count, width);

  std::vector<Matches> best =
      empty_matches(options.windows.size(), static_cast<std::size_t>(count));
  const std::int64_t lags = std::min(options.max_lag, count - 1) - options.min_lag + 1;
  const std::size_t blocks =
      lags > 0 ? static_cast<std::size_t>((lags + kLags - 1) / kLags) : std::size_t{0};
  const std::size_t windows = options.windows.size();
  std::vector<Moments> moments(blocks * windows);
  std::mutex mutex;
  parallel_for(blocks, [&](std::size_t begin, std::size_t end) {
    std::vector<Matches> mine =
        empty_matches(options.windows.size(), static_cast<std::size_t>(count));
    for (std::size_t i = begin; i < end; ++i) {
      // Short lags cost most: taken from both ends in turn, so that every thread gets its share.
      const std::size_t block = i % 2 == 0 ? i / 2 : blocks - 1 - i / 2;
      std::vector<Matches> of_block =
          empty_matches(options.windows.size(), static_cast<std::size_t>(count));
      LagBlock(x, count, options, options.min_lag + static_cast<std::int64_t>(block) * kLags,
               of_block, moments.data() + block * windows)
          .run();
      merge(of_block, mine);
    }
    const std::scoped_lock lock(mutex);
    merge(mine, best);
  });
  for (std::size_t w = 0; w < windows; ++w) {
    Matches& m = best[w];
    set_moments(m, moments, w, windows);
    for (float& v : m.later) v = v == kNone ? 0.0F : v;
    for (float& v : m.earlier) v = v == kNone ? 0.0F : v;
  }
  return best;
}

}  // namespace self_similarity
