#include "plugin/blame.hpp"

#include <execinfo.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iterator>
#include <mutex>

#include "core/stop.hpp"

namespace retake::plugin {
namespace {

constexpr std::size_t kMaxLibraries = 512;
constexpr std::size_t kMaxThrows = 64;
constexpr int kMaxFrames = 128;

// Plain storage that is only ever added to, so that a signal handler may read it at any time.
struct Library {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  char name[384] = {};
};
std::array<Library, kMaxLibraries> g_libraries;
std::atomic<std::size_t> g_count{0};
std::mutex g_adding;

char g_opening[384] = {};
std::atomic<bool> g_is_opening{false};

struct Throw {
  std::atomic<const void*> object{nullptr};
  std::atomic<const char*> library{nullptr};
};
std::array<Throw, kMaxThrows> g_throws;
std::atomic<std::size_t> g_thrown{0};

struct Search {
  std::uintptr_t address = 0;
  Library found;
};

/// dl_iterate_phdr's callback: where the library that holds the address begins and ends.
int find_range(dl_phdr_info* info, std::size_t, void* data) {
  auto& search = *static_cast<Search*>(data);
  std::uintptr_t begin = UINTPTR_MAX, end = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    const std::uintptr_t at = info->dlpi_addr + segment.p_vaddr;
    begin = std::min(begin, at);
    end = std::max(end, at + segment.p_memsz);
  }
  if (search.address < begin || search.address >= end) return 0;
  search.found.begin = begin;
  search.found.end = end;
  return 1;
}

const void* object_of(const std::exception_ptr& exception) {
  // libstdc++'s exception_ptr is one pointer: the object that was thrown. There is no other way to
  // tell whether two exceptions are the same one.
  static_assert(sizeof exception == sizeof(void*));
  const void* object = nullptr;
  std::memcpy(&object, &exception, sizeof object);
  return object;
}

}  // namespace

Opening::Opening(const std::filesystem::path& library) {
  std::strncpy(g_opening, library.filename().c_str(), sizeof g_opening - 1);
  g_is_opening = true;
}

Opening::~Opening() {
  g_is_opening = false;
}

void remember_library(const void* address, const std::string& name) {
  Search search;
  search.address = reinterpret_cast<std::uintptr_t>(address);
  if (::dl_iterate_phdr(find_range, &search) == 0) return;
  const std::lock_guard lock(g_adding);
  const std::size_t count = g_count;
  if (count == kMaxLibraries || library_at(address) != nullptr) return;
  std::strncpy(search.found.name, name.c_str(), sizeof search.found.name - 1);
  g_libraries[count] = search.found;
  g_count = count + 1;
}

const char* library_at(const void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (std::size_t i = 0; i < g_count; ++i) {
    if (at >= g_libraries[i].begin && at < g_libraries[i].end) return g_libraries[i].name;
  }
  return nullptr;
}

void prepare_stack_search() {
  void* frame[1];
  ::backtrace(frame, 1);
}

const char* library_on_stack(const void* first) {
  if (first != nullptr) {
    if (const char* name = library_at(first)) return name;
  }
  if (g_count > 0) {
    void* frames[kMaxFrames];
    const int n = ::backtrace(frames, kMaxFrames);
    for (int i = 0; i < n; ++i) {
      if (const char* name = library_at(frames[i])) return name;
    }
  }
  return g_is_opening ? g_opening : nullptr;
}

std::string library_of(const Component& component) {
  const void* table = nullptr;  // the first word of an object with virtual functions
  std::memcpy(&table, static_cast<const void*>(&component), sizeof table);
  const char* name = library_at(table);
  return name != nullptr ? name : "";
}

void note_throw(const void* object) {
  const char* library = library_on_stack();
  if (library == nullptr) return;
  Throw& entry = g_throws[g_thrown++ % kMaxThrows];
  entry.object = object;
  entry.library = library;
}

std::string said_by(const std::exception& exception) {
  const std::string said = exception.what();
  return said.substr(0, said.find("\nException raised from "));
}

Error settled(const Error& error) {
  const std::string library = thrown_in();
  if (library.empty() || stop_requested()) return error;
  constexpr ExitCode kAllowed[] = {ExitCode::unexpected, ExitCode::config,  ExitCode::plugin,
                                   ExitCode::data,       ExitCode::differs, ExitCode::diverged,
                                   ExitCode::environment};
  const bool allowed =
      std::find(std::begin(kAllowed), std::end(kAllowed), error.code()) != std::end(kAllowed);
  if (error.diagnostics().size() == 1 && error.diagnostics().front().id == "E151") {
    Diagnostic d = error.diagnostics().front();
    d.facts.push_back("asked for in " + library);
    return Error(error.code(), std::move(d));
  }
  const bool speaks = std::any_of(error.diagnostics().begin(), error.diagnostics().end(),
                                  [](const Diagnostic& d) { return !d.message.empty(); });
  if (allowed && speaks) return error;
  Diagnostic d = speaks ? error.diagnostics().front() : Diagnostic{};
  d.id = "E001";
  if (!speaks) d.message = "a plugin threw an error that says nothing";
  d.facts.push_back("thrown in " + library);
  if (!allowed) {
    d.facts.push_back("with code " + std::to_string(static_cast<int>(error.code())) +
                      ", which is not a plugin's to give");
  }
  if (d.help.empty()) d.help = "this is a defect of the plugin: please report it to its author";
  return Error(ExitCode::unexpected, std::move(d));
}

std::string thrown_in() {
  const void* object = object_of(std::current_exception());
  if (object == nullptr) return {};
  const std::size_t newest = g_thrown;
  for (std::size_t back = 1; back <= std::min(newest, kMaxThrows); ++back) {
    const Throw& entry = g_throws[(newest - back) % kMaxThrows];
    if (entry.object != object) continue;
    const char* library = entry.library;
    return library != nullptr ? library : "";
  }
  return {};
}

}  // namespace retake::plugin
