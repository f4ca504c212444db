#pragma once
// How diagnostics look: text for people, values for programs.

#include <string>
#include <vector>

#include "retake/error.hpp"
#include "retake/value.hpp"

namespace retake {

/// At most this many diagnostics of a pass are shown; the rest are counted.
inline constexpr std::size_t kMaxShownDiagnostics = 20;

/// One diagnostic as lines: headline, place, source line with caret, facts, help.
std::string render(const Diagnostic& diagnostic, bool color);
std::string render(const std::vector<Diagnostic>& diagnostics, bool color);
/// {"code", "id", "message", "diagnostics": [...]} of an error, as --json prints it.
Value to_value(const Error& error);
Value to_value(const Diagnostic& diagnostic);

}  // namespace retake
