#pragma once
// Which crossfade a cut wants: for editors, aligners and importers, which write the join they mean.

#include <cstdint>

#include "retake/audio/source.hpp"
#include "retake/edit/edl.hpp"

namespace retake {

/// Normalised correlation (cosine, of the mean of the channels less its mean, lag 0) of what sounds
/// on the two sides of a join of `samples` between raw positions `leave` and `enter`. 0 where one
/// side is silent.
double join_correlation(AudioSource& raw, std::int64_t leave, std::int64_t enter,
                        std::int64_t samples);

/// Equal gain where the sides correlate above 0.5, equal power for unrelated material.
Curve join_curve(double correlation);

/// Gives every boundary between two segments that is no plain continuation a join of `samples`,
/// with the curve that its sides want; next to gaps equal power. `raw` is the EDL's only source.
/// Reversed and stretched neighbours count as unrelated.
void choose_joins(Edl& edl, AudioSource& raw, std::int64_t samples);

}  // namespace retake
