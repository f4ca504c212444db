#include "new_files.hpp"

#include <algorithm>

#include "core/shell.hpp"

namespace retake::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestName = 64;

bool is_name(const std::string& name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_plain = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name.size() <= kLongestName && is_letter(name.front()) &&
         name.back() != '_' && std::all_of(name.begin(), name.end(), is_plain) &&
         name.find("__") == std::string::npos;
}

}  // namespace

UsageError name_error(const std::string& name, const std::string& why) {
  Diagnostic d;
  d.id = "E021";
  d.message = "`" + name + "` " + why;
  d.help = "choose another name";
  return UsageError(std::move(d));
}

std::string new_name(const Arguments& arguments) {
  if (arguments.positional.size() != 1) {
    throw usage_error("exactly one name is needed",
                      "a name is made of a-z, 0-9 and _, a letter first");
  }
  const std::string& name = arguments.positional.front();
  if (!is_name(name)) {
    throw name_error(name,
                     "is no name: a-z, 0-9 and single _ between them, a letter first, at "
                     "most 64 characters");
  }
  return name;
}

void output_option(po::options_description& options) {
  options.add_options()("output,o", po::value<std::string>()->value_name("DIR"),
                        "the folder it is put into; here by default");
}

fs::path output_folder(const Arguments& arguments) {
  if (!arguments.options.contains("output")) return {};
  const fs::path folder = arguments.options["output"].as<std::string>();
  for (fs::path at = folder; !at.empty(); at = at.parent_path()) {
    std::error_code failed;
    const fs::file_status status = fs::status(at, failed);
    if (fs::is_directory(status) || at == at.root_path()) break;
    if (!fs::exists(status)) continue;  // is made, below the first folder that there is
    Diagnostic d;
    d.id = "E004";
    d.message = "-o " + folder.string() + ": " + (at == folder ? "this" : at.string()) +
                " is a file, and a folder is needed to put something into";
    d.help = "name a folder, or a name that is free: it is made";
    throw UsageError(std::move(d));
  }
  return folder;
}

void refuse_existing(const fs::path& path) {
  std::error_code failed;
  if (fs::symlink_status(path, failed).type() == fs::file_type::not_found) return;
  Diagnostic d = file_diagnostic("E020", path.string(),
                                 "there is something of that name, and `new` overwrites nothing",
                                 "choose another name, or another folder with -o DIR");
  throw UsageError(std::move(d));
}

std::string fill(std::string_view text,
                 const std::vector<std::pair<std::string, std::string>>& replacements) {
  std::string out;
  while (!text.empty()) {
    const auto found = std::find_if(replacements.begin(), replacements.end(),
                                    [&](const auto& r) { return text.starts_with(r.first); });
    const bool word = found != replacements.end();
    out += word ? std::string_view(found->second) : text.substr(0, 1);
    text.remove_prefix(word ? found->first.size() : 1);
  }
  return out;
}

std::string path_beside(const fs::path& path, const fs::path& file) {
  const fs::path folder = fs::weakly_canonical(fs::absolute(file)).parent_path();
  return fs::weakly_canonical(fs::absolute(path)).lexically_relative(folder).string();
}

void print_made(const Arguments& arguments, const std::vector<fs::path>& files,
                const std::vector<std::vector<std::string>>& next) {
  Array made, commands;
  for (const fs::path& file : files) made.emplace_back(file.string());
  for (const auto& words : next) commands.emplace_back(shell_quote(words));
  Table json;
  json["files"] = made;
  json["next"] = commands;
  print_result(arguments, Value(std::move(json)), [&] {
    std::string text;
    for (const Value& file : made) text += "made  " + file.as_string() + "\n";
    text += "next\n";
    for (const Value& command : commands) text += "  " + command.as_string() + "\n";
    return text;
  });
}

}  // namespace retake::cli
