#include "plugin/loader.hpp"

// Boost.DLL with std::filesystem: the room needs no compiled Boost library.
#define BOOST_DLL_USE_STD_FS
#include <dlfcn.h>

#include <boost/dll/runtime_symbol_info.hpp>
#include <boost/dll/shared_library.hpp>
#include <cfenv>

#include <algorithm>
#include <exception>
#include <mutex>

#include "plugin/blame.hpp"
#include "plugin/errors.hpp"
#include "plugin/table.hpp"

namespace retake::plugin {
namespace {

namespace fs = std::filesystem;
namespace dll = boost::dll;

constexpr const char* kEntry = "retake_register_plugin";
using Entry = void(Registrar&);

/// Handles are never destroyed: the list is leaked on purpose, so that no static destructor closes
/// a library while its objects are still about.
dll::shared_library& keep_open(dll::shared_library library) {
  static std::mutex mutex;
  static auto& open = *new std::vector<std::unique_ptr<dll::shared_library>>;
  const std::lock_guard lock(mutex);
  open.push_back(std::make_unique<dll::shared_library>(std::move(library)));
  return *open.back();
}

/// dlerror's text out of what Boost.DLL makes of it, which ends with the message of an unrelated
/// error number.
std::string loader_message(std::string text) {
  for (const char* tail : {": Bad file descriptor", ": Invalid argument"}) {
    const std::size_t at = text.find(tail);
    if (at != std::string::npos) text.resize(at);
  }
  for (const std::string prefix :
       {"boost::dll::shared_library::load() failed", " (", "dlerror system message: "}) {
    if (text.starts_with(prefix)) text.erase(0, prefix.size());
  }
  const auto opened = std::count(text.begin(), text.end(), '(');
  if (text.ends_with(')') && std::count(text.begin(), text.end(), ')') > opened) text.pop_back();
  const std::size_t begin = text.find_first_not_of(" (:");
  return begin == std::string::npos ? "no reason given" : text.substr(begin);
}

/// A library built with -ffast-math sets the processor to take small numbers for zero when it is
/// loaded, for all of the process (GCC's crtfastmath.o). This puts it back.
class SameArithmetic {
 public:
  SameArithmetic() { std::fegetenv(&before_); }
  ~SameArithmetic() { std::fesetenv(&before_); }
  SameArithmetic(const SameArithmetic&) = delete;
  SameArithmetic& operator=(const SameArithmetic&) = delete;

 private:
  std::fenv_t before_{};
};

dll::shared_library& open_library(const fs::path& path) {
  // now: a missing symbol shows here and not in the middle of a run. local: plugins do not see each
  // other. nodelete is no mode of Boost.DLL, but its bits go through to dlopen.
  const auto mode = static_cast<dll::load_mode::type>(
      static_cast<int>(dll::load_mode::rtld_now | dll::load_mode::rtld_local) | RTLD_NODELETE);
  const Opening opening(path);
  const SameArithmetic arithmetic;
  try {
    return keep_open(dll::shared_library(path, mode));
  } catch (const std::exception& e) {
    fail("E218", path, "the system's loader refuses it: " + loader_message(e.what()),
         "rebuild it; `ldd` shows a library that is missing");
  }
}

/// dlsym also finds the symbol in libraries that the plugin links to: another plugin's registration
/// must not run in its name.
Entry* entry_of(const dll::shared_library& library, const fs::path& path) {
  if (!library.has(kEntry)) {
    fail("E219", path, std::string("has no function `") + kEntry + "`",
         "write its registration with RETAKE_PLUGIN(name, version, registrar) { ... }");
  }
  Entry& entry = library.get<Entry>(kEntry);
  const fs::path owner = dll::symbol_location(entry).native();
  std::error_code failed;
  if (!fs::equivalent(owner, path, failed)) {
    fail("E220", path,
         std::string("its `") + kEntry + "` comes from another library, " +
             owner.filename().string(),
         "write a registration of its own, and do not link one plugin to another");
  }
  return &entry;
}

/// "libx.so (loss/stop, loss/keep, loss/go and 4 more)": short enough to be read in a sentence, and
/// to be remembered whole.
std::string name_with_components(const fs::path& path, const std::vector<Registration>& staged) {
  constexpr std::size_t kShown = 3, kLongest = 300;
  const std::string file = path.filename().string();
  if (staged.empty()) return file;
  std::string names;
  std::size_t shown = 0;
  for (const Registration& r : staged) {
    const std::string name = (shown == 0 ? "" : ", ") + r.info.kind + "/" + r.info.name;
    if (shown == kShown || file.size() + names.size() + name.size() > kLongest) break;
    names += name;
    ++shown;
  }
  const std::size_t left = staged.size() - shown;
  if (shown == 0) return file + " (" + std::to_string(left) + " components)";
  return file + " (" + names + (left == 0 ? "" : " and " + std::to_string(left) + " more") + ")";
}

std::vector<Registration> stage(Entry* entry, const fs::path& path) {
  const std::string help = "this is a defect of the plugin: mend its RETAKE_PLUGIN body";
  try {
    Registrar staging;
    entry(staging);
    return staging.take();
  } catch (const std::exception& e) {
    fail("E221", path, "its registration threw: " + said_by(e), help);
  } catch (...) {
    fail("E221", path, "its registration threw something that is no std::exception", help);
  }
}

}  // namespace

Diagnostic libtorch_problem(const Error& refused) {
  const Diagnostic& told = refused.diagnostics().front();
  std::string cause = told.facts.empty() ? told.message : loader_message(told.facts.front());
  Diagnostic d;
  d.id = told.id;
  d.message = "LibTorch cannot be opened, which this plugin needs: " + cause;
  d.help = "the plugin is not to blame: see what is wrong with  retake doctor";
  return d;
}

std::vector<Registration> open_plugin(const fs::path& path, const Stamp& stamp) {
  const fs::path absolute = fs::absolute(path);
  const dll::shared_library& library = open_library(absolute);
  Entry* const entry = entry_of(library, absolute);
  std::vector<Registration> staged;
  {
    const Opening opening(absolute);
    staged = stage(entry, absolute);
  }
  remember_library(reinterpret_cast<const void*>(entry), name_with_components(absolute, staged));
  for (Registration& r : staged) {
    r.info.plugin = stamp.name;
    r.info.version = stamp.version;
    r.info.file = path.string();
  }
  return staged;
}

std::vector<Registration> load_plugin(const PluginFile& file) {
  std::vector<Registration> staged = open_plugin(file.path, file.stamp);
  std::vector<ComponentInfo> registered;
  for (const Registration& r : staged) registered.push_back(r.info);
  // Compared as they are written: NaN and infinity have a spelling of their own there.
  const Value now = parse_json(table_text(registered), file.path.string());
  const Value then = parse_json(table_text(file.components), file.path.string());
  const std::string difference = first_difference(then, now);
  if (!difference.empty()) {
    fail("E224", file.path, "registers something else than its embedded table says",
         "rebuild it; a default must not depend on the machine or the environment",
         {"first difference, table / registered: " + difference});
  }
  return staged;
}

}  // namespace retake::plugin
