#pragma once
// What the `retake new` commands share: names, texts of templates, and files that nothing is lost
// to.

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "command.hpp"

namespace retake::cli {

/// The one NAME of the command line: a-z, 0-9 and _, a letter first, no two _ together, at most 64
/// characters. Throws E005 without one, E021 for another form.
std::string new_name(const Arguments& arguments);

/// E021: nothing new may have this name, and why.
UsageError name_error(const std::string& name, const std::string& why);

/// -o, --output DIR.
void output_option(po::options_description& options);
/// DIR of -o, the working folder without it. Throws E004 when it lies at or below a file.
std::filesystem::path output_folder(const Arguments& arguments);

/// Throws E020 when there is anything at `path`, a dangling link included.
void refuse_existing(const std::filesystem::path& path);

/// A template's text with each word replaced: ("plugin_name", "log_energy"), ...
std::string fill(std::string_view text,
                 const std::vector<std::pair<std::string, std::string>>& replacements);

/// A path as a TOML file beside `file` names it.
std::string path_beside(const std::filesystem::path& path, const std::filesystem::path& file);

/// Prints what was made and the commands that come next, or both as JSON.
void print_made(const Arguments& arguments, const std::vector<std::filesystem::path>& files,
                const std::vector<std::vector<std::string>>& next);

}  // namespace retake::cli
