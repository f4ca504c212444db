#pragma once
// The common table: every model and every baseline on the same held-out songs, by the same metrics.

#include <string>
#include <vector>

#include "report/contestants.hpp"
#include "retake/context.hpp"
#include "retake/data/corpus.hpp"

namespace retake::report {

/// Throws Error (E007) with the exit code of the contract when a signal asked to stop. To be called
/// after what stops early by itself: corpora lack songs then.
void stop_if_asked(const Context& context);

/// {name: {metric: {"mean", "ci95", "per_song"}}} for each contestant, in order. Throws DataError
/// without songs, and Error with the exit code of the contract when asked to stop.
Value evaluate(const std::vector<Contestant>& contestants, const std::vector<const Song*>& songs,
               const Context& context);

/// The table as text: a row per contestant with means and 95 % intervals of the main metrics over
/// `songs` songs, then the accuracy per kind of material where the truth knows kinds.
std::string evaluation_text(const Value& evaluation, std::size_t songs);

}  // namespace retake::report
