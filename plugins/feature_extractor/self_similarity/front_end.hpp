#pragma once
// Whitened mel spectra at about 5 Hz.

#include <cstdint>
#include <vector>

#include "retake/audio/source.hpp"
#include "retake/context.hpp"

namespace self_similarity {

inline constexpr std::int64_t kRate = 22050;  ///< Hz
inline constexpr std::int64_t kHop = 4096;    ///< samples: 5.38 rows per second

/// Mean log-mel spectrum (dB) around each row, `bands` Slaney bands, at most 80 dB below the
/// loudest value: row-major [rows, bands]. Streams the source.
std::vector<float> slow_log_mel(retake::AudioSource& source, const retake::Context& context,
                                std::int64_t rows, std::int64_t bands);

/// Removes each row's own level, whitens over the recording (principal components, the `components`
/// largest) and scales each row to length 1: row-major [rows, components]. Rows of a recording
/// without any variation are 0.
std::vector<float> whiten(const std::vector<float>& mel, std::int64_t bands,
                          std::int64_t components);

}  // namespace self_similarity
