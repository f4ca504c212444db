// retake-plugin-table: run by retake_add_plugin after a plugin's link. It loads the library in a
// child process and embeds what it registers, so that nobody has to load it to know.
//
//   retake-plugin-table --name NAME --objcopy PROGRAM LIBRARY
//   retake-plugin-table --dump LIBRARY          the child: the table to descriptor 3

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "core/diagnostics.hpp"
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

void embed(const std::string& name, const fs::path& objcopy, const fs::path& library) {
  const plugin::Stamp stamp = plugin::read_stamp(library);
  if (stamp.name != name) {
    plugin::fail("E233", library,
                 "its source says RETAKE_PLUGIN(\"" + stamp.name +
                     "\", ...), the build says retake_add_plugin(" + name + " ...)",
                 "give both the same name");
  }
  const std::string table = plugin::dump_in_child("/proc/self/exe", library, kLimit);
  plugin::embed_table(library, table, objcopy);
  plugin::read_plugin_file(library);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const bool child = words.size() == 2 && words[0] == "--dump";
  const bool parent = words.size() == 5 && words[0] == "--name" && words[2] == "--objcopy";
  if (!child && !parent) {
    std::fputs("usage: retake-plugin-table --name NAME --objcopy PROGRAM LIBRARY\n", stderr);
    return static_cast<int>(ExitCode::usage);
  }
  try {
    if (child) return dump(words[1]);
    embed(words[1], words[3], words[4]);
    return 0;
  } catch (const Error& e) {
    std::fputs(render(e.diagnostics(), false).c_str(), stderr);
    // A library without its table must not look finished: the next build links it again.
    std::error_code ignored;
    if (parent) fs::remove(words[4], ignored);
    return static_cast<int>(e.code());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    std::error_code ignored;
    if (parent) fs::remove(words[4], ignored);
    return 1;
  }
}
