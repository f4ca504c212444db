// docs/from-the-prototype.md: what it says exists, exists.

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

#include "catch.hpp"
#include "run_retake.hpp"

using cli_test::retake;
using nlohmann::json;

namespace {

struct Row {
  int line = 0;
  std::string theirs;
  std::string ours;
  std::string when;
};

std::vector<Row> read_rows() {
  std::ifstream in(std::string(RETAKE_SOURCE_DIR) + "/docs/from-the-prototype.md");
  std::vector<Row> rows;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    static const std::regex form("^\\| (.*) \\| (.*) \\| (\\w+) \\|$");
    std::smatch m;
    if (!std::regex_match(line, m, form) || m[3] == "when") continue;
    rows.push_back({number, m[1], m[2], m[3]});
  }
  return rows;
}

std::vector<std::string> code_spans(const std::string& text) {
  static const std::regex form("`([^`]+)`");
  std::vector<std::string> out;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), form); it != std::sregex_iterator();
       ++it) {
    out.push_back((*it)[1]);
  }
  return out;
}

/// The help of the command that a line begins with; empty when there is none.
std::string help_of(const std::string& line) {
  static std::map<std::string, std::string> known;
  std::istringstream in(line);
  std::vector<std::string> words;
  std::string word;
  in >> word;  // retake
  while (words.size() < 2 && in >> word && word[0] >= 'a' && word[0] <= 'z' &&
         word.find('/') == std::string::npos) {
    words.push_back(word);
  }
  if (words.empty()) return {};
  const std::string key = words.size() > 1 ? words[0] + " " + words[1] : words[0];
  if (const auto it = known.find(key); it != known.end()) return it->second;
  words.push_back("--help");
  const auto r = retake(words);
  return known[key] = r.code == 0 ? r.out : "";
}

/// Whether every option of the line stands in the command's help.
bool parses(const std::string& line) {
  const std::string help = help_of(line);
  static const std::regex option("(^| )(--?[a-z][a-z-]*)");
  bool good = !help.empty();
  for (auto it = std::sregex_iterator(line.begin(), line.end(), option);
       good && it != std::sregex_iterator(); ++it) {
    const std::string name = (*it)[2];
    good = std::regex_search(help, std::regex("(^|[ \\[,])" + name + "([ \\]=]|$)"));
  }
  return good;
}

/// Property names below a schema object, groups as "keep.last".
void collect(const json& table, const std::string& prefix, std::set<std::string>& out) {
  const json properties = table.value("properties", json::object());
  for (const auto& [name, value] : properties.items()) {
    out.insert(prefix + name);
    if (value.contains("properties")) collect(value, prefix + name + ".", out);
  }
}

/// Every key that may stand in a table: the host's, or that of any plugin of the kind.
const std::map<std::string, std::set<std::string>>& keys() {
  static const auto all = [] {
    std::map<std::string, std::set<std::string>> out;
    const json schema = json::parse(retake({"schema", "-o", "-"}).out);
    for (const auto& [table, value] : schema.at("properties").items()) {
      collect(value, "", out[table]);
    }
    for (const auto& [name, value] : schema.at("definitions").items()) {
      const std::size_t dot = name.find('.');
      if (dot != std::string::npos) collect(value, "", out[name.substr(0, dot)]);
    }
    return out;
  }();
  return all;
}

/// "train.batch", "loss.NAME.weight": nothing when the span is no key.
std::optional<bool> key_exists(const std::string& span) {
  static const std::regex form("([a-z_]+)\\.(NAME\\.)?([a-z_0-9]+(\\.[a-z_0-9]+)*)");
  std::smatch m;
  if (!std::regex_match(span, m, form)) return std::nullopt;
  const auto table = keys().find(m[1]);
  if (table == keys().end()) return std::nullopt;  // bar.toml, best.pt
  return table->second.count(m[3]) == 1;
}

}  // namespace

TEST_CASE("every command and key that the page says is here, is here") {
  const auto rows = read_rows();
  REQUIRE(rows.size() > 150);
  std::size_t commands = 0, found = 0;
  for (const Row& row : rows) {
    INFO("docs/from-the-prototype.md:" << row.line << ": " << row.ours);
    CHECK(std::set<std::string>{"now", "later", "gone"}.count(row.when) == 1);
    CHECK(!code_spans(row.theirs + row.ours).empty());
    CHECK((row.when != "gone" || row.ours.starts_with("nothing")));
    for (const std::string& span : code_spans(row.ours)) {
      INFO(span);
      const bool is_command = span.starts_with("retake ");
      if (row.when == "now" && is_command) {
        CHECK(parses(span));
        ++commands;
      } else if (row.when == "now") {
        const auto exists = key_exists(span);
        if (!exists) continue;
        // Without LibTorch the plugins that have most of these keys are not built.
        CHECK((*exists || RETAKE_HAS_NN == 0));
        ++found;
      } else if (row.when == "later" && is_command && !help_of(span).empty() && parses(span)) {
        FAIL_CHECK("this command exists: write `now`");
      }
    }
  }
  CHECK(commands > 30);
  CHECK(found > 80);
}

TEST_CASE("experiments that the page names can be checked") {
  for (const Row& row : read_rows()) {
    for (const std::string& span : code_spans(row.ours)) {
      static const std::regex file("experiments/[a-z_/]+\\.toml");
      std::smatch m;
      if (row.when != "now" || !std::regex_search(span, m, file)) continue;
      const auto r = retake({"check", std::string(RETAKE_SOURCE_DIR) + "/" + m.str()});
      INFO(span << "\n" << r.err);
      CHECK((r.code == 0 || (RETAKE_HAS_NN == 0 && r.code == 4)));
    }
  }
}
