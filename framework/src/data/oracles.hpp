#pragma once
// What can be scored on a set of synthetic pairs by knowing only part of the truth, and by nothing.

#include <map>
#include <string>
#include <vector>

#include "edit/metrics.hpp"
#include "retake/context.hpp"
#include "retake/data/pair_set.hpp"

namespace retake::data {

/// One row of the table.
struct OracleRow {
  std::string name;
  std::map<std::string, edit::Metrics> per_song;  ///< by pair id

  double mean(const std::string& metric) const;
};

/// Rows in falling order of knowledge: oracles that know the kind of material ("all known"; "all
/// known but bad takes", which keeps bad takes as if they were good; "all known but bad takes,
/// repeats, play-ons"; "is it music"; "does it sound"), then floors: the energy gate (its threshold
/// tuned on pairs of the other splits), random at equal keep ratio, copy, keep all. Measured on the
/// pairs of `split`, all when it is empty or has none; pairs without material and truth are left
/// out. Throws DataError for files that cannot be read.
std::vector<OracleRow> oracle_rows(const PairSet& set, const std::string& split,
                                   const Context& context);

}  // namespace retake::data
