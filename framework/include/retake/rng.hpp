#pragma once
// Random numbers that repeat everywhere: seeds derive from names, never from draw order, and the
// distributions are ours since those of <random> are not specified across libraries.

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace retake {

using SeedPart = std::variant<std::uint64_t, std::string_view>;

/// The first 8 bytes (big endian) of SHA-256 over `parent` and the parts, each length-prefixed.
/// derive_seed(run_seed, {"data/shuffle", epoch}).
std::uint64_t derive_seed(std::uint64_t parent, std::initializer_list<SeedPart> parts);

/// PCG64 (PCG-XSL-RR 128/64; O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically
/// Good Algorithms for Random Number Generation", 2014). One generator per thread.
class Rng {
 public:
  explicit Rng(std::uint64_t seed, std::uint64_t stream = 0);

  std::uint64_t next();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in [0, n); n >= 1. Lemire's unbiased multiply-shift.
  std::uint64_t below(std::uint64_t n);
  /// Uniform in [low, high], both included.
  std::int64_t integer(std::int64_t low, std::int64_t high);
  bool chance(double probability) { return uniform() < probability; }
  /// Standard normal, Box–Muller without a cached second value (so state is the generator's alone).
  double normal();
  double normal(double mean, double deviation) { return mean + deviation * normal(); }
  /// Beta(a, b) from two gamma variates; a, b > 0.
  double beta(double a, double b);
  /// Gamma(shape, 1), Marsaglia–Tsang 2000; shape > 0.
  double gamma(double shape);
  /// Index drawn with probability proportional to `weights` (>= 0, not all zero).
  std::size_t weighted(std::span<const double> weights);

  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

  /// 4 words: state high, low, increment high, low.
  std::vector<std::uint64_t> state() const;
  void restore(std::span<const std::uint64_t> state);

 private:
  __extension__ using Word = unsigned __int128;
  Word state_;
  Word increment_;
};

}  // namespace retake
