// The ids of errors and warnings in the sources against the table that documents them.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "catch.hpp"
#include "config/error_ids.hpp"

namespace fs = std::filesystem;

namespace {

const fs::path kRoot = RETAKE_SOURCE_DIR;

/// A name that looks like an id and is none.
bool is_other_word(const std::string& word) {
  return word == "W64";  // an audio container
}

/// Ids that later commands will give with a meaning fixed beforehand: sweeps that changed, data
/// and hosts that differ from a recorded run, conditions never true.
const std::set<std::string> kReserved{"E301", "E402", "E503", "W31"};

/// The folder that owns a file: a room of the framework, or one plugin.
std::string room_of(const fs::path& relative) {
  auto part = relative.begin();
  const std::string top = (part++)->string();
  const std::string second = (part++)->string();
  if (top == "plugins") return top + "/" + second + "/" + part->string();
  if (second == "src") return part->string();
  if (second == "tools") return "plugin";
  if (second == "include") return "core";
  return second;  // cli
}

using Uses = std::map<std::string, std::set<std::string>>;  // id: rooms

template <class Take>
void for_each_source(Take take) {
  for (const char* folder : {"framework", "plugins"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      const auto extension = entry.path().extension();
      const bool source = extension == ".cpp" || extension == ".hpp" || extension == ".cu";
      if (!source || entry.path().stem() == "error_ids") continue;
      std::ifstream in(entry.path());
      const std::string text(std::istreambuf_iterator<char>(in), {});
      REQUIRE(!text.empty());
      take(fs::relative(entry.path(), kRoot), text);
    }
  }
}

/// A string of an id alone.
const std::regex kIdText("\"(E[0-9]{3}|W[0-9]{1,3})\"");

Uses matches(const std::regex& form, bool comments) {
  Uses uses;
  for_each_source([&](const fs::path& file, std::string text) {
    if (!comments) text = std::regex_replace(text, std::regex("//[^\n]*"), "");
    for (auto it = std::sregex_iterator(text.begin(), text.end(), form);
         it != std::sregex_iterator(); ++it) {
      const std::string id = (*it)[1];
      if (!is_other_word(id)) uses[id].insert(room_of(file));
    }
  });
  return uses;
}

std::string joined(const std::set<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

TEST_CASE("every error id is documented, used and of one room", "[structure]") {
  const Uses uses = matches(kIdText, false);
  REQUIRE(uses.size() > 100);
  for (const auto& [id, rooms] : uses) {
    INFO(id << " is used by " << joined(rooms));
    const auto* doc = retake::config::find_error_doc(id);
    CHECK(doc != nullptr);
    CHECK(kReserved.count(id) == 0);
    if (doc == nullptr) continue;
    if (rooms.size() > 1) CHECK(doc->shared);
  }
  for (const auto& doc : retake::config::error_docs()) {
    INFO(doc.id);
    CHECK(uses.count(std::string(doc.id)) == 1);
  }
}

TEST_CASE("an id is shared only where it must be", "[structure]") {
  const Uses uses = matches(kIdText, false);
  for (const auto& doc : retake::config::error_docs()) {
    if (!doc.shared) continue;
    INFO(doc.id << " is marked as shared");
    CHECK(uses.at(std::string(doc.id)).size() > 1);
  }
}

TEST_CASE("comments name documented error ids", "[structure]") {
  for (const auto& [id, rooms] : matches(std::regex("\\b(E[0-9]{3})\\b"), true)) {
    INFO(id << " is named in " << joined(rooms));
    CHECK(retake::config::find_error_doc(id) != nullptr);
  }
}

TEST_CASE("the table of error ids is complete and of one form", "[structure]") {
  static const std::regex form("E[0-9]{3}|W[0-9]{1,3}");
  std::set<std::string> ids, titles;
  for (const auto& doc : retake::config::error_docs()) {
    INFO(doc.id);
    CHECK(std::regex_match(std::string(doc.id), form));
    CHECK(ids.insert(std::string(doc.id)).second);
    CHECK(titles.insert(std::string(doc.title)).second);
    CHECK(doc.title.size() >= 15);
    CHECK(doc.remedy.size() >= 10);
    CHECK(doc.title.back() != '.');
    CHECK(doc.remedy.back() != '.');
    CHECK(retake::config::find_error_doc(doc.id) == &doc);
  }
  CHECK(retake::config::find_error_doc("e104") == nullptr);
  CHECK(retake::config::find_error_doc("") == nullptr);
}
