#pragma once
// The component table: what a plugin registers, embedded in its file as JSON after the link, so
// that listing, checking and sweeping need not load it.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/stamp.hpp"
#include "retake/component.hpp"

namespace retake::plugin {

inline constexpr const char* kTableSection = ".retake.table";
// How the library was built: BuildFacts.
inline constexpr const char* kCommitSection = ".retake.commit";
inline constexpr const char* kFlagsSection = ".retake.flags";

/// The table as text, one line of JSON: {"schema": "retake.plugin/1", "components": [...]}.
std::string table_text(const std::vector<ComponentInfo>& components);

/// Reads a table. Throws PluginError E217 naming `file` when it is none.
std::vector<ComponentInfo> parse_table(std::string_view text, const std::filesystem::path& file);

/// Throws PluginError with everything that is wrong with what a plugin registers: a name clash
/// (E222), a bad name (E223), a kind that is not in the stamp (E226), a reserved parameter name
/// (E227), a default that breaks its own type,
/// range, choices or rules (E228).
void check_components(const std::vector<ComponentInfo>& components, const Stamp& stamp,
                      const std::filesystem::path& file);

/// Where two values first differ, as "schema.fields[2].default: 1 / 2"; empty when equal.
std::string first_difference(const Value& a, const Value& b, const std::string& path = {});

}  // namespace retake::plugin
