#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "config/error_ids.hpp"
#include "run_retake.hpp"

namespace {
const auto run = [](const std::vector<std::string>& arguments) {
  return cli_test::retake(arguments);
};
}  // namespace

TEST_CASE("explain-error says what an id means and what to do") {
  const auto error = run({"explain-error", "E104"});
  CHECK(error.code == 0);
  CHECK(error.err.empty());
  CHECK(error.out ==
        "error[E104]: an unknown parameter of a plugin\n"
        "help: see `retake plugins params KIND/NAME`\n");
  CHECK(run({"explain-error", "W12"}).out.starts_with("warning[W12]: "));
}

TEST_CASE("explain-error --json has the same in fields") {
  const auto one = nlohmann::json::parse(run({"explain-error", "W12", "--json"}).out);
  CHECK(one.at("id") == "W12");
  CHECK(one.at("severity") == "warning");
  CHECK(!one.at("title").get<std::string>().empty());
  CHECK(!one.at("remedy").get<std::string>().empty());
  const auto all = nlohmann::json::parse(run({"explain-error", "--json"}).out);
  CHECK(all.size() == retake::config::error_docs().size());
}

TEST_CASE("explain-error of an unknown id is exit 2 with the nearest") {
  for (const auto& [typed, meant] : std::vector<std::pair<std::string, std::string>>{
           {"e104", "E104"}, {"E1O4", "E104"}, {"w12", "W12"}, {"[E107]", "E107"}}) {
    const auto r = run({"explain-error", typed});
    INFO(r.err);
    CHECK(r.code == 2);
    CHECK(r.out.empty());
    CHECK(r.err.find("did you mean `" + meant + "`?") != std::string::npos);
  }
  CHECK(run({"explain-error", "E104", "E105"}).code == 2);
  const auto r = run({"explain-error", "no such thing at all", "--json"});
  CHECK(nlohmann::json::parse(r.last_error_line()).at("error").at("id") == "E008");
}
