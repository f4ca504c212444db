#pragma once
// truth/{id}.material.json: the kind of every stretch of a raw recording.

#include <filesystem>
#include <string>
#include <vector>

#include "retake/data/pair_set.hpp"

namespace retake {

/// Every problem of a list of spans: unknown kinds, gaps, overlaps, not covering [0, samples)
/// (samples < 0: the length is not checked). Empty when sound.
std::vector<std::string> material_problems(const std::vector<MaterialSpan>& spans,
                                           std::int64_t samples);

/// Throws DataError naming the file and everything wrong in it.
std::vector<MaterialSpan> read_material(const std::filesystem::path& file);

/// Atomic. `{"schema": "retake.material/1", "spans": [[begin, end, kind], ...]}`.
void write_material(const std::vector<MaterialSpan>& spans, const std::filesystem::path& file);

}  // namespace retake
