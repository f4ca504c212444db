#pragma once
// The stamp: what a plugin was built with, as `key=value` lines in its ELF section `.retake.stamp`.
// Two C++ sides understand each other only when all of it agrees (a changed virtual table gives a
// wrong number, not an error), so the host compares the lines before it loads anything.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace retake::plugin {

inline constexpr const char* kStampSection = ".retake.stamp";

struct Stamp {
  std::string name;     ///< of the plugin
  std::string version;  ///< of the plugin
  /// All other lines: cplusplus, compiler, gxx_abi, cxx11_abi, glibcxx_debug, sanitizer,
  /// headers.<kind> for each of its kinds, libtorch ("2.13.0 cpu") where it uses LibTorch.
  std::map<std::string, std::string> lines;

  /// Its kinds, sorted.
  std::vector<std::string> kinds() const;
  bool has_kind(const std::string& kind) const { return lines.contains("headers." + kind); }
  bool torch() const { return lines.contains("libtorch"); }
};

/// Reads the section's text. Throws PluginError E214 naming `file` when it is no stamp.
Stamp parse_stamp(std::string_view section, const std::filesystem::path& file);

/// "The ABI" of a kind: the first 12 hex digits of the SHA-256 of the stamp's lines, less name,
/// version and the headers of other kinds, sorted, each ended by a newline.
std::string abi(const Stamp& stamp, const std::string& kind);

/// What this host would stamp on a plugin of these kinds. Kinds that it has not are left out.
Stamp host_stamp(const std::vector<std::string>& kinds, bool torch);

/// The kinds that this host has a header for, sorted.
std::vector<std::string> host_kinds();
/// This host's ABI of a kind; with LibTorch where all of the kind's plugins use it. Empty for a
/// kind that the host does not have.
std::string host_abi(const std::string& kind);

/// A line in which a plugin differs from the host. A side that lacks the line is empty.
struct StampDifference {
  std::string key;
  std::string plugin;
  std::string host;
};

/// Every line that differs, by key; empty when the plugin may be loaded.
std::vector<StampDifference> differences(const Stamp& stamp);

/// Throws PluginError E215 with every difference and the remedy unless the plugin fits the host.
void require_host_abi(const Stamp& stamp, const std::filesystem::path& file);

}  // namespace retake::plugin
