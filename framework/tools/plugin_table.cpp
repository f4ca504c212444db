// retake-plugin-table: run by retake_add_plugin after a plugin's link. It loads the library in a
// child process and embeds what it registers, so that nobody has to load it to know.
//
//   retake-plugin-table --name NAME --objcopy PROGRAM [--source DIR] [--flags TEXT] LIBRARY
//   retake-plugin-table --dump LIBRARY          the child: the table to descriptor 3

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "core/diagnostics.hpp"
#include "core/join.hpp"
#include "plugin/embed.hpp"
#include "plugin/errors.hpp"
#include "plugin/plugin_file.hpp"
#include "retake/error.hpp"

namespace {

namespace fs = std::filesystem;
using namespace retake;

constexpr std::chrono::seconds kLimit{120};

int dump(const fs::path& library) {
  const std::string text = plugin::dump_table(library);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(3, text.data() + done, text.size() - done);
    if (n <= 0) return 1;
    done += static_cast<std::size_t>(n);
  }
  return 0;
}

/// What a program prints, without the last line's end; nullopt when it fails.
std::optional<std::string> output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string text;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
  if (::pclose(pipe) != 0) return std::nullopt;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

/// The commit of the plugin's sources, with "+" when files of theirs differ from it; empty outside
/// a git repository.
std::string commit_of(const std::string& source) {
  if (source.empty() || source.find('\'') != std::string::npos) return {};
  const std::string git = "git -C '" + source + "' ";
  const auto commit = output_of(git + "rev-parse HEAD 2>/dev/null");
  const auto changes = output_of(git + "status --porcelain -- . 2>/dev/null");
  if (!commit || !changes) return {};
  return *commit + (changes->empty() ? "" : "+");
}

/// Compiler flags less warnings, which change no bits, and paths, which are of one machine.
std::string recorded_flags(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    if (word.starts_with("SHELL:")) word.erase(0, 6);  // CMake's mark
    const bool warning = word.starts_with("-W") || word == "-w";
    const bool path = word.find('/') != std::string::npos || word.starts_with("-I") ||
                      word == "-isystem" || word == "-include";
    if (!warning && !path) words.push_back(word);
  }
  return join(words, " ");
}

struct Request {
  std::string name;
  fs::path objcopy;
  std::string source;
  std::string flags;
  fs::path library;
};

std::optional<Request> read_request(const std::vector<std::string>& words) {
  Request r;
  std::size_t at = 0;
  for (; at + 1 < words.size(); at += 2) {
    if (words[at] == "--name") {
      r.name = words[at + 1];
    } else if (words[at] == "--objcopy") {
      r.objcopy = words[at + 1];
    } else if (words[at] == "--source") {
      r.source = words[at + 1];
    } else if (words[at] == "--flags") {
      r.flags = recorded_flags(words[at + 1]);
    } else {
      return std::nullopt;
    }
  }
  if (at + 1 != words.size() || r.name.empty() || r.objcopy.empty()) return std::nullopt;
  r.library = words[at];
  return r;
}

void embed(const Request& r) {
  const fs::path& library = r.library;
  const plugin::Stamp stamp = plugin::read_stamp(library);
  if (stamp.name != r.name) {
    plugin::fail("E233", library,
                 "its source says RETAKE_PLUGIN(\"" + stamp.name +
                     "\", ...), the build says retake_add_plugin(" + r.name + " ...)",
                 "give both the same name");
  }
  const std::string table = plugin::dump_in_child("/proc/self/exe", library, kLimit);
  plugin::embed_table(library, table, r.objcopy, {commit_of(r.source), r.flags});
  plugin::read_plugin_file(library);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const bool child = words.size() == 2 && words[0] == "--dump";
  const std::optional<Request> request = child ? std::nullopt : read_request(words);
  if (!child && !request) {
    std::fputs(
        "usage: retake-plugin-table --name NAME --objcopy PROGRAM [--source DIR] [--flags TEXT] "
        "LIBRARY\n",
        stderr);
    return static_cast<int>(ExitCode::usage);
  }
  try {
    if (child) return dump(words[1]);
    embed(*request);
    return 0;
  } catch (const Error& e) {
    std::fputs(render(e.diagnostics(), false).c_str(), stderr);
    // A library without its table must not look finished: the next build links it again.
    std::error_code ignored;
    if (request) fs::remove(request->library, ignored);
    return static_cast<int>(e.code());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    std::error_code ignored;
    if (request) fs::remove(request->library, ignored);
    return 1;
  }
}
