#pragma once
// Dataset `synthetic_edits`: pairs with exact truth from finished music or from the built-in band.

#include <string>
#include <vector>

#include "params.hpp"
#include "retake/data/pair_writer.hpp"
#include "retake/kinds/dataset.hpp"
#include "tracks.hpp"

namespace retake::synthetic {

class SyntheticEdits final : public Dataset, public PairGenerator {
 public:
  using Params = synthetic::Params;

  /// Throws ConfigError for parameters that do not go together.
  explicit SyntheticEdits(const Params& params) : p_(params) {}

  PairSet pairs(const Context& context) override;
  PairSet generate(const std::filesystem::path& root, const Context& context) override;

 private:
  struct Order;
  std::vector<Track> tracks() const;
  std::vector<Order> place_orders(const std::vector<Track>& songs, const PairWriter& writer) const;
  std::string identity(const Order& order) const;
  std::uint64_t seed_of(const Order& order, std::string_view what) const;
  void make_pair(const Order& order, const PairWriter& writer) const;

  Params p_;
};

}  // namespace retake::synthetic
