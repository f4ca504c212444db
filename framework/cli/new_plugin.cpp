// retake new plugin: a project that builds outside the tree, from the templates of its kind.

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <sstream>

#include "core/files.hpp"
#include "core/program.hpp"
#include "core/suggest.hpp"
#include "new_files.hpp"
#include "plugin/registry.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

/// Files of a project: path inside it, and text.
using Project = std::map<fs::path, std::string>;

/// Words that CMake, or the class of a component, keeps for itself.
constexpr std::array kReserved = {"all",
                                  "clean",
                                  "depend",
                                  "edit_cache",
                                  "help",
                                  "install",
                                  "list_install_components",
                                  "package",
                                  "params",
                                  "package_source",
                                  "preinstall",
                                  "test",
                                  "rebuild_cache"};

/// Kinds that have a template.
std::vector<std::string> template_kinds(const fs::path& templates) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(templates)) {
    if (entry.is_directory() && entry.path().filename() != "common") {
      out.push_back(entry.path().filename().string());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string kind_of(const Arguments& a, const fs::path& templates) {
  const std::vector<std::string> kinds = template_kinds(templates);
  const std::string all = "kinds with a template: " + join(kinds);
  if (!a.options.contains("kind")) throw usage_error("--kind KIND is needed", all);
  const std::string kind = a.options["kind"].as<std::string>();
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    const auto nearest = did_you_mean(kind, kinds);
    throw usage_error("there is no template for the kind `" + kind + "`" +
                          (nearest ? ": did you mean `" + *nearest + "`?" : ""),
                      all);
  }
  return kind;
}

/// E021 when the name is taken: as a component of the kind, as a plugin, or by the build.
void check_free(const std::string& kind, const std::string& name, const plugin::Registry& all) {
  if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end() ||
      name.starts_with("retake")) {
    throw name_error(name, "is a name that the build keeps for itself");
  }
  if (const ComponentInfo* installed = all.find(kind, name)) {
    throw name_error(name, "is the name of an installed " + kind + " (" +
                               plugin::display_path(installed->file) + ")");
  }
  for (const plugin::PluginFile& file : all.files()) {
    if (file.stamp.name != name) continue;
    throw name_error(
        name, "is the name of an installed plugin (" + plugin::display_path(file.path) + ")");
  }
}

/// "log_energy" as a class is called: "LogEnergy".
std::string class_name(const std::string& name) {
  std::string out;
  bool upper = true;
  for (const char c : name) {
    if (c != '_') out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = c == '_';
  }
  return out;
}

void add_templates(const fs::path& folder, Project& project) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    project[entry.path().lexically_relative(folder)] = read_file(entry.path());
  }
}

/// The commands, one a line, that make the data of the kind's smoke.toml; most kinds need none.
std::string data_commands(const fs::path& templates, const std::string& kind) {
  const fs::path file = templates / kind / "data.sh";
  return fs::exists(file) ? read_file(file) : "";
}

/// The templates of all kinds, replaced and joined by those of this one. `about.md` and `data.sh`
/// are no files of the project but parts of its README.
Project project_of(const fs::path& templates, const std::string& kind, const std::string& name) {
  Project raw;
  add_templates(templates / "common", raw);
  add_templates(templates / kind, raw);
  std::vector<std::pair<std::string, std::string>> words = {
      {"plugin_name", name}, {"PluginName", class_name(name)}, {"plugin_kind", kind}};
  words.emplace_back("plugin_about\n", fill(raw["about.md"], words));
  words.emplace_back("plugin_data\n", data_commands(templates, kind));
  raw.erase("about.md");
  raw.erase("data.sh");
  Project out;
  for (const auto& [path, text] : raw) out[fill(path.string(), words)] = fill(text, words);
  return out;
}

/// Writes the project beside its place and renames it: it appears whole or not at all.
void write_project(const fs::path& folder, const Project& project) {
  fs::path temporary = folder;
  temporary += ".new";
  refuse_existing(folder);
  refuse_existing(temporary);
  try {
    for (const auto& [path, text] : project) write_file_atomic(temporary / path, text);
    fs::rename(temporary, folder);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
}

int run(const Arguments& a) {
  const fs::path templates = resource_folder("templates") / "plugin";
  const std::string kind = kind_of(a, templates);
  const std::string name = new_name(a);
  check_free(kind, name, plugin::Registry(a.globals.plugin_path));
  const fs::path folder = output_folder(a) / name;
  const Project project = project_of(templates, kind, name);
  write_project(folder, project);

  std::vector<fs::path> files;
  for (const auto& [path, text] : project) files.push_back(folder / path);
  const std::string build = (folder / "build").string();
  std::vector<std::vector<std::string>> next = {
      {"cmake", "-S", folder.string(), "-B", build,
       "-DCMAKE_PREFIX_PATH=" + program_root().string()},
      {"cmake", "--build", build},
      {"ctest", "--test-dir", build, "--output-on-failure"}};
  std::istringstream data(data_commands(templates, kind));
  for (std::string line; std::getline(data, line);) {
    std::istringstream words(line);
    next.emplace_back(std::istream_iterator<std::string>(words),
                      std::istream_iterator<std::string>());
  }
  next.push_back({"retake", "run", (folder / "smoke.toml").string(), "--plugin-path",
                  (folder / "build" / "plugins").string()});
  print_made(a, files, next);
  return 0;
}

const RegisterCommand registered(
    {.name = "new plugin",
     .synopsis = "NAME --kind KIND [-o DIR]",
     .summary = "Start a plugin of your own: a project that builds, with test and experiment",
     .examples = {"retake new plugin log_energy --kind feature_extractor",
                  "retake new plugin focal --kind loss -o ~/plugins"},
     .options =
         [](po::options_description& o) {
           o.add_options()("kind", po::value<std::string>()->value_name("KIND"),
                           "what it is: model, loss, reward, ...");
           output_option(o);
         },
     .run = run,
     .details = "Makes the folder NAME with CMakeLists.txt, a small component that works, its "
                "README, tests, and\nsmoke.toml, the smallest experiment that uses it. It builds "
                "against this very program, in a build\nfolder or installed."});

}  // namespace
}  // namespace retake::cli
