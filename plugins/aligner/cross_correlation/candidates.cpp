#include "candidates.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <numbers>

#include "retake/audio/fft.hpp"

namespace retake::xcorr {
namespace {

constexpr std::size_t kWindow = 1024;  ///< 93 ms; two overlapping spectra make a row

/// Triangular bands, equally spaced in mel (HTK) from 60 Hz to 5.3 kHz.
class BandMap {
 public:
  BandMap() {
    const auto mel = [](double f) { return 2595.0 * std::log10(1.0 + f / 700.0); };
    const double low = mel(60.0);
    const double step = (mel(5300.0) - low) / (Bands::kCount + 1);
    for (std::size_t k = 0; k < kWindow / 2 + 1; ++k) {
      const double at = (mel(static_cast<double>(k) * kRate / kWindow) - low) / step - 1.0;
      for (std::int64_t b = 0; b < Bands::kCount; ++b) {
        const double weight = 1.0 - std::abs(at - static_cast<double>(b));
        if (weight > 0.0) {
          entries_.push_back({static_cast<std::uint16_t>(k), static_cast<std::uint16_t>(b),
                              static_cast<float>(weight)});
        }
      }
    }
  }
  void add(const std::complex<float>* spectrum, float* bands) const {
    for (const auto& e : entries_) bands[e.band] += e.weight * std::norm(spectrum[e.bin]);
  }

 private:
  struct Entry {
    std::uint16_t bin, band;
    float weight;
  };
  std::vector<Entry> entries_;
};

Bands energies(const Samples& x, const Context& context) {
  Bands out;
  out.rows = static_cast<std::int64_t>(x.size()) / Bands::kHop + 1;
  out.values.assign(static_cast<std::size_t>(out.rows * Bands::kCount), 0.0F);
  const BandMap map;
  const RealFft fft(kWindow);
  const auto size = static_cast<std::int64_t>(x.size());
  context.parallel_for(static_cast<std::size_t>(out.rows), 256, [&](std::size_t a, std::size_t z) {
    std::vector<float> window(kWindow);
    std::vector<float> block(kWindow);
    std::vector<std::complex<float>> spectrum(kWindow / 2 + 1);
    for (std::size_t i = 0; i < kWindow; ++i) {
      window[i] = static_cast<float>(
          0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * static_cast<double>(i) / kWindow));
    }
    for (std::size_t row = a; row < z; ++row) {
      for (const std::int64_t half : {0, 1}) {  // row t covers [t * hop, (t + 1) * hop)
        const std::int64_t begin = static_cast<std::int64_t>(row) * Bands::kHop + half * 256 -
                                   static_cast<std::int64_t>(kWindow) / 2 + 128;
        for (std::size_t i = 0; i < kWindow; ++i) {
          const std::int64_t at = begin + static_cast<std::int64_t>(i);
          block[i] = at >= 0 && at < size ? window[i] * x[static_cast<std::size_t>(at)] : 0.0F;
        }
        fft.forward(block.data(), spectrum.data());
        map.add(spectrum.data(), out.values.data() + row * Bands::kCount);
      }
    }
  });
  return out;
}

struct BandStatistics {
  std::array<double, Bands::kCount> mean{};   ///< energy
  std::array<double, Bands::kCount> quiet{};  ///< 5 % quantile over the mean
};

BandStatistics statistics(const Bands& bands) {
  BandStatistics s;
  std::vector<float> column(static_cast<std::size_t>(bands.rows));
  for (std::size_t b = 0; b < Bands::kCount; ++b) {
    double sum = 0.0;
    for (std::size_t t = 0; t < column.size(); ++t) {
      column[t] = bands.values[t * Bands::kCount + b];
      sum += column[t];
    }
    const auto nth = column.begin() + static_cast<std::ptrdiff_t>(column.size() / 20);
    std::nth_element(column.begin(), nth, column.end());
    s.mean[b] = sum / static_cast<double>(column.size());
    s.quiet[b] = s.mean[b] > 0.0 ? *nth / s.mean[b] : 1.0;
  }
  return s;
}

void normalise(Bands& bands, const BandStatistics& own,
               const std::array<double, Bands::kCount>& floor) {
  std::array<double, Bands::kCount> mean{};
  for (std::size_t i = 0; i < bands.values.size(); ++i) {
    const std::size_t b = i % Bands::kCount;
    const double scale = own.mean[b] > 0.0 ? own.mean[b] : 1.0;
    bands.values[i] = static_cast<float>(std::log(bands.values[i] / scale + floor[b]));
    mean[b] += bands.values[i];
  }
  for (std::size_t t = 0; t < static_cast<std::size_t>(bands.rows); ++t) {
    float* row = bands.values.data() + t * Bands::kCount;
    float level = 0.0F;
    for (std::size_t b = 0; b < Bands::kCount; ++b) {
      row[b] -= static_cast<float>(mean[b] / static_cast<double>(bands.rows));
      level += row[b] / static_cast<float>(Bands::kCount);
    }
    for (std::size_t b = 0; b < Bands::kCount; ++b) row[b] -= level;
  }
}

}  // namespace

void band_energies(const Samples& raw, const Samples& edit, const Context& context, Bands& raw_out,
                   Bands& edit_out) {
  raw_out = energies(raw, context);
  edit_out = energies(edit, context);
  const auto raw_statistics = statistics(raw_out);
  const auto edit_statistics = statistics(edit_out);
  std::array<double, Bands::kCount> floor{};
  for (std::size_t b = 0; b < floor.size(); ++b) {
    floor[b] = std::clamp(std::max(raw_statistics.quiet[b], edit_statistics.quiet[b]), 1e-6, 0.1);
  }
  normalise(raw_out, raw_statistics, floor);
  normalise(edit_out, edit_statistics, floor);
}

namespace {

constexpr std::int64_t kBlockChunks = 128;  ///< rows of one product
constexpr std::int64_t kTile = 2048;        ///< its columns
/// A scale is the mean over `count` chunks, two apart (they then abut): 0.33, 1.2 and 4.5 s.
struct Scale {
  std::int64_t count;
  std::int64_t every;  ///< chunks between searches
};
constexpr std::array<Scale, 3> kScales{{{1, 1}, {4, 4}, {16, 16}}};
constexpr std::int64_t kAhead = 32;  ///< chunks beyond the block that the longest scale needs

/// 1 / norm of every window of `rows` rows; 0 for windows without content.
std::vector<float> inverse_norms(const Bands& bands, std::int64_t rows) {
  std::vector<float> out(static_cast<std::size_t>(std::max<std::int64_t>(0, bands.rows - rows + 1)),
                         0.0F);
  const std::int64_t size = rows * Bands::kCount;
  for (std::size_t t = 0; t < out.size(); ++t) {
    const Eigen::Map<const Eigen::VectorXf> v(bands.values.data() + t * Bands::kCount, size);
    const float norm = v.norm();
    if (norm > 1e-3F) out[t] = 1.0F / norm;
  }
  return out;
}

/// The best `count` places, at least 3 rows apart.
class Best {
 public:
  explicit Best(std::size_t count) : count_(count) {}
  float least() const { return items_.size() < count_ ? -1.0F : items_.back().score; }
  void offer(Candidate c) {
    for (auto item = items_.begin(); item != items_.end();) {
      if (std::abs(item->row - c.row) > 2) {
        ++item;
      } else if (item->score >= c.score) {
        return;
      } else {
        item = items_.erase(item);
      }
    }
    const auto at =
        std::upper_bound(items_.begin(), items_.end(), c,
                         [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    items_.insert(at, c);
    if (items_.size() > count_) items_.pop_back();
  }
  const std::vector<Candidate>& items() const { return items_; }

 private:
  std::size_t count_;
  std::vector<Candidate> items_;
};

class Search {
 public:
  Search(const Bands& raw, const Bands& edit, const ChunkShape& shape, int per_scale)
      : raw_(raw),
        edit_(edit),
        shape_(shape),
        raw_norms_(inverse_norms(raw, shape.rows)),
        edit_norms_(inverse_norms(edit, shape.rows)),
        per_scale_(static_cast<std::size_t>(per_scale)),
        windows_(static_cast<std::int64_t>(raw_norms_.size())) {}

  std::vector<std::vector<Candidate>> run(std::int64_t first, std::int64_t last,
                                          const Context& context) {
    first_ = first;
    last = std::min(last, static_cast<std::int64_t>(edit_norms_.size()));
    chunks_ = std::max<std::int64_t>(0, (last - first + shape_.hop - 1) / shape_.hop);
    std::vector<std::vector<Candidate>> found(static_cast<std::size_t>(chunks_));
    for (std::int64_t c0 = 0; c0 < chunks_ && windows_ > 0; c0 += kBlockChunks) {
      if (context.stop_requested()) break;
      search_block(c0, found, context);
      context.progress("search", static_cast<double>(std::min(chunks_, c0 + kBlockChunks)),
                       static_cast<double>(chunks_));
    }
    return found;
  }

 private:
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  struct BlockBest {
    std::int64_t chunk;
    std::size_t scale;
    Best best;
  };

  void search_block(std::int64_t c0, std::vector<std::vector<Candidate>>& found,
                    const Context& context) const {
    const std::int64_t wanted = std::min(kBlockChunks, chunks_ - c0);
    const std::int64_t rows = std::min(kBlockChunks + ahead(), chunks_ - c0);
    std::vector<BlockBest> block;
    for (std::int64_t c = 0; c < wanted; ++c) {
      for (std::size_t s = 0; s < (shape_.long_scales ? kScales.size() : 1); ++s) {
        if ((c0 + c) % kScales[s].every == 0) block.push_back({c, s, Best(per_scale_)});
      }
    }
    std::mutex mutex;
    const auto tiles = static_cast<std::size_t>((windows_ + kTile - 1) / kTile);
    std::vector<std::vector<std::vector<Candidate>>> per_tile(tiles);
    context.parallel_for(tiles, 1, [&](std::size_t first, std::size_t last) {
      Matrix scores;
      for (std::size_t tile = first; tile < last; ++tile) {
        correlate(c0, rows, static_cast<std::int64_t>(tile) * kTile, scores);
        auto mine = block;
        for (auto& b : mine) scan(scores, static_cast<std::int64_t>(tile) * kTile, b);
        std::vector<std::vector<Candidate>> items;
        for (auto& b : mine) items.push_back(b.best.items());
        per_tile[tile] = std::move(items);
      }
    });
    for (std::size_t i = 0; i < block.size(); ++i) {
      for (const auto& items : per_tile) {
        for (const auto& c : items[i]) block[i].best.offer(c);
      }
      spread(c0 + block[i].chunk, block[i], found);
    }
  }

  /// scores[c][p]: normalised correlation of chunk c0 + c with the raw window at p0 + p.
  void correlate(std::int64_t c0, std::int64_t rows, std::int64_t p0, Matrix& scores) const {
    const std::int64_t size = shape_.rows * Bands::kCount;
    const std::int64_t columns = std::min(kTile + ahead() * shape_.hop, windows_ - p0);
    const std::int64_t row0 = first_ + c0 * shape_.hop;
    using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::Map<const Rows, 0, Eigen::OuterStride<>> a(
        edit_.values.data() + row0 * Bands::kCount, rows, size,
        Eigen::OuterStride<>(shape_.hop * Bands::kCount));
    const Eigen::Map<const Eigen::MatrixXf, 0, Eigen::OuterStride<>> b(
        raw_.values.data() + p0 * Bands::kCount, size, columns,
        Eigen::OuterStride<>(Bands::kCount));
    scores.resize(rows, columns);
    scores.noalias() = a * b;
    for (std::int64_t c = 0; c < rows; ++c) {
      const float own = edit_norms_[static_cast<std::size_t>(row0 + c * shape_.hop)];
      float* row = scores.data() + c * columns;
      const float* other = raw_norms_.data() + p0;
      for (std::int64_t p = 0; p < columns; ++p) row[p] *= own * other[p];
    }
  }

  void scan(const Matrix& scores, std::int64_t p0, BlockBest& out) const {
    const Scale& scale = kScales[out.scale];
    const std::int64_t last = out.chunk + 2 * (scale.count - 1);
    if (last >= scores.rows()) return;
    const std::int64_t reach = 2 * (scale.count - 1) * shape_.hop;
    const std::int64_t columns = std::min<std::int64_t>(kTile, scores.cols() - reach);
    if (columns <= 0) return;
    std::vector<float> mean(static_cast<std::size_t>(columns), 0.0F);
    for (std::int64_t k = 0; k < scale.count; ++k) {
      const float* row = scores.data() + (out.chunk + 2 * k) * scores.cols() + 2 * k * shape_.hop;
      for (std::int64_t p = 0; p < columns; ++p) mean[static_cast<std::size_t>(p)] += row[p];
    }
    for (std::int64_t p = 0; p < columns; ++p) {
      const float v = mean[static_cast<std::size_t>(p)] / static_cast<float>(scale.count);
      if (v > out.best.least() && v > 0.0F) out.best.offer({p0 + p, v});
    }
  }

  /// A place found over several chunks is a candidate for each of them.
  void spread(std::int64_t chunk, const BlockBest& block,
              std::vector<std::vector<Candidate>>& found) const {
    const Scale& scale = kScales[block.scale];
    for (const auto& c : block.best.items()) {
      for (std::int64_t k = 0; k <= 2 * (scale.count - 1) && chunk + k < chunks_; ++k) {
        auto& list = found[static_cast<std::size_t>(chunk + k)];
        const std::int64_t row = c.row + k * shape_.hop;
        const auto near = [&](const Candidate& o) { return std::abs(o.row - row) <= 1; };
        if (std::none_of(list.begin(), list.end(), near)) list.push_back({row, c.score});
      }
    }
  }

  std::int64_t ahead() const { return shape_.long_scales ? kAhead : 0; }

  const Bands& raw_;
  const Bands& edit_;
  ChunkShape shape_;
  std::vector<float> raw_norms_;
  std::vector<float> edit_norms_;
  std::size_t per_scale_;
  std::int64_t windows_;
  std::int64_t first_ = 0;
  std::int64_t chunks_ = 0;
};

/// Correlates one chunk with one stretch of the raw.
class Correlator {
 public:
  static constexpr std::int64_t kLags = 2 * Bands::kHop + 256;  ///< about +-1 row and a bit
  explicit Correlator(std::int64_t length)
      : length_(length),
        fft_(RealFft::fast_size(static_cast<std::size_t>(length + kLags))),
        time_(fft_.size()),
        edit_spectrum_(fft_.bins()),
        raw_spectrum_(fft_.bins()) {}

  void chunk(const Samples& edit, std::int64_t begin) {
    edit_begin_ = begin;
    edit_energy_ = fill(edit, begin, length_);
    fft_.forward(time_.data(), edit_spectrum_.data());
  }
  /// The best lag around raw sample `begin`.
  Match best(const Samples& raw, std::int64_t begin) {
    const std::int64_t from = begin - kLags / 2;
    fill(raw, from, static_cast<std::int64_t>(fft_.size()));
    // The energy under the template at every lag, from running sums.
    std::vector<double> sums(static_cast<std::size_t>(kLags + length_) + 1, 0.0);
    for (std::size_t i = 1; i < sums.size(); ++i) {
      sums[i] = sums[i - 1] + static_cast<double>(time_[i - 1]) * time_[i - 1];
    }
    fft_.forward(time_.data(), raw_spectrum_.data());
    for (std::size_t k = 0; k < raw_spectrum_.size(); ++k) {
      raw_spectrum_[k] *= std::conj(edit_spectrum_[k]);
    }
    fft_.inverse(raw_spectrum_.data(), time_.data());
    const auto at = [&](std::int64_t lag) {
      const auto i = static_cast<std::size_t>(lag);
      const double energy = edit_energy_ * (sums[i + static_cast<std::size_t>(length_)] - sums[i]);
      return energy > 1e-12 ? time_[i] / std::sqrt(energy) : 0.0;
    };
    std::int64_t peak = 0;
    double value = -1.0;
    for (std::int64_t lag = 0; lag < kLags; ++lag) {
      if (const double v = at(lag); v > value) {
        value = v;
        peak = lag;
      }
    }
    double fraction = 0.0;
    if (peak > 0 && peak + 1 < kLags) {
      const double left = at(peak - 1);
      const double right = at(peak + 1);
      const double curvature = left - 2.0 * value + right;
      if (curvature < 0.0) fraction = 0.5 * (left - right) / curvature;
    }
    Match m;
    m.correlation = static_cast<float>(std::min(1.0, value));
    m.offset = static_cast<double>(from + peak - edit_begin_) + fraction;
    return m;
  }

 private:
  double fill(const Samples& x, std::int64_t begin, std::int64_t n) {
    double energy = 0.0;
    const auto size = static_cast<std::int64_t>(x.size());
    std::fill(time_.begin(), time_.end(), 0.0F);
    for (std::int64_t i = std::max<std::int64_t>(0, -begin); i < n && begin + i < size; ++i) {
      const float v = x[static_cast<std::size_t>(begin + i)];
      time_[static_cast<std::size_t>(i)] = v;
      energy += static_cast<double>(v) * v;
    }
    return energy;
  }

  std::int64_t length_;
  RealFft fft_;
  std::vector<float> time_;
  std::vector<std::complex<float>> edit_spectrum_;
  std::vector<std::complex<float>> raw_spectrum_;
  std::int64_t edit_begin_ = 0;
  double edit_energy_ = 0.0;
};

}  // namespace

Candidates find_candidates(const Bands& raw, const Bands& edit, const ChunkShape& shape,
                           std::int64_t first, std::int64_t last, int per_scale,
                           const Context& context) {
  return {shape, first, Search(raw, edit, shape, per_scale).run(first, last, context)};
}

std::vector<Match> match_waveforms(const Samples& raw, const Samples& edit,
                                   const Candidates& candidates, float least,
                                   const Context& context) {
  const ChunkShape& shape = candidates.shape;
  const auto count = candidates.chunks.size();
  std::vector<std::vector<Match>> per_chunk(count);
  context.parallel_for(count, 16, [&](std::size_t first, std::size_t last) {
    Correlator correlator(shape.length);
    for (std::size_t c = first; c < last; ++c) {
      if (candidates.chunks[c].empty()) continue;
      // The template is centred on the chunk's rows.
      const std::int64_t inset = (shape.rows * Bands::kHop - shape.length) / 2;
      const std::int64_t row = candidates.first + static_cast<std::int64_t>(c) * shape.hop;
      correlator.chunk(edit, row * Bands::kHop + inset);
      for (const auto& candidate : candidates.chunks[c]) {
        Match m = correlator.best(raw, candidate.row * Bands::kHop + inset);
        m.row = row;
        m.rows = shape.rows;
        if (m.correlation >= least) per_chunk[c].push_back(m);
      }
    }
  });
  std::vector<Match> all;
  for (const auto& list : per_chunk) all.insert(all.end(), list.begin(), list.end());
  return all;
}

}  // namespace retake::xcorr
