#pragma once
// What stands in the common table beside the models: edits that need no learning, and oracles that
// know a part of the truth.

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

/// Oracles that know the kind of material, in falling order of knowledge: "all known"; "all but bad
/// takes", which keeps bad takes as if they were good; "all but bad takes, repeats, play-ons"; "is
/// it music"; "does it sound". None when a song's truth does not know its material.
std::vector<Contestant> oracles(const std::vector<const Song*>& songs);

}  // namespace retake::report
