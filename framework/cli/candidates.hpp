#pragma once
// What a word of a command line may become: shell completion without loading a plugin.

#include <string>
#include <vector>

namespace retake::cli {

/// Whole words that the last of `words` (those behind the program's name, the last one maybe empty)
/// may become, sorted. Those that go on end in `=`, `.` or `/`. Empty where only the shell knows
/// (files of other kinds) or nothing fits. Reads files, never writes or prints. What cannot be read
/// gives no candidates.
std::vector<std::string> candidates(const std::vector<std::string>& words);

}  // namespace retake::cli
