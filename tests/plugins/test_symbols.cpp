// What the libraries and plugins of this build export and need.

#include <algorithm>
#include <set>

#include "catch.hpp"
#include "support.hpp"

namespace fs = std::filesystem;

namespace {

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::vector<fs::path> plugins_of(const fs::path& folder) {
  std::vector<fs::path> out;
  if (!fs::is_directory(folder)) return out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".so") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// The files that the system's loader maps for this program or library.
std::set<std::string> link_closure(const fs::path& file) {
  const test::Output ldd = test::run("ldd " + file.string());
  REQUIRE(ldd.code == 0);
  CHECK(ldd.text.find("not found") == std::string::npos);
  std::set<std::string> out = {file.string()};
  for (const std::string& line : lines(ldd.text)) {
    const std::size_t slash = line.find('/');
    if (slash != std::string::npos) out.insert(line.substr(slash, line.find(" (") - slash));
  }
  return out;
}

std::set<std::string> exported(const std::string& file) {
  std::set<std::string> out;
  for (const std::string& line : lines(test::run("nm -D --defined-only " + file).text)) {
    std::string name = line.substr(line.find_last_of(' ') + 1);
    out.insert(name.substr(0, name.find('@')));
  }
  return out;
}

}  // namespace

TEST_CASE("a plugin exports its registration and nothing else, and no unique symbol") {
  std::vector<fs::path> all = plugins_of(fs::path(RETAKE_BINARY_DIR) / "plugins");
  const std::vector<fs::path> samples = plugins_of(SAMPLE_DIR);
  REQUIRE(samples.size() == 2);
  all.insert(all.end(), samples.begin(), samples.end());
  for (const fs::path& plugin : all) {
    INFO(plugin.string());
    CHECK(exported(plugin.string()) == std::set<std::string>{"retake_register_plugin"});
    const test::Output symbols = test::run("readelf -sW " + plugin.string());
    REQUIRE(symbols.code == 0);
    CHECK(symbols.text.find(" UNIQUE ") == std::string::npos);
  }
}

TEST_CASE("the host needs no LibTorch, and nothing in its link closure exports BLAS") {
  const fs::path build = RETAKE_BINARY_DIR;
  for (const fs::path& file : {build / "bin" / "retake", build / "lib" / "libretake.so",
                               build / "lib" / "libretake_audio.so"}) {
    INFO(file.string());
    REQUIRE(fs::exists(file));
    for (const std::string& library : link_closure(file)) {
      INFO(library);
      const std::string name = fs::path(library).filename().string();
      CHECK(name.find("torch") == std::string::npos);
      CHECK(name.find("libc10") == std::string::npos);
      const std::set<std::string> symbols = exported(library);
      for (const char* blas : {"sgemm_", "dgemm_", "cblas_sgemm", "saxpy_", "sgesv_"}) {
        CHECK_FALSE(symbols.contains(blas));
      }
    }
  }
}
