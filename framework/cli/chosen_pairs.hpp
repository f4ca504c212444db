#pragma once
// Pairs of a set that a command works on: those of --only, or all.

#include <string>
#include <vector>

#include "retake/data/pair_set.hpp"

namespace retake::cli {

/// Ids of the sound pairs, and those that the files of broken ones may belong to.
std::vector<std::string> ids_of(const PairScan& scan);

/// The pairs that are meant, and the errors that concern them.
struct ChosenPairs {
  std::vector<Pair> pairs;
  std::vector<Diagnostic> problems;
};

/// Of the pairs that `only` names; of all when it is empty. Warnings about them go to the log.
ChosenPairs choose_pairs(const PairScan& scan, const std::vector<std::string>& only);

}  // namespace retake::cli
