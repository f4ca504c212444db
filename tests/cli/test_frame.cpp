#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "run_retake.hpp"

using cli_test::retake;

TEST_CASE("help of the program and of every command, with two examples each") {
  const auto help = retake({"--help"});
  CHECK(help.code == 0);
  CHECK(help.err.empty());
  std::size_t commands = 0;
  std::istringstream lines(help.out.substr(help.out.find("Commands:")));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line) && line.starts_with("  ")) {
    const std::string name = line.substr(2, line.find("  ", 2) - 2);
    std::vector<std::string> words;
    std::istringstream split(name);
    for (std::string word; split >> word;) words.push_back(word);
    words.push_back("--help");
    const auto one = retake(words);
    INFO(name << "\n" << one.out << one.err);
    CHECK(one.code == 0);
    CHECK(one.out.starts_with("usage: retake " + name));
    const std::size_t examples = one.out.find("Examples:\n");
    REQUIRE(examples != std::string::npos);
    CHECK(one.out.find("  retake ", one.out.find("  retake ", examples) + 1) != std::string::npos);
    ++commands;
  }
  CHECK(commands >= 6);
  CHECK(retake({"help", "plugins"}).out.find("plugins list") != std::string::npos);
  CHECK(retake({"--version"}).out.starts_with("retake "));
}

TEST_CASE("wrong command lines are exit 2 with the right name") {
  const auto says = [](const std::vector<std::string>& arguments, const std::string& text) {
    const auto r = retake(arguments);
    INFO(r.err);
    CHECK(r.code == 2);
    CHECK(r.out.empty());
    CHECK(r.err.find(text) != std::string::npos);
  };
  says({}, "no command given");
  says({"chek"}, "did you mean `retake check`?");
  says({"plugins", "lst"}, "did you mean `retake plugins list`?");
  says({"plugins"}, "needs a subcommand");
  says({"version", "--jsn"}, "did you mean `--json`?");
  says({"show", "x.toml", "--resolvd"}, "did you mean `--resolved`?");
  says({"check"}, "no experiment given");
  says({"version", "more"}, "takes no arguments");
  says({"version", "--color", "blue"}, "auto, always or never");
  says({"version", "--color"}, "--color");
}

TEST_CASE("with --json a failure is the last line of stderr, wherever the flag stands") {
  const std::vector<std::vector<std::string>> lines = {{"--json", "check", "none.toml"},
                                                       {"check", "--json", "none.toml"},
                                                       {"check", "none.toml", "--json"}};
  for (const auto& line : lines) {
    const auto r = retake(line);
    CHECK(r.code == 3);
    const auto error = nlohmann::json::parse(r.last_error_line()).at("error");
    CHECK(error.at("code") == 3);
    CHECK(error.at("id") == "E100");
  }
  const auto usage = retake({"--json", "chek"});
  CHECK(nlohmann::json::parse(usage.last_error_line()).at("error").at("code") == 2);
  CHECK(nlohmann::json::parse(retake({"version", "--json"}).out).contains("version"));
}

TEST_CASE("colour obeys --color and NO_COLOR") {
  CHECK(retake({"chek", "--color=always"}).err.find("\033[") != std::string::npos);
  CHECK(retake({"--color", "always", "chek"}).err.find("\033[") != std::string::npos);
  CHECK(retake({"chek"}).err.find("\033[") == std::string::npos);
  CHECK(retake({"chek", "--color=never"}).err.find("\033[") == std::string::npos);
}
