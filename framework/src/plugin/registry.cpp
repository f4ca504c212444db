#include "plugin/registry.hpp"

#include <algorithm>
#include <set>

#include "core/join.hpp"
#include "core/suggest.hpp"
#include "plugin/blame.hpp"
#include "plugin/errors.hpp"
#include "plugin/loader.hpp"
#include "plugin/own_checks.hpp"

namespace retake::plugin {
namespace {

namespace fs = std::filesystem;

/// The libraries of a folder, sorted by name, so that results do not depend on the file system.
std::vector<fs::path> libraries(const fs::path& folder, std::error_code& failed) {
  std::vector<fs::path> out;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    if (at->path().extension() == ".so") out.push_back(at->path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// `unread`: why the folder could not be listed.
std::string count_text(const fs::path& folder, std::size_t n, const std::error_code& unread) {
  std::error_code failed;
  const fs::file_status status = fs::status(folder, failed);
  if (status.type() == fs::file_type::none) return failed.message();  // may not be looked at
  if (fs::exists(status) && !fs::is_directory(status)) return "a file, not a folder";
  if (!fs::is_directory(status)) return "no such folder";
  if (unread) return "cannot be read: " + unread.message();
  return std::to_string(n) + (n == 1 ? " library" : " libraries");
}

Diagnostic about(Severity severity, const char* id, std::string message, std::string help,
                 std::vector<std::string> facts = {}) {
  Diagnostic d;
  d.severity = severity;
  d.id = id;
  d.message = std::move(message);
  d.help = std::move(help);
  d.facts = std::move(facts);
  return d;
}

}  // namespace

Registry::Registry(const std::vector<std::string>& plugin_path)
    : Registry(search_path(plugin_path)) {}

Registry::Registry(std::vector<SearchFolder> folders) {
  std::vector<std::string> broken;
  for (const SearchFolder& folder : folders) {
    if (folder.path.empty()) {
      looked_in_.push_back(folder.label + " (not set)");
    } else {
      scan(folder, broken);
    }
  }
}

Registry::~Registry() = default;

/// `broken`: file names of earlier folders that could not be used. A later file of that name is
/// left out too: to fall through to an older copy would hide the cause.
void Registry::scan(const SearchFolder& folder, std::vector<std::string>& broken) {
  const std::size_t first = files_.size();
  std::error_code unread;
  const std::vector<fs::path> found = libraries(folder.path, unread);
  looked_in_.push_back(folder.label + " (" + count_text(folder.path, found.size(), unread) + ")");
  std::vector<std::string> broken_here;
  for (const fs::path& path : found) {
    const std::string name = path.filename().string();
    if (std::find(broken.begin(), broken.end(), name) != broken.end()) {
      problems_.push_back(file_diagnostic(
          "E207", path.string(), name + ": an earlier folder holds a broken library of this name",
          "mend or remove that one"));
      continue;
    }
    try {
      files_.push_back(read_plugin_file(path));
    } catch (const Error& e) {
      problems_.insert(problems_.end(), e.diagnostics().begin(), e.diagnostics().end());
      broken_here.push_back(name);
    }
  }
  broken.insert(broken.end(), broken_here.begin(), broken_here.end());
  add_components(first);
}

void Registry::add_components(std::size_t first) {
  std::map<std::pair<std::string, std::string>, std::vector<Entry>> here;
  for (std::size_t f = first; f < files_.size(); ++f) {
    for (std::size_t c = 0; c < files_[f].components.size(); ++c) {
      const ComponentInfo& info = files_[f].components[c];
      here[{info.kind, info.name}].push_back({f, c});
    }
  }
  for (const auto& [id, entries] : here) {
    const auto& [kind, name] = id;
    if (entries.size() > 1) {
      std::vector<std::string> facts;
      for (const Entry& e : entries) facts.push_back("in " + display_path(files_[e.file].path));
      problems_.push_back(about(Severity::error, "E208",
                                "`" + kind + "/" + name + "` is in two libraries of one folder, " +
                                    files_[entries[0].file].path.filename().string() + " and " +
                                    files_[entries[1].file].path.filename().string() +
                                    ", and neither is used",
                                "remove one of them", std::move(facts)));
      components_[kind].emplace(name, Entry{kNoFile, problems_.size() - 1});
      continue;
    }
    const auto [at, added] = components_[kind].emplace(name, entries.front());
    if (added) continue;
    const std::string earlier = at->second.file == kNoFile
                                    ? "two libraries of an earlier folder"
                                    : display_path(files_[at->second.file].path);
    notes_.push_back(about(Severity::note, "W208",
                           "`" + kind + "/" + name + "` of " +
                               display_path(files_[entries.front().file].path) +
                               " is shadowed by " + earlier,
                           ""));
  }
}

const Registry::Entry& Registry::entry(std::string_view kind, std::string_view name) const {
  const auto of_kind = components_.find(kind);
  if (of_kind != components_.end()) {
    const auto at = of_kind->second.find(name);
    if (at != of_kind->second.end() && at->second.file != kNoFile) return at->second;
  }
  if (const Diagnostic* two = clash(kind, name)) throw PluginError(*two);
  std::vector<std::string> facts;
  const std::vector<std::string> known = names(kind);
  const auto nearest = did_you_mean(name, known);
  if (nearest) facts.push_back("did you mean `" + *nearest + "`?");
  for (const auto& [other, unused] : components_) {
    if (find(other, name) != nullptr) {
      facts.push_back("there is `" + other + "/" + std::string(name) + "`, of another kind");
    }
  }
  facts.push_back("found " + std::to_string(known.size()) + " of kind " + std::string(kind) +
                  (known.empty() ? "" : ": " + join(known, ", ")));
  facts.push_back("looked in: " + join(looked_in_, ", "));
  for (const std::string& problem : load_problems()) {
    facts.push_back("could not be loaded: " + problem);
  }
  throw PluginError(about(Severity::error, "E201",
                          "no " + std::string(kind) + " plugin named `" + std::string(name) + "`",
                          "see what is installed with  retake plugins list", std::move(facts)));
}

const Diagnostic* Registry::clash(std::string_view kind, std::string_view name) const {
  for (const auto& [own_kind, of_kind] : components_) {
    const auto at = of_kind.find(name);
    if (!kind.empty() && kind != own_kind) continue;
    if (at == of_kind.end() || at->second.file != kNoFile) continue;
    return &problems_[at->second.component];
  }
  return nullptr;
}

std::vector<std::string> Registry::kinds() const {
  std::set<std::string> all;
  for (const std::string& kind : host_kinds()) all.insert(kind);
  for (const auto& [kind, unused] : components_) all.insert(kind);
  return {all.begin(), all.end()};
}

const ComponentInfo* Registry::find(std::string_view kind, std::string_view name) const {
  const auto of_kind = components_.find(kind);
  if (of_kind == components_.end()) return nullptr;
  const auto at = of_kind->second.find(name);
  if (at == of_kind->second.end() || at->second.file == kNoFile) return nullptr;
  return &files_[at->second.file].components[at->second.component];
}

std::vector<std::string> Registry::names(std::string_view kind) const {
  std::vector<std::string> out;
  const auto of_kind = components_.find(kind);
  if (of_kind == components_.end()) return out;
  for (const auto& [name, at] : of_kind->second) {
    if (at.file != kNoFile) out.push_back(name);
  }
  return out;
}

std::vector<std::string> Registry::looked_in() const {
  return looked_in_;
}

std::vector<std::string> Registry::load_problems() const {
  std::vector<std::string> out;
  for (const Diagnostic& d : problems_) {
    // No library is broken there, so that rebuilding one would not help.
    out.push_back(d.id == "E208" ? d.message + ": " + d.help : d.message);
  }
  return out;
}

const PluginFile& Registry::file_of(std::string_view kind, std::string_view name) const {
  return files_[entry(kind, name).file];
}

const ComponentInfo& Registry::info(std::string_view kind, std::string_view name) const {
  const Entry& at = entry(kind, name);
  return files_[at.file].components[at.component];
}

const Registration& Registry::loaded(std::string_view kind, std::string_view name) {
  const Entry& at = entry(kind, name);
  const std::lock_guard lock(loading_);
  auto found = loaded_.find(at.file);
  if (found == loaded_.end()) {
    found = loaded_.emplace(at.file, load_plugin(files_[at.file])).first;
  }
  return found->second[at.component];
}

template <class F>
auto Registry::guarded(std::string_view kind, std::string_view name, F&& foreign) const {
  std::string cause = "something that is no std::exception";
  try {
    return foreign();
  } catch (const Error& e) {
    if (!e.diagnostics().front().id.empty()) throw;
    // Without an id nobody could tell whose words these are.
    std::vector<Diagnostic> all = e.diagnostics();
    all.front().facts.push_back("said by `" + std::string(kind) + "/" + std::string(name) +
                                "` of " + display_path(file_of(kind, name).path));
    throw Error(e.code(), std::move(all));
  } catch (const std::exception& e) {
    cause = said_by(e);
  } catch (...) {  // told below, as what it is
  }
  throw Error(ExitCode::unexpected,
              file_diagnostic("E229", file_of(kind, name).path,
                              "`" + std::string(kind) + "/" + std::string(name) +
                                  "` could not be made; its code threw: " + cause,
                              "this is a defect of the plugin, or its parameters ask too much"));
}

Problems Registry::check(std::string_view kind, std::string_view name, const Table& params) {
  const Registration& registration = loaded(kind, name);
  return guarded(kind, name, [&] {
    Problems problems;
    if (registration.check) registration.check(params, problems);
    return problems;
  });
}

std::unique_ptr<Component> Registry::create(std::string_view kind, std::string_view name,
                                            const Table& params, Context& context) {
  std::vector<Diagnostic> wrong;
  const Problems problems = check(kind, name, params);
  for (const Problems::Item& item : problems.items()) {
    wrong.push_back(own_check_diagnostic(item, std::string(name)));
  }
  if (!wrong.empty()) throw ConfigError(std::move(wrong));
  const Registration& registration = loaded(kind, name);
  return guarded(kind, name, [&] {
    std::unique_ptr<Component> made = registration.create(params, context);
    if (made == nullptr) throw std::runtime_error("its factory returned a null pointer");
    return made;
  });
}

void Registry::wrong_class(std::string_view kind, std::string_view name) const {
  fail("E230", file_of(kind, name).path,
       "its `" + std::string(name) + "` is registered as " + std::string(kind) +
           ", but its class does not derive from that kind's interface",
       "derive the class from the kind that it is registered for");
}

}  // namespace retake::plugin
