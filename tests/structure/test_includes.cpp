// The dependency direction of the rooms, read from the include lines themselves.

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "catch.hpp"

namespace fs = std::filesystem;

namespace {

using Rooms = std::set<std::string>;

/// Which rooms each room may include, itself apart; what is reachable along the arrows counts.
std::map<std::string, Rooms> allowed() {
  std::map<std::string, Rooms> direct{
      {"core", {}},
      {"config", {"core"}},
      {"plugin", {"config"}},
      {"run", {"plugin"}},
      {"sweep", {"run"}},
      {"audio", {"core"}},
      {"edit", {"audio"}},
      {"data", {"edit", "run", "plugin"}},
      {"env", {"data", "run", "plugin"}},
      {"nn", {"env", "run", "plugin"}},
      {"report", {"sweep", "data"}},
      {"cli", {"report"}},
  };
  std::map<std::string, Rooms> all;
  for (const auto& [room, _] : direct) {
    std::vector<std::string> open{room};
    while (!open.empty()) {
      const std::string at = open.back();
      open.pop_back();
      for (const std::string& next : direct.at(at)) {
        if (all[room].insert(next).second) open.push_back(next);
      }
    }
    all[room].insert(room);
    all[room].insert("kinds");
    all[room].insert("testing");
  }
  // The executable opens the nn room's torch-free interface and drives env through nothing else.
  all["cli"].insert("env");
  return all;
}

std::string room_of_public(const std::string& header) {
  const auto slash = header.find('/');
  if (slash == std::string::npos) return header == "plugin.hpp" ? "plugin" : "core";
  return header.substr(0, slash);
}

struct Include {
  fs::path file;
  std::string text;
};

std::vector<Include> includes(const fs::path& folder) {
  static const std::regex line_form(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (extension != ".cpp" && extension != ".hpp" && extension != ".cu") continue;
    std::ifstream in(entry.path());
    std::string line;
    std::smatch match;
    while (std::getline(in, line)) {
      if (std::regex_search(line, match, line_form)) found.push_back({entry.path(), match[2]});
    }
  }
  return found;
}

const fs::path kRoot = RETAKE_SOURCE_DIR;

}  // namespace

TEST_CASE("rooms include only along the arrows", "[structure]") {
  const auto may = allowed();
  for (const auto& [room, rooms] : may) {
    const fs::path folder =
        room == "cli" ? kRoot / "framework/cli" : kRoot / "framework/src" / room;
    if (!fs::exists(folder)) continue;
    for (const Include& include : includes(folder)) {
      std::string target;
      if (include.text.starts_with("retake/")) {
        target = room_of_public(include.text.substr(7));
      } else if (const auto slash = include.text.find('/'); slash != std::string::npos) {
        target = include.text.substr(0, slash);
        if (!may.contains(target)) continue;  // a library's header
        // The torch-free door to the nn room.
        if (room == "cli" && (include.text == "nn/room.hpp" || include.text == "nn/training.hpp")) {
          continue;
        }
      } else {
        continue;
      }
      INFO(include.file << " includes " << include.text);
      CHECK(rooms.contains(target));
    }
  }
}

TEST_CASE("public headers include only public headers, along the arrows", "[structure]") {
  const auto may = allowed();
  const fs::path folder = kRoot / "framework/include/retake";
  for (const Include& include : includes(folder)) {
    INFO(include.file << " includes " << include.text);
    const std::string own = room_of_public(fs::relative(include.file, folder).string());
    if (include.text.starts_with("retake/")) {
      const std::string target = room_of_public(include.text.substr(7));
      if (own == "kinds" || own == "testing") {
        CHECK(target != "nn");
      } else {
        CHECK(may.at(own).contains(target));
      }
    } else {
      const auto slash = include.text.find('/');
      CHECK((slash == std::string::npos || !may.contains(include.text.substr(0, slash))));
    }
    // The heavy or clashing libraries never cross the border to plugins.
    for (const char* banned : {"boost/", "Eigen/", "toml++", "nlohmann/", "spdlog/", "fftw3"}) {
      CHECK(include.text.find(banned) == std::string::npos);
    }
    if (own != "nn") {
      CHECK(include.text.find("torch/") != 0);
      CHECK(include.text.find("ATen/") != 0);
    }
  }
}

TEST_CASE("plugins see include/ only", "[structure]") {
  const auto may = allowed();
  for (const Include& include : includes(kRoot / "plugins")) {
    if (include.text.starts_with("retake/")) continue;
    INFO(include.file << " includes " << include.text);
    const auto slash = include.text.find('/');
    CHECK((slash == std::string::npos || !may.contains(include.text.substr(0, slash))));
  }
}

TEST_CASE("one file of torch headers", "[structure]") {
  // torch/torch.h compiles in half a minute; everybody includes retake/nn/torch.hpp instead.
  for (const char* folder : {"framework", "plugins"}) {
    for (const Include& include : includes(kRoot / folder)) {
      INFO(include.file);
      CHECK(include.text != "torch/torch.h");
      CHECK(include.text != "torch/all.h");
    }
  }
}
