#include <thread>

#include "catch.hpp"
#include "core/stop.hpp"
#include "run/progress.hpp"
#include "run/run_context.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;

TEST_CASE("seeds depend on the name and the index, never on the order") {
  const SeedBook a(7), b(7), c(8);
  const auto first = a.seed("data/shuffle", 3);
  a.seed("model/init");
  b.seed("model/init");
  CHECK(b.seed("data/shuffle", 3) == first);
  CHECK(c.seed("data/shuffle", 3) != first);
  CHECK(a.seed("data/shuffle", 4) != first);
  CHECK(Value(a.recorded()) == Value(b.recorded()));
  CHECK(a.recorded().size() == 2);
}

TEST_CASE("a run's context gives what it was given") {
  CHECK(resolve_threads(3) == 3);
  CHECK(resolve_threads(0) >= 1);
  CHECK_THROWS(resolve_threads(-1));
  double seen = 0;
  RunContext context({.seed = 7,
                      .threads = 2,
                      .device = "cpu",
                      .run_dir = "runs/x",
                      .progress = [&](std::string_view, double done, double) { seen = done; }});
  CHECK(context.threads() == 2);
  CHECK(context.device() == "cpu");
  CHECK(context.run_dir() == "runs/x");
  CHECK(context.seed("a", 1) == derive_seed(7, {"a", std::uint64_t{1}}));
  context.progress("x", 5, 10);
  CHECK(seen == 5);
  CHECK_FALSE(context.stop_requested());
  request_stop(2);
  CHECK(context.stop_requested());
  request_stop(0);
  std::vector<int> hits(1000);
  context.parallel_for(hits.size(), 10, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      ++hits[i];
      context.seed("w", i);
    }
  });
  CHECK(std::count(hits.begin(), hits.end(), 1) == 1000);
  CHECK_THROWS(RunContext({.seed = 1, .threads = 0, .device = "", .run_dir = {}, .progress = {}}));
}

TEST_CASE("the progress line looks as promised") {
  ProgressState s{"step", 2500, 20000, "loss 0.412  val/edit_f1 0.641 (best, step 2500)", "it"};
  CHECK(format_progress(s, 38, 0) ==
        "step  2500/20000 [=>                  ] 12%  loss 0.412  val/edit_f1 0.641 (best, step "
        "2500)  38 it/s  eta 7m41");
  CHECK(format_progress(s, 0, 0).find("eta") == std::string::npos);
  CHECK(format_progress(s, 38, 70).size() == 70);
  CHECK(format_progress(s, 38, 70).ends_with("38 it/s  eta 7m41"));
  CHECK(format_progress(s, 38, 20) == "step  2500/20000 [=>");
  s.done = s.total;
  CHECK(format_progress(s, 38, 0).find("[====================] 100%") != std::string::npos);
  CHECK(format_progress({"files", 3, 0, "", ""}, 0, 0) == "files 3");
  CHECK(format_progress({"épée", 3, 4, "ü", ""}, 0, 5) == "épée ");
}

TEST_CASE("durations and numbers are short") {
  CHECK(format_duration(0) == "0s");
  CHECK(format_duration(59.4) == "59s");
  CHECK(format_duration(59.6) == "1m00");
  CHECK(format_duration(460) == "7m40");
  CHECK(format_duration(3725) == "1h02m");
  CHECK(format_duration(86400 * 3 + 3600 * 4) == "3d04h");
  CHECK(format_duration(-1).empty());
  CHECK(format_duration(1e300).empty());
  CHECK(format_number(0.41237) == "0.412");
  CHECK(format_number(38) == "38");
  CHECK(format_number(20000) == "20000");
  CHECK(format_number(std::nan("")) == "NaN");
}

TEST_CASE("lines outside a terminal are plain, rare and complete") {
  TempFolder t;
  const auto path = t.path / "out";
  std::FILE* out = std::fopen(path.c_str(), "w");
  CHECK(ProgressLine::mode_of(out, false) == ProgressLine::Mode::lines);
  CHECK(ProgressLine::mode_of(out, true) == ProgressLine::Mode::off);
  {
    ProgressLine line(ProgressLine::Mode::lines, out);
    auto now = ProgressLine::Clock::time_point{} + std::chrono::hours(1);
    for (int i = 0; i <= 250; ++i) {  // 25 seconds at 10 it/s
      line.update({"step", static_cast<double>(i), 250, "", "it"}, false, now);
      now += std::chrono::milliseconds(100);
    }
    CHECK(line.rate() == Approx(10).epsilon(0.01));
  }
  std::fclose(out);
  const std::string text = get(path);
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);  // 0 s, 10 s, 20 s, the end
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find('\033') == std::string::npos);
  CHECK(text.find("250/250") != std::string::npos);
}

TEST_CASE("on a terminal one line rewrites itself") {
  TempFolder t;
  const auto path = t.path / "out";
  std::FILE* out = std::fopen(path.c_str(), "w");
  {
    ProgressLine line(ProgressLine::Mode::terminal, out);
    auto now = ProgressLine::Clock::time_point{} + std::chrono::hours(1);
    for (int i = 0; i <= 20; ++i) {
      line.update({"step", static_cast<double>(i), 20, "", "it"}, false, now);
      now += std::chrono::milliseconds(100);
    }
  }
  std::fclose(out);
  const std::string text = get(path);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.back() == '\n');
  CHECK(std::count(text.begin(), text.end(), '\r') == 21);
}
