#include "retake/rng.hpp"

#include <cmath>
#include <numbers>
#include <stdexcept>

#include "core/hash.hpp"

namespace retake {
namespace {

void update_u64(Sha256& hash, std::uint64_t v) {
  std::uint8_t bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(v >> (56 - 8 * i));
  hash.update(bytes, sizeof bytes);
}

}  // namespace

std::uint64_t derive_seed(std::uint64_t parent, std::initializer_list<SeedPart> parts) {
  Sha256 hash;
  update_u64(hash, parent);
  for (const SeedPart& part : parts) {
    if (const auto* text = std::get_if<std::string_view>(&part)) {
      hash.update("s", 1);
      update_u64(hash, text->size());
      hash.update(*text);
    } else {
      hash.update("u", 1);
      update_u64(hash, std::get<std::uint64_t>(part));
    }
  }
  const auto digest = hash.digest();
  std::uint64_t seed = 0;
  for (int i = 0; i < 8; ++i) seed = seed << 8 | digest[static_cast<std::size_t>(i)];
  return seed;
}

namespace {
__extension__ using Word = unsigned __int128;
constexpr Word word(std::uint64_t high, std::uint64_t low) {
  return Word{high} << 64 | low;
}
// The multiplier of the reference implementation.
constexpr Word kMultiplier = word(0x2360ed051fc65da4ULL, 0x4385df649fccf645ULL);
}  // namespace

Rng::Rng(std::uint64_t seed, std::uint64_t stream)
    : state_(0), increment_(word(derive_seed(stream, {"pcg64/stream"}), stream) << 1 | 1) {
  next();
  state_ += word(derive_seed(seed, {"pcg64/seed"}), seed);
  next();
}

std::uint64_t Rng::next() {
  state_ = state_ * kMultiplier + increment_;
  const auto folded = static_cast<std::uint64_t>(state_ >> 64) ^ static_cast<std::uint64_t>(state_);
  const auto turn = static_cast<unsigned>(state_ >> 122);
  return folded >> turn | folded << ((64 - turn) & 63);
}

double Rng::uniform() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

std::uint64_t Rng::below(std::uint64_t n) {
  if (n == 0) throw std::invalid_argument("Rng::below(0)");
  const std::uint64_t threshold = (0 - n) % n;
  for (;;) {
    const Word product = Word{next()} * n;
    if (static_cast<std::uint64_t>(product) >= threshold) {
      return static_cast<std::uint64_t>(product >> 64);
    }
  }
}

std::int64_t Rng::integer(std::int64_t low, std::int64_t high) {
  if (high < low) throw std::invalid_argument("Rng::integer: high < low");
  const auto width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  if (width == UINT64_MAX) return static_cast<std::int64_t>(next());
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + below(width + 1));
}

double Rng::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double Rng::gamma(double shape) {
  if (!(shape > 0)) throw std::invalid_argument("Rng::gamma: shape <= 0");
  if (shape < 1.0) return gamma(shape + 1.0) * std::pow(1.0 - uniform(), 1.0 / shape);
  const double d = shape - 1.0 / 3.0, c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double v = std::pow(1.0 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double Rng::beta(double a, double b) {
  const double x = gamma(a);
  return x / (x + gamma(b));
}

std::size_t Rng::weighted(std::span<const double> weights) {
  double total = 0;
  for (const double w : weights) total += w;
  if (!(total > 0)) throw std::invalid_argument("Rng::weighted: no positive weight");
  double left = uniform() * total;
  std::size_t last = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    last = i;
    left -= weights[i];
    if (left < 0) return i;
  }
  return last;
}

std::vector<std::uint64_t> Rng::state() const {
  return {static_cast<std::uint64_t>(state_ >> 64), static_cast<std::uint64_t>(state_),
          static_cast<std::uint64_t>(increment_ >> 64), static_cast<std::uint64_t>(increment_)};
}

void Rng::restore(std::span<const std::uint64_t> state) {
  if (state.size() != 4) throw std::invalid_argument("Rng::restore needs 4 words");
  state_ = word(state[0], state[1]);
  increment_ = word(state[2], state[3]);
}

}  // namespace retake
