#include <sys/resource.h>

#include <csignal>
#include <limits>

#include "catch.hpp"
#include "retake/error.hpp"
#include "run/json_lines.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;

namespace {
Table record(double t, double loss) {
  Table r;
  r["t"] = t;
  r["loss"] = loss;
  return r;
}
/// A file of steps 1 .. n.
void write(const std::filesystem::path& path, int n) {
  JsonLines lines(path);
  for (int i = 1; i <= n; ++i) lines.append(i, record(i * 0.5, 1.0 / i));
  lines.sync();
}
}  // namespace

TEST_CASE("records are lines with the step first and doubles that read back") {
  TempFolder t;
  const auto path = t.path / "metrics.jsonl";
  JsonLines lines(path);
  lines.append(500, record(12.31, 3e-4));
  CHECK(get(path) == "{\"step\":500,\"t\":12.31,\"loss\":3e-04}\n");
  lines.append(500, 12.5, {{"loss", 0.1}});
  CHECK(get(path).find("12.5") == std::string::npos);  // it waits for company
  lines.flush();
  CHECK(get(path) ==
        "{\"step\":500,\"t\":12.31,\"loss\":3e-04}\n"
        "{\"step\":500,\"t\":12.5,\"loss\":0.1}\n");
  CHECK_THROWS_AS(lines.append(499, record(1, 1)), std::logic_error);
  Table hard;
  hard["x"] = 0.1 + 0.2;
  hard["nan"] = std::numeric_limits<double>::quiet_NaN();
  lines.append(501, hard);
  lines.append(502, 13, {{"x", std::numeric_limits<double>::infinity()}, {"a\"b", -0.0}});
  lines.sync();
  std::vector<Value> back;
  read_json_lines(path, [&](const Value& v) { back.push_back(v); });
  REQUIRE(back.size() == 4);
  CHECK(back[2].as_table().at("x").as_double() == 0.1 + 0.2);
  CHECK(back[2].as_table().at("nan") == Value("NaN"));
  CHECK(back[3].as_table().at("x") == Value("Infinity"));
  CHECK(back[3].as_table().contains("a\"b"));
}

TEST_CASE("a resumed file equals the uninterrupted one, cut at any byte") {
  TempFolder t;
  const auto whole = t.path / "whole.jsonl";
  write(whole, 6);
  const std::string text = get(whole);
  std::size_t after_3 = 0;
  for (int i = 0; i < 3; ++i) after_3 = text.find('\n', after_3) + 1;
  for (std::size_t cut = after_3; cut <= text.size(); ++cut) {
    const auto path = t.path / "cut.jsonl";
    put(path, text.substr(0, cut));  // killed here; the checkpoint of step 3 is complete
    JsonLines lines(path, 3);
    REQUIRE(lines.last_step() == 3);
    REQUIRE(lines.last_time() == 1.5);
    for (int i = 4; i <= 6; ++i) lines.append(i, record(i * 0.5, 1.0 / i));
    lines.flush();
    REQUIRE(get(path) == text);
  }
}

TEST_CASE("resuming keeps several records of one step and drops from nothing") {
  TempFolder t;
  const auto path = t.path / "m.jsonl";
  put(path, "{\"step\":2,\"a\":1}\n{\"step\":2,\"b\":1}\n{\"step\":3}\n");
  { JsonLines lines(path, 2); }
  CHECK(get(path) == "{\"step\":2,\"a\":1}\n{\"step\":2,\"b\":1}\n");
  { JsonLines lines(path); }
  CHECK(get(path).empty());
  { JsonLines lines(t.path / "absent.jsonl", 7); }
  CHECK(get(t.path / "absent.jsonl").empty());
}

TEST_CASE("damage in the part to keep is an error, never a guess") {
  TempFolder t;
  const auto path = t.path / "m.jsonl";
  for (const char* bad : {"{\"step\":1}\nnot json\n{\"step\":2}\n", "{\"t\":1}\n", "[1]\n", "\n",
                          "{\"step\":\"1\"}\n", "{\"step\":2}\n{\"step\":1}\n",
                          "{\"step\":9}\n{\"step\":1}\n", "{\"step\":1.5}\n"}) {
    put(path, bad);
    CHECK_THROWS_AS(JsonLines(path, 5), DataError);
    CHECK(get(path) == bad);  // and the file is left alone
  }
  put(path, "{\"step\":1}\nbad\n");
  CHECK_THROWS_AS(read_json_lines(path, [](const Value&) {}), DataError);
  put(path, "{\"step\":1}\n{\"step\":2,\"x\"");
  int n = 0;
  read_json_lines(path, [&](const Value&) { ++n; });
  CHECK(n == 1);
}

TEST_CASE("what a power cut spoils behind the checkpoint is dropped") {
  TempFolder t;
  const auto path = t.path / "m.jsonl";
  const std::string kept = "{\"step\":1}\n{\"step\":2}\n";
  const std::string zeros = std::string(40, '\0') + "\n";
  for (const std::string& tail : {zeros, zeros + "{\"step\":4}\n", zeros + zeros,
                                  "{\"step\":3}\n" + zeros + "{\"step\":5}\n"}) {
    put(path, kept + tail);
    JsonLines lines(path, 2);
    CHECK(get(path) == kept);
    CHECK(lines.last_step() == 2);
  }
  // A record to keep lies behind the damage.
  put(path, kept + zeros + "{\"step\":2}\n");
  try {
    JsonLines(path, 2);
    FAIL("no error");
  } catch (const DataError& e) {
    CHECK(e.diagnostics().front().id == "E608");
    CHECK(e.diagnostics().front().place->line == 3);
  }
  CHECK(get(path) == kept + zeros + "{\"step\":2}\n");
}

TEST_CASE("a disk that fills up leaves whole lines") {
  TempFolder t;
  const auto path = t.path / "m.jsonl";
  JsonLines lines(path);
  lines.append(1, record(1, 1));
  const std::string before = get(path);
  // A limit on the file's size stands in for the full disk: part of the line fits.
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  rlimit tight = old;
  tight.rlim_cur = before.size() + 5;
  ::setrlimit(RLIMIT_FSIZE, &tight);
  lines.append(2, record(2, 2));
  CHECK_THROWS_AS(lines.flush(), DataError);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  CHECK(get(path) == before);
  lines.append(2, record(2, 3));
  lines.flush();
  CHECK(get(path) == before + "{\"step\":2,\"t\":2.0,\"loss\":3.0}\n");
}

TEST_CASE("records that wait are written at the end") {
  TempFolder t;
  const auto path = t.path / "m.jsonl";
  {
    JsonLines lines(path);
    for (int i = 1; i <= 3; ++i) lines.append(i, i, {});
  }
  CHECK(get(path) == "{\"step\":1,\"t\":1.0}\n{\"step\":2,\"t\":2.0}\n{\"step\":3,\"t\":3.0}\n");
}

TEST_CASE("the hash of values ignores the clock and nothing else") {
  TempFolder t;
  put(t.path / "a", "{\"step\":1,\"t\":1.0,\"x\":0.5}\n");
  put(t.path / "b", "{\"step\":1,\"t\":9.0,\"x\":0.5}\n");
  put(t.path / "c", "{\"step\":1,\"t\":1.0,\"x\":0.5000000000000001}\n");
  CHECK(json_lines_values_hash(t.path / "a") == json_lines_values_hash(t.path / "b"));
  CHECK(json_lines_values_hash(t.path / "a") != json_lines_values_hash(t.path / "c"));
}
