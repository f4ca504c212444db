#include <cmath>
#include <functional>

#include "catch.hpp"
#include "run/verdicts.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;

namespace {

MetricInfo metric(const std::string& name, const std::string& goal, const std::string& trend) {
  MetricInfo m;
  m.name = name;
  m.goal = goal;
  m.trend = trend;
  m.problem = "the declared problem";
  return m;
}

/// Verdict on one metric whose value at step i is `f(i)`, i = 1 .. n.
Verdict judge(const MetricInfo& m, int n, const std::function<double(int)>& f) {
  TempFolder folder;
  std::string lines;
  for (int i = 1; i <= n; ++i) {
    Table t;
    t["step"] = i;
    t["t"] = 0.1 * i;
    t[m.name] = f(i);
    lines += to_json(Value(t)) + "\n";
  }
  put(folder.path / "metrics.jsonl", lines);
  const auto all = judge_metrics(folder.path / "metrics.jsonl", {m}, Watch({m}, {}));
  REQUIRE(all.size() == 1);
  return all.front();
}

using State = Verdict::State;

}  // namespace

TEST_CASE("a loss that should fall: falling, stuck, rising, too short to tell") {
  const MetricInfo loss = metric("train/loss", "min", "falling");
  CHECK(judge(loss, 100, [](int i) { return 2.0 / i; }).state == State::good);
  const Verdict stuck = judge(loss, 100, [](int i) { return 2.0 + 0.01 * std::sin(i); });
  CHECK(stuck.state == State::problem);
  CHECK(stuck.why.find("is stuck") == 0);
  CHECK(stuck.why.find("the declared problem") != std::string::npos);
  CHECK(judge(loss, 100, [](int i) { return 1.0 + i; }).why.find("rises") == 0);
  const Verdict few = judge(loss, 5, [](int i) { return 2.0 / i; });
  CHECK(few.state == State::open);
  CHECK(few.why == "too few points to tell");
}

TEST_CASE("a validation that was better once is over-fitting") {
  const MetricInfo val = metric("val/loss", "min", "");
  const Verdict v = judge(val, 20, [](int i) { return 1.0 + std::abs(i - 8) * 0.1; });
  CHECK(v.state == State::problem);
  CHECK(v.best == 1.0);
  CHECK(v.best_step == 8);
  CHECK(v.why.find("was better: 1 at step 8") == 0);
  CHECK(judge(val, 20, [](int i) { return 3.0 - 0.1 * i; }).state != State::problem);
}

TEST_CASE("limits and numbers that are none") {
  MetricInfo f1 = metric("val/edit_f1", "max", "");
  f1.min = 0.8;
  f1.target = "above 0.8";
  CHECK(judge(f1, 10, [](int i) { return 0.085 * i; }).state == State::good);
  const Verdict low = judge(f1, 10, [](int i) { return 0.05 * i; });
  CHECK(low.state == State::problem);
  CHECK(low.why == "below 0.8: the declared problem");
  CHECK(low.target == "above 0.8");
  CHECK(judge(f1, 10, [](int i) { return i < 10 ? 0.9 : NAN; }).why == "is no finite number");
}

TEST_CASE("a metric belongs to the first declaration that covers it, undeclared ones to none") {
  TempFolder folder;
  put(folder.path / "metrics.jsonl",
      "{\"step\":1,\"t\":0.1,\"val/f1_3s\":0.5,\"val/f1_1s\":0.5,\"secret\":1}\n");
  const std::vector<MetricInfo> declared{metric("val/f1_3s", "max", ""),
                                         metric("val/f1_*", "max", "")};
  const auto all = judge_metrics(folder.path / "metrics.jsonl", declared, Watch(declared, {}));
  REQUIRE(all.size() == 2);
  CHECK(all[0].metric == "val/f1_3s");
  CHECK(all[1].metric == "val/f1_1s");
}
