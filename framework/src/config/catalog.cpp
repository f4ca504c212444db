#include "config/catalog.hpp"

#include <algorithm>

#include "core/join.hpp"
#include "core/suggest.hpp"

namespace retake::config {
namespace {

/// "did you mean `keep_cut` (libkeep_cut.so 1.2.0)?"; empty when nothing is near.
std::string guess_text(const Catalog& catalog, const std::string& kind, const std::string& plugin) {
  const auto guess = did_you_mean(plugin, catalog.names(kind));
  if (!guess) return {};
  const ComponentInfo* info = catalog.find(kind, *guess);
  std::string text = "did you mean `" + *guess + "`";
  if (info != nullptr && !info->file.empty()) {
    text += " (" + info->file.substr(info->file.find_last_of('/') + 1) + " " + info->version + ")";
  }
  return text + "?";
}

bool told(const std::vector<std::string>& problems, const std::string& part) {
  return std::any_of(problems.begin(), problems.end(), [&](const std::string& problem) {
    return problem.find(part) != std::string::npos;
  });
}

}  // namespace

Catalog::~Catalog() = default;

Diagnostic unknown_plugin(const Catalog& catalog, const std::string& kind,
                          const std::string& plugin) {
  const auto names = catalog.names(kind);
  const auto problems = catalog.load_problems();
  Diagnostic d;
  d.id = "E201";
  const bool twice = told(problems, "`" + kind + "/" + plugin + "` is in two libraries");
  d.message = (twice ? "no usable " : "no ") + kind + " plugin named `" + plugin + "`";
  d.caret = guess_text(catalog, kind, plugin);
  d.facts.push_back("found " + std::to_string(names.size()) + " " + kind + " plugins" +
                    (names.empty() ? "" : ": ") + join(names, ", "));
  for (const std::string& other : catalog.kinds()) {
    if (other != kind && catalog.find(other, plugin) != nullptr) {
      d.facts.push_back("`" + plugin + "` is a plugin of kind " + other);
    }
  }
  d.facts.push_back("looked in: " + join(catalog.looked_in(), ", "));
  if (!problems.empty()) {
    d.facts.push_back(std::to_string(problems.size()) +
                      (problems.size() == 1 ? " library" : " libraries") +
                      " could not be loaded: " + join(problems, "; "));
  }
  d.help = "see what is installed with  retake plugins list";
  if (told(problems, plugin)) d.help = "rebuild the library that could not be loaded";
  if (twice) {
    d.help =
        "remove one of the two libraries: the file of an old name stays when a target is "
        "renamed";
  }
  return d;
}

}  // namespace retake::config
