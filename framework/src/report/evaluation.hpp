#pragma once
// The common table: every model and every baseline on the same held-out songs, by the same metrics.

#include <functional>
#include <string>
#include <vector>

#include "retake/context.hpp"
#include "retake/data/corpus.hpp"
#include "retake/edit/edl.hpp"

namespace retake::report {

/// One row of the table: something that makes an edit of a song's raw.
struct Contestant {
  std::string name;
  std::function<Edl(const Song&)> edit;
};

/// copy, linear_ratio, energy_gate, random and keep_all. `copy`, `linear_ratio` and `random` are
/// told the true edit's length; the gate's threshold is tuned on the songs of `tuning`.
std::vector<Contestant> baselines(const std::vector<const Song*>& tuning, const Context& context);

/// {name: {metric: {"mean", "ci95", "per_song"}}} for each contestant, in order. Throws DataError
/// without songs, and Error with the exit code of the contract when asked to stop.
Value evaluate(const std::vector<Contestant>& contestants, const std::vector<const Song*>& songs,
               const Context& context);

/// The table as text: a row per contestant with means and 95 % intervals of the main metrics over
/// `songs` songs, then the accuracy per kind of material where the truth knows kinds.
std::string evaluation_text(const Value& evaluation, std::size_t songs);

}  // namespace retake::report
