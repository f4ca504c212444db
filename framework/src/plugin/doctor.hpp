#pragma once
// Why a plugin cannot be used: every step from the file to its registration, with its verdict.

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "plugin/probe.hpp"

namespace retake::plugin {

struct DoctorStep {
  std::string
      name;  ///< "file", "ELF", "architecture", "stamp", "ABI", "table", "dependencies", ...
  Verdict verdict = Verdict::skipped;
  std::string found;                 ///< what is there, or what is wrong
  std::string help{};                ///< remedy of a failed step
  std::vector<std::string> facts{};  ///< each difference, each library
};

inline constexpr const char* kLibTorch = "LibTorch";

/// Looks at a file step by step; what depends on a step that failed is skipped. The library is
/// opened in a child process only, and only when its stamp is the host's; `prepare` is called there
/// before, to open what the plugin needs. When that throws an Error, the last step that is shown is
/// kLibTorch, failed: the host is broken, not the plugin. Never throws because of the file.
std::vector<DoctorStep> diagnose(const std::filesystem::path& file,
                                 const std::function<void(bool torch)>& prepare,
                                 std::chrono::duration<double> limit);

/// Null when no step failed.
const DoctorStep* first_failed(const std::vector<DoctorStep>& steps);

}  // namespace retake::plugin
