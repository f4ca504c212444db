// The commands of the guide, run as a reader would; the pages of components against what they
// declare.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "run_retake.hpp"

namespace fs = std::filesystem;

namespace {

const fs::path kDocs = fs::path(RETAKE_SOURCE_DIR) / "docs";

std::string read(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The blocks of a page that are marked as shell.
std::vector<std::string> blocks(const fs::path& page) {
  std::istringstream in(read(page));
  std::vector<std::string> out;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line == "```sh") {
      inside = true;
      out.emplace_back();
    } else if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      out.back() += line + "\n";
    }
  }
  CHECK_FALSE(inside);
  return out;
}

/// Runs the blocks of a page in one shell, as a reader does, in `folder`.
void follow(const std::string& name, const fs::path& folder) {
  const std::vector<std::string> all = blocks(kDocs / "guide" / name);
  REQUIRE(!all.empty());
  {
    std::ofstream script(folder / "page.sh");
    for (const std::string& block : all) script << "set -v\n" << block << "\n";
  }
  const std::string path = std::string(RETAKE_BINARY_DIR) + "/bin:" + std::getenv("PATH");
  const std::string here = "'" + folder.string() + "'";
  const std::string command = "cd " + here + " && PATH='" + path + "' HOME=" + here +
                              " RETAKE_STORE=" + here +
                              "/store bash -euo pipefail page.sh > page.log 2>&1";
  const int status = std::system(command.c_str());
  INFO(name << ", up to where it failed:\n" << read(folder / "page.log"));
  REQUIRE(status == 0);
}

}  // namespace

TEST_CASE("the guide: a first experiment, then a first edit with its run") {
  const cli_test::Folder folder;
  follow("first-experiment.md", folder.path());
  follow("first-edit.md", folder.path());
}

TEST_CASE("the guide: a first plugin") {
  const cli_test::Folder folder;
  follow("first-plugin.md", folder.path());
}

TEST_CASE("no page of the guide is without a test") {
  std::vector<std::string> pages;
  for (const auto& entry : fs::directory_iterator(kDocs / "guide")) {
    pages.push_back(entry.path().filename().string());
  }
  std::sort(pages.begin(), pages.end());
  CHECK(pages ==
        std::vector<std::string>{"first-edit.md", "first-experiment.md", "first-plugin.md"});
}

TEST_CASE("the pages of components say what the components declare") {
  const cli_test::Folder folder;
  const auto made = cli_test::retake({"plugins", "pages", "-o", "pages"}, folder.path(),
                                     {"RETAKE_PLUGIN_PATH=" + (folder.path() / "none").string()});
  REQUIRE(made.code == 0);
  std::vector<std::string> kinds;
  for (const auto& entry : fs::directory_iterator(folder.path() / "pages")) {
    const std::string name = entry.path().filename().string();
    kinds.push_back(name);
    INFO("docs/components/" << name << " is behind: retake plugins pages -o docs/components");
    CHECK((read(entry.path()) == read(kDocs / "components" / name)));
  }
  CHECK(kinds.size() >= 11);
  for (const auto& entry : fs::directory_iterator(kDocs / "components")) {
    const std::string name = entry.path().filename().string();
    INFO("docs/components/" << name << " is of no kind that is installed");
    CHECK(std::count(kinds.begin(), kinds.end(), name) == 1);
  }
}
