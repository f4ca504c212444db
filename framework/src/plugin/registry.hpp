#pragma once
// The registry: which components are installed, and how to make one. Generic over kinds.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "config/experiment.hpp"
#include "plugin/arena.hpp"
#include "plugin/plugin_file.hpp"
#include "plugin/search_path.hpp"
#include "retake/plugin.hpp"

namespace retake::plugin {

/// Knows every component of the search path from the embedded tables, without loading anything;
/// loads a plugin when the first of its components is made. An earlier folder shadows a later one
/// (with a note); two files of one folder that hold the same component are a problem (E208) that
/// names both, and neither is used. All methods are thread-safe.
class Registry final : public config::Catalog {
 public:
  /// Scans. A library that cannot be used is a diagnostic in `problems()`, not an exception.
  explicit Registry(std::vector<SearchFolder> folders);
  /// The usual one: the folders of search_path(plugin_path).
  explicit Registry(const std::vector<std::string>& plugin_path = {});
  ~Registry() override;

  // config::Catalog
  std::vector<std::string> kinds() const override;
  const ComponentInfo* find(std::string_view kind, std::string_view name) const override;
  std::vector<std::string> names(std::string_view kind) const override;
  std::vector<std::string> looked_in() const override;
  std::vector<std::string> load_problems() const override;

  /// What could not be used, in search order.
  const std::vector<Diagnostic>& problems() const { return problems_; }
  /// The problem (E208) that two libraries of one folder hold this component; null when it is
  /// none of `problems`. An empty kind: any kind.
  const Diagnostic* clash(std::string_view kind, std::string_view name) const;
  /// Components that an earlier folder shadows.
  const std::vector<Diagnostic>& notes() const { return notes_; }
  /// Every usable plugin file, in search order; shadowed ones included.
  const std::vector<PluginFile>& files() const { return files_; }
  /// The file that holds a component. Throws as `info`.
  const PluginFile& file_of(std::string_view kind, std::string_view name) const;

  /// The description. Throws PluginError E201 (unknown; with did-you-mean and where was looked),
  /// E208 (two libraries of one folder hold it).
  const ComponentInfo& info(std::string_view kind, std::string_view name) const;

  /// Loads the component's plugin, if that has not happened yet, and makes the component.
  /// `params` was validated against the schema; absent keys keep their defaults. Throws
  /// PluginError E201, E208, E218 to E224, ConfigError E110 with all that the component's own check
  /// says, retake::Error as the component's constructor throws it, and Error E229 (exit 1) for any
  /// other exception of the two.
  std::unique_ptr<Component> create(std::string_view kind, std::string_view name,
                                    const Table& params, Context& context);

  /// As above with the kind's type; a component whose class does not derive from it is E230.
  template <class T>
  std::unique_ptr<T> create(std::string_view name, const Table& params, Context& context) {
    std::unique_ptr<Component> made = create(T::kind, name, params, context);
    T* cast = dynamic_cast<T*>(made.get());
    if (cast == nullptr) wrong_class(T::kind, name);
    made.release();
    return std::unique_ptr<T>(cast);
  }
  template <class T>
  T& create(Arena& arena, std::string_view name, const Table& params, Context& context) {
    return arena.keep(create<T>(name, params, context));
  }
  /// The component of an experiment's table.
  template <class T>
  T& create(Arena& arena, const config::ResolvedComponent& c, Context& context) {
    return arena.keep(create<T>(c.plugin, c.params, context), c.table);
  }

  /// Runs the component's own cross-field check (foreign code: loads the plugin). Throws as
  /// `create` but for E110.
  Problems check(std::string_view kind, std::string_view name, const Table& params);

 private:
  static constexpr std::size_t kNoFile = static_cast<std::size_t>(-1);
  /// Where a component is. For a name that two libraries of one folder claim: `kNoFile`, and which
  /// of the problems says so.
  struct Entry {
    std::size_t file = 0;
    std::size_t component = 0;
  };
  using Names = std::map<std::string, Entry, std::less<>>;

  void scan(const SearchFolder& folder, std::vector<std::string>& broken);
  void add_components(std::size_t first_file);
  const Entry& entry(std::string_view kind, std::string_view name) const;
  const Registration& loaded(std::string_view kind, std::string_view name);
  /// Calls foreign code; what it throws that is no retake::Error becomes E229.
  template <class F>
  auto guarded(std::string_view kind, std::string_view name, F&& foreign) const;
  [[noreturn]] void wrong_class(std::string_view kind, std::string_view name) const;

  std::vector<PluginFile> files_;
  std::vector<Diagnostic> problems_;
  std::vector<Diagnostic> notes_;
  std::vector<std::string> looked_in_;
  std::map<std::string, Names, std::less<>> components_;
  std::mutex loading_;
  std::map<std::size_t, std::vector<Registration>> loaded_;  ///< by file
};

}  // namespace retake::plugin
