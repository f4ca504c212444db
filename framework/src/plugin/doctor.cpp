#include "plugin/doctor.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <map>
#include <optional>

#include "plugin/child.hpp"
#include "plugin/elf_file.hpp"
#include "plugin/loader.hpp"
#include "plugin/plugin_file.hpp"
#include "plugin/table.hpp"

namespace retake::plugin {
namespace {

namespace fs = std::filesystem;

const char* const kSteps[] = {"file",  "ELF",          "architecture", "stamp", "ABI",
                              "table", "dependencies", "loading",      "entry", "registration"};

/// The step at which an error of this id says the file fails.
std::string step_of(const std::string& id) {
  static const std::map<std::string, std::string> steps = {
      {"E210", "file"},         {"E211", "ELF"},   {"E212", "ELF"},
      {"E213", "architecture"}, {"E214", "stamp"}, {"E218", "loading"},
      {"E219", "entry"},        {"E220", "entry"}, {"E221", "registration"},
      {"E224", "registration"}};
  const auto at = steps.find(id);
  return at == steps.end() ? "loading" : at->second;
}

std::string expanded(std::string folder, const fs::path& file) {
  for (const std::string origin : {"${ORIGIN}", "$ORIGIN"}) {
    for (std::size_t at; (at = folder.find(origin)) != std::string::npos;) {
      folder.replace(at, origin.size(), fs::absolute(file).parent_path().string());
    }
  }
  return folder;
}

/// Where the loader finds a library, else an empty text. In a child: it opens the library.
std::string resolved(const std::string& name, const ElfFile::Dependencies& all,
                     const fs::path& file) {
  void* handle = ::dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  for (const std::string& folder : all.run_path) {
    if (handle != nullptr) break;
    const fs::path candidate = fs::path(expanded(folder, file)) / name;
    std::error_code error;
    if (fs::exists(candidate, error)) handle = ::dlopen(candidate.c_str(), RTLD_LAZY);
  }
  if (handle == nullptr) handle = ::dlopen(name.c_str(), RTLD_LAZY);
  const link_map* map = nullptr;
  if (handle == nullptr || ::dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) return {};
  return map->l_name;
}

/// A diagnostic as the child tells it, and as it is understood.
Table table_of(const Diagnostic& d) {
  Table line;
  line["id"] = d.id;
  line["message"] = d.message;
  line["help"] = d.help;
  return line;
}

Diagnostic diagnostic_of(const Table& line) {
  Diagnostic d;
  d.id = line.at("id").as_string();
  d.message = line.at("message").as_string();
  d.help = line.at("help").as_string();
  return d;
}

class Examination {
 public:
  Examination(const fs::path& file, const std::function<void(bool torch)>& prepare,
              std::chrono::duration<double> limit)
      : file_(file), prepare_(prepare), limit_(limit) {
    for (const char* name : kSteps) steps_.push_back({name, Verdict::skipped, "not reached"});
  }

  std::vector<DoctorStep> run() {
    if (!read_file()) return std::move(steps_);
    const bool stamped = read_stamp();
    const bool same_abi = stamped && compare_abi();
    if (stamped) read_table();
    if (same_abi) {
      open_in_child();
    } else {
      const std::string why = "not opened: it is not for this host";
      for (const char* name : {"dependencies", "loading", "entry", "registration"}) {
        step(name).found = why;
      }
    }
    return std::move(steps_);
  }

 private:
  DoctorStep& step(const std::string& name) {
    return *std::find_if(steps_.begin(), steps_.end(),
                         [&](const DoctorStep& s) { return s.name == name; });
  }
  void pass(const std::string& name, std::string found, std::vector<std::string> facts = {}) {
    step(name) = {name, Verdict::ok, std::move(found), {}, std::move(facts)};
  }
  void fail_at(const std::string& name, const Diagnostic& d) {
    step(name) = {name, Verdict::failed, d.id + ": " + d.message, d.help, d.facts};
  }
  /// Everything before the step at which an error stopped went well.
  void stopped_by(const Error& e) {
    const std::string failed = step_of(e.diagnostics().front().id);
    for (DoctorStep& s : steps_) {
      if (s.name == failed) break;
      if (s.verdict == Verdict::skipped) s = {s.name, Verdict::ok, "", {}, {}};
    }
    fail_at(failed, e.diagnostics().front());
  }

  bool read_file() {
    try {
      elf_.emplace(file_);
    } catch (const Error& e) {
      stopped_by(e);
      return false;
    }
    std::error_code error;
    pass("file", std::to_string(fs::file_size(file_, error)) + " bytes");
    pass("ELF", "a shared library");
    pass("architecture", "x86-64");
    return true;
  }

  bool read_stamp() {
    try {
      stamp_ = plugin::read_stamp(file_);
    } catch (const Error& e) {
      stopped_by(e);
      return false;
    }
    std::string kinds;
    for (const std::string& kind : stamp_.kinds()) kinds += " " + kind;
    pass("stamp", stamp_.name + " " + stamp_.version + ", for" + kinds);
    return true;
  }

  bool compare_abi() {
    try {
      require_host_abi(stamp_, file_);
    } catch (const Error& e) {
      fail_at("ABI", e.diagnostics().front());
      return false;
    }
    const std::string kind = stamp_.kinds().front();
    pass("ABI", abi(stamp_, kind) + ", the host's");
    return true;
  }

  void read_table() {
    try {
      const auto section = elf_->section(kTableSection);
      if (!section) {
        Diagnostic d;
        d.id = "E216";
        d.message = "it has a stamp but no component table";
        d.help = "build it with retake_add_plugin, which embeds the table after the link";
        fail_at("table", d);
        return;
      }
      std::vector<ComponentInfo> components = parse_table(*section, file_);
      check_components(components, stamp_, file_);
      std::string names;
      for (const ComponentInfo& c : components) {
        names += (names.empty() ? "" : ", ") + c.kind + "/" + c.name;
      }
      pass("table", names);
    } catch (const Error& e) {
      fail_at("table", e.diagnostics().front());
    }
  }

  /// False when the host's LibTorch cannot be opened, which is told to the parent.
  bool prepared(const SendLine& send) {
    if (!prepare_) return true;
    try {
      prepare_(stamp_.torch());
      return true;
    } catch (const Error& e) {
      Table line = table_of(libtorch_problem(e));
      line["unprepared"] = true;
      send(to_json(Value(std::move(line))));
      return false;
    }
  }

  /// What the child tells, one line each.
  void in_child(const SendLine& send) {
    if (!prepared(send)) return;
    const ElfFile::Dependencies all = elf_->dependencies();
    for (const std::string& name : all.needed) {
      Table line;
      line["needs"] = name;
      line["found"] = resolved(name, all, file_);
      send(to_json(Value(std::move(line))));
    }
    send(R"({"dependencies":"done"})");
    Table line;
    try {
      if (step("table").verdict == Verdict::ok) {
        load_plugin(read_plugin_file(file_));
      } else {
        open_plugin(file_, stamp_);
      }
    } catch (const Error& e) {
      line = table_of(e.diagnostics().front());
    }
    line["loaded"] = true;
    send(to_json(Value(std::move(line))));
  }

  void take(const Table& line) {
    if (const Value* needs = line.find("needs")) {
      const std::string& where = line.at("found").as_string();
      facts_.push_back(needs->as_string() + ": " + (where.empty() ? "NOT FOUND" : where));
      missing_ += where.empty() ? (missing_.empty() ? "" : ", ") + needs->as_string() : "";
    } else if (line.contains("dependencies")) {
      dependencies_told_ = true;
    } else if (line.contains("unprepared")) {
      unprepared_ = diagnostic_of(line);
    } else if (line.contains("id")) {
      outcome_ = diagnostic_of(line);
      told_ = true;
    } else {
      told_ = true;
    }
  }

  void open_in_child() {
    const ChildEnd end = run_in_child(
        [&](const SendLine& send) { in_child(send); },
        [&](const std::string& text) { take(parse_json(text, "the child").as_table()); }, limit_);
    if (unprepared_) {
      const auto next = std::find_if(steps_.begin(), steps_.end(),
                                     [](const DoctorStep& s) { return s.name == "dependencies"; });
      const std::string found = unprepared_->id + ": " + unprepared_->message;
      steps_.insert(next, {kLibTorch, Verdict::failed, found, unprepared_->help, {}});
      return;
    }
    if (!missing_.empty()) {
      step("dependencies") = {"dependencies", Verdict::failed, "not found: " + missing_,
                              "install the library, or put its folder into LD_LIBRARY_PATH or the "
                              "plugin's run path (CMake: INSTALL_RPATH)",
                              facts_};
    } else if (dependencies_told_) {
      pass("dependencies", std::to_string(facts_.size()) + " libraries found", facts_);
    }
    if (outcome_) {
      stopped_by(PluginError(*outcome_));
    } else if (told_ && end.ok()) {
      pass("loading", "opened");
      pass("entry", "its own");
      pass("registration", step("table").verdict == Verdict::ok ? "equals its table" : "ran");
    } else {
      const std::string words = end.last_words.empty() ? "" : " (" + end.last_words + ")";
      step("loading") = {"loading",
                         Verdict::failed,
                         "the process that opened it " + end.text() + (end.in_time ? words : ""),
                         "static initialisers and RETAKE_PLUGIN run at this point: mend them",
                         {}};
    }
  }

  fs::path file_;
  const std::function<void(bool torch)>& prepare_;
  std::chrono::duration<double> limit_;
  std::vector<DoctorStep> steps_;
  std::optional<ElfFile> elf_;
  Stamp stamp_;
  std::vector<std::string> facts_;
  std::string missing_;
  std::optional<Diagnostic> outcome_;
  std::optional<Diagnostic> unprepared_;
  bool dependencies_told_ = false;
  bool told_ = false;
};

}  // namespace

std::vector<DoctorStep> diagnose(const fs::path& file,
                                 const std::function<void(bool torch)>& prepare,
                                 std::chrono::duration<double> limit) {
  return Examination(file, prepare, limit).run();
}

const DoctorStep* first_failed(const std::vector<DoctorStep>& steps) {
  for (const DoctorStep& s : steps) {
    if (s.verdict == Verdict::failed) return &s;
  }
  return nullptr;
}

}  // namespace retake::plugin
