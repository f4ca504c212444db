#pragma once
// What every list of pairs must keep, whoever made it.

#include <string>
#include <vector>

#include "retake/data/pair_set.hpp"

namespace retake::data {

/// What is wrong with a list that a dataset gave, a sentence each: ids that are no file names (they
/// become ones) or stand twice, unknown splits, groups or recordings in two splits, files that are
/// not there, lengths that are none.
std::vector<std::string> pair_list_problems(const PairSet& set);

}  // namespace retake::data
