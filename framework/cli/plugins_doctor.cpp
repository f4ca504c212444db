// `retake plugins doctor`: why a plugin is not found, or not loaded.

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "command.hpp"
#include "core/suggest.hpp"
#include "nn_door.hpp"
#include "plugin/doctor.hpp"
#include "plugin/registry.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;
using plugin::DoctorStep;
using plugin::Registry;
using plugin::Verdict;

constexpr std::chrono::seconds kLimit{60};

std::vector<DoctorStep> examine(const fs::path& file) {
  return plugin::diagnose(
      file,
      [](bool torch) {
        if (torch) open_nn_room();
      },
      kLimit);
}

std::vector<std::string> first_folders(const Arguments& a) {
  std::vector<std::string> folders;
  if (a.options.contains("path")) folders = a.options["path"].as<std::vector<std::string>>();
  folders.insert(folders.end(), a.globals.plugin_path.begin(), a.globals.plugin_path.end());
  return folders;
}

Value steps_value(const std::vector<DoctorStep>& steps) {
  Array out;
  for (const DoctorStep& s : steps) {
    Table t;
    t["step"] = s.name;
    t["verdict"] = plugin::to_string(s.verdict);
    t["found"] = s.found;
    t["help"] = s.help;
    Array facts;
    for (const std::string& fact : s.facts) facts.emplace_back(fact);
    t["facts"] = std::move(facts);
    out.emplace_back(std::move(t));
  }
  return Value(std::move(out));
}

std::string steps_text(const std::vector<DoctorStep>& steps) {
  std::vector<std::vector<std::string>> rows;
  for (const DoctorStep& s : steps) {
    rows.push_back({std::string(plugin::to_string(s.verdict)), s.name, s.found});
    if (s.verdict != Verdict::failed) continue;
    for (const std::string& fact : s.facts) rows.push_back({"", "", fact});
    if (!s.help.empty()) rows.push_back({"", "", "help: " + s.help});
  }
  return columns({"", "step", ""}, rows);
}

/// The host's LibTorch cannot be opened: no word against the plugin. `found` begins with the id.
PluginError no_libtorch(const std::string& found, const std::string& help) {
  const std::size_t colon = found.find(": ");
  Diagnostic d;
  d.id = found.substr(0, colon);
  d.message = found.substr(colon + 2);
  d.help = help;
  return PluginError(std::move(d));
}

PluginError unusable(const fs::path& file, const DoctorStep& failed) {
  if (failed.name == plugin::kLibTorch) return no_libtorch(failed.found, failed.help);
  Diagnostic d = file_diagnostic(
      "E238", file.string(),
      file.filename().string() + " cannot be used: " + failed.name + ": " + failed.found,
      failed.help);
  d.facts = failed.facts;
  return PluginError(std::move(d));
}

/// What the scan itself says of a file: shadowed, duplicate, behind a broken one.
std::vector<Diagnostic> said_of(const Registry& registry, const fs::path& file) {
  std::vector<Diagnostic> out;
  const std::string shown = plugin::display_path(file);
  for (const Diagnostic& d : registry.problems()) {
    const bool duplicate =
        std::any_of(d.facts.begin(), d.facts.end(),
                    [&](const std::string& fact) { return fact == "in " + shown; });
    if (duplicate || (d.place && d.place->file == file.string())) out.push_back(d);
  }
  for (const Diagnostic& d : registry.notes()) {
    if (d.message.find(" of " + shown + " is shadowed by ") != std::string::npos) out.push_back(d);
  }
  return out;
}

// ---- one file or component ----

/// Libraries of every folder, for those who give a name instead of a path.
std::vector<fs::path> all_libraries(const std::vector<plugin::SearchFolder>& folders) {
  std::vector<fs::path> out;
  for (const plugin::SearchFolder& folder : folders) {
    std::error_code failed;
    for (fs::directory_iterator at(folder.path, failed), end; !failed && at != end;
         at.increment(failed)) {
      if (at->path().extension() == ".so") out.push_back(at->path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

[[noreturn]] void not_found(const std::string& word, const Registry& registry,
                            const std::vector<fs::path>& libraries) {
  const bool bare = word.find('/') == std::string::npos;
  const std::size_t slash = bare ? 0 : word.find('/');
  const Diagnostic* clash =
      registry.clash(word.substr(0, slash), word.substr(bare ? 0 : slash + 1));
  if (clash != nullptr) throw PluginError(*clash);
  std::vector<std::string> known;
  for (const fs::path& file : libraries) known.push_back(file.filename().string());
  for (const std::string& kind : registry.kinds()) {
    for (const std::string& name : registry.names(kind)) {
      known.push_back(bare ? name : kind + "/" + name);
    }
  }
  Diagnostic d;
  d.id = "E237";
  d.message = "there is no file and no installed plugin `" + word + "`";
  if (const auto nearest = did_you_mean(word, known)) {
    d.facts.push_back("did you mean `" + *nearest + "`?");
  }
  for (const std::string& place : registry.looked_in()) d.facts.push_back("looked in " + place);
  for (const std::string& problem : registry.load_problems()) {
    d.facts.push_back("could not be loaded: " + problem);
  }
  std::error_code failed;
  d.help = "see all files and verdicts with  retake plugins doctor";
  if (fs::is_directory(word, failed)) d.help += "; those of a folder with  --path DIR";
  throw PluginError(std::move(d));
}

/// Whether the word is to be read as a file: it is one, or nobody may see what it is.
bool is_file(const std::string& word) {
  std::error_code failed;
  const fs::file_status status = fs::status(word, failed);
  return fs::is_regular_file(status) || status.type() == fs::file_type::none;
}

/// The file of a component, by KIND/NAME or by a NAME that one file has; empty without one.
fs::path file_of_component(const std::string& word, const Registry& registry) {
  const std::size_t slash = word.find('/');
  const std::string name = slash == std::string::npos ? word : word.substr(slash + 1);
  std::vector<std::string> found;
  std::set<fs::path> files;
  for (const std::string& kind : registry.kinds()) {
    if (slash != std::string::npos && kind != word.substr(0, slash)) continue;
    if (registry.find(kind, name) == nullptr) continue;
    found.push_back(kind + "/" + name);
    files.insert(registry.file_of(kind, name).path);
  }
  if (files.size() > 1) {
    throw usage_error("`" + word + "` is the name of several components",
                      "write one of: " + join(found));
  }
  return files.empty() ? fs::path() : *files.begin();
}

/// A file, KIND/NAME, NAME, or the name of a file in one of the folders with or without lib and
/// .so. A folder is not meant: `retake new plugin NAME` makes one that is called as the plugin is.
fs::path find_file(const std::string& word, const Arguments& a) {
  if (is_file(word)) return word;
  const auto folders = plugin::search_path(first_folders(a));
  const Registry registry(folders);
  const std::vector<fs::path> libraries = all_libraries(folders);
  for (const fs::path& file : libraries) {
    const std::string name = file.filename().string();
    if (name == word || name == "lib" + word + ".so") return file;
  }
  if (fs::path file = file_of_component(word, registry); !file.empty()) return file;
  not_found(word, registry, libraries);
}

/// A library that can be used by itself is not, beside one that holds the same component.
void add_clash(const fs::path& file, std::vector<DoctorStep>& steps) {
  const fs::path folder = fs::weakly_canonical(fs::absolute(file).parent_path());
  const Registry beside(std::vector<plugin::SearchFolder>{{folder, plugin::display_path(folder)}});
  for (const Diagnostic& d : said_of(beside, folder / file.filename())) {
    if (d.severity != Severity::error) continue;
    steps.push_back({"folder", Verdict::failed, d.id + ": " + d.message, d.help, d.facts});
    return;
  }
}

int examine_one(const Arguments& a) {
  const fs::path file = find_file(a.positional.front(), a);
  std::vector<DoctorStep> steps = examine(file);
  if (plugin::first_failed(steps) == nullptr) add_clash(file, steps);
  const DoctorStep* failed = plugin::first_failed(steps);
  Table out;
  out["file"] = file.string();
  out["usable"] = failed == nullptr;
  out["steps"] = steps_value(steps);
  print_result(a, out, [&] {
    return plugin::display_path(fs::absolute(file)) + "\n\n" + steps_text(steps) +
           (failed == nullptr ? "\nit can be used\n" : "");
  });
  if (failed != nullptr) throw unusable(file, *failed);
  return 0;
}

// ---- every folder ----

struct FileVerdict {
  fs::path file;
  std::string verdict;  ///< "usable", "shadowed", "broken", "unknown" (without LibTorch)
  std::string why;
  std::string help{};
};

FileVerdict judge(const Registry& registry, const fs::path& file) {
  for (const Diagnostic& d : said_of(registry, file)) {
    const bool note = d.severity == Severity::note;
    return {file, note ? "shadowed" : "broken", d.id + ": " + d.message, d.help};
  }
  const std::vector<DoctorStep> steps = examine(file);
  if (const DoctorStep* failed = plugin::first_failed(steps)) {
    if (failed->name == plugin::kLibTorch) return {file, "unknown", failed->found, failed->help};
    return {file, "broken", failed->name + ": " + failed->found, failed->help};
  }
  for (const DoctorStep& s : steps) {
    if (s.name == "table") return {file, "usable", s.found};
  }
  return {file, "usable", ""};
}

int examine_all(const Arguments& a) {
  const auto folders = plugin::search_path(first_folders(a));
  const Registry registry(folders);
  std::string text;
  Array shown_folders;
  std::vector<Diagnostic> broken;
  std::optional<PluginError> without_libtorch;
  const std::vector<std::string> looked_in = registry.looked_in();
  for (std::size_t i = 0; i < folders.size(); ++i) {
    text += looked_in[i] + "\n";
    std::vector<std::vector<std::string>> rows;
    Array files;
    if (!folders[i].path.empty()) {
      for (const fs::path& file : all_libraries({folders[i]})) {
        const FileVerdict v = judge(registry, file);
        rows.push_back({v.verdict, file.filename().string(), v.why});
        Table t;
        t["file"] = file.string();
        t["verdict"] = v.verdict;
        t["why"] = v.why;
        t["help"] = v.help;
        files.emplace_back(std::move(t));
        // The host lacks it for all of them: told once.
        if (v.verdict == "unknown") without_libtorch = no_libtorch(v.why, v.help);
        if (v.verdict != "broken") continue;
        broken.push_back(file_diagnostic(
            "E238", file.string(), file.filename().string() + " cannot be used: " + v.why, v.help));
      }
    }
    if (!rows.empty()) text += columns({"", "file", ""}, rows);
    text += "\n";
    Table folder;
    folder["folder"] = looked_in[i];
    folder["files"] = std::move(files);
    shown_folders.emplace_back(std::move(folder));
  }
  if (without_libtorch) broken.push_back(without_libtorch->diagnostics().front());
  Table out;
  out["usable"] = broken.empty();
  out["folders"] = std::move(shown_folders);
  print_result(a, out, [&] { return text; });
  if (!broken.empty()) throw PluginError(std::move(broken));
  return 0;
}

int run(const Arguments& a) {
  if (a.positional.size() > 1) {
    throw usage_error("doctor takes one file or component, or nothing",
                      "retake plugins doctor build/plugins/libx.so");
  }
  return a.positional.empty() ? examine_all(a) : examine_one(a);
}

const RegisterCommand registered(
    {.name = "plugins doctor",
     .synopsis = "[FILE|KIND/NAME|NAME] [--path DIR]",
     .summary = "Say why a plugin is not found or not loaded",
     .examples = {"retake plugins doctor", "retake plugins doctor build/plugins/libmy_model.so"},
     .options =
         [](po::options_description& o) {
           o.add_options()("path", po::value<std::vector<std::string>>()->value_name("DIR"),
                           "a folder to look in first");
         },
     .run = run,
     .details = "Without a name: every folder and every file in it. With one: step by step, from "
                "the file to its\nregistration, which runs in a process of its own. Exit code 4 "
                "when something cannot be used."});

}  // namespace
}  // namespace retake::cli
