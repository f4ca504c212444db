#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include "catch.hpp"
#include "retake/error.hpp"
#include "retake/rng.hpp"
#include "run/checkpoint.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;
namespace fs = std::filesystem;

namespace {

/// A state that is a pure function of its step, so that a reader can tell a mixed one.
struct State {
  std::vector<float> weights;
  std::vector<double> moments;
  CheckpointContent content;

  explicit State(std::int64_t step, std::optional<std::int64_t> best = std::nullopt,
                 std::size_t n = 1000)
      : weights(n), moments(n) {
    Rng rng(static_cast<std::uint64_t>(step));
    for (auto& w : weights) w = static_cast<float>(rng.normal());
    for (auto& m : moments) m = rng.normal();
    const auto size = static_cast<std::int64_t>(n);
    content.step = step;
    content.retake = Value(Table());
    content.retake.as_table()["step"] = step;
    content.rng = content.retake;
    content.cursor = content.retake;
    content.model = {{"w", DType::f32, {size}, std::as_bytes(std::span(weights))}};
    content.optim = {{"m", DType::f64, {size}, std::as_bytes(std::span(moments))}};
    if (best) content.best = BestMark{*best, "val/f1", 0.5};
  }
};

void check_state(const Checkpoint& c) {
  const State expected(c.step());
  REQUIRE(tensor_hash(c.model().at("w")) == tensor_hash(expected.content.model[0]));
  REQUIRE(tensor_hash(c.optim().at("m")) == tensor_hash(expected.content.optim[0]));
  REQUIRE(c.retake().as_table().at("step").as_int() == c.step());
  REQUIRE(c.rng() == c.cursor());
}

std::string listing(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& e : fs::directory_iterator(folder))
    names.push_back(e.path().filename().string());
  std::sort(names.begin(), names.end());
  std::string out;
  for (const auto& n : names) out += n + " ";
  return out;
}

/// The writer to be killed. Tells each publication on a pipe.
[[noreturn]] void publish_for_ever(const fs::path& folder, std::int64_t first, int tell) {
  try {
    for (std::int64_t step = first;; ++step) {  // the first one replaces its equal
      const std::int64_t best = std::max<std::int64_t>(1, step / 3 * 3);
      CheckpointStore(folder).publish(State(step, best).content, {});
      if (::write(tell, "x", 1) != 1) ::_exit(1);
    }
  } catch (...) {
    ::_exit(1);  // the parent's read then finds the pipe closed
  }
}

}  // namespace

TEST_CASE("a checkpoint comes back whole") {
  TempFolder t;
  CheckpointStore store(t.path / "checkpoints");
  CHECK_FALSE(store.latest());
  CHECK_FALSE(store.best());
  CHECK_FALSE(store.open_latest());
  const fs::path folder = store.publish(State(2500, 2500).content, {});
  CHECK(folder.filename() == "step-002500");
  CHECK(listing(folder) ==
        "cursor.json hashes.json model.safetensors optim.safetensors retake.json rng.json ");
  CHECK(get(t.path / "checkpoints/LATEST") == "step-002500\n");
  CHECK(get(t.path / "checkpoints/BEST") == "step-002500\n");
  const Checkpoint c = Checkpoint::open(folder);
  check_state(c);
  CHECK(c.best()->metric == "val/f1");
  CHECK(checkpoint_name(12345678) == "step-12345678");
}

TEST_CASE("two checkpoints of equal state are equal files") {
  TempFolder t;
  const fs::path a = CheckpointStore(t.path / "a").publish(State(7, 7).content, {});
  const fs::path b = CheckpointStore(t.path / "b").publish(State(7, 7).content, {});
  for (const auto& e : fs::directory_iterator(a)) {
    CHECK(get(e.path()) == get(b / e.path().filename()));
  }
}

TEST_CASE("the policy keeps the last ones and the best") {
  TempFolder t;
  CheckpointStore store(t.path);
  for (int step = 1; step <= 6; ++step) {
    store.publish(State(step, step >= 3 ? 3 : step).content, {.last = 2, .best = 1});
  }
  CHECK(listing(t.path) == "BEST LATEST step-000003 step-000005 step-000006 ");
  CHECK(store.best()->filename() == "step-000003");
  store.publish(State(7, 7).content, {.last = 1, .best = 1});
  CHECK(listing(t.path) == "BEST LATEST step-000007 ");
  store.publish(State(8, 7).content, {.last = 0, .best = 0});
  CHECK(store.steps() == std::vector<std::int64_t>{8});
}

TEST_CASE("a checkpoint of the same step replaces the old one") {
  TempFolder t;
  CheckpointStore store(t.path);
  store.publish(State(5).content, {});
  CHECK_FALSE(store.best());
  store.publish(State(5, 5).content, {});
  CHECK(listing(t.path) == "BEST LATEST step-000005 ");
  CHECK(store.open_latest()->best()->step == 5);
}

TEST_CASE("resuming restores the folder as it was at that step") {
  TempFolder t;
  CheckpointStore store(t.path);
  const KeepPolicy all{.last = 100, .best = 1};
  for (int step = 1; step <= 5; ++step)
    store.publish(State(step, step < 4 ? 2 : step).content, all);
  fs::create_directories(t.path / ".step-000006.tmp-99");
  put(t.path / ".step-000006.tmp-99/model.safetensors", "half");
  put(t.path / ".LATEST.tmp-99-0", "st");
  CHECK(store.best()->filename() == "step-000005");
  store.resume_from(3);
  CHECK(listing(t.path) == "BEST LATEST step-000001 step-000002 step-000003 ");
  CHECK(store.latest()->filename() == "step-000003");
  CHECK(store.best()->filename() == "step-000002");
  // Killed between LATEST and BEST: the checkpoint itself knows what was best.
  store.publish(State(4, 4).content, all);
  put(t.path / "BEST", "step-000002\n");
  store.resume_from(4);
  CHECK(store.best()->filename() == "step-000004");
  // A best one that was not kept leaves no dangling mark.
  store.publish(State(6, 1).content, {.last = 1, .best = 0});
  store.resume_from(6);
  CHECK_FALSE(store.best());
  CHECK_THROWS_AS(store.resume_from(99), DataError);
  // Killed while one folder stood in for another.
  fs::rename(t.path / "step-000006", t.path / ".set-aside-step-000006");
  store.resume_from(6);
  CHECK(store.open_latest()->step() == 6);
  store.clear();
  CHECK(listing(t.path).empty());
}

TEST_CASE("a damaged checkpoint is refused, naming the file") {
  TempFolder t;
  CheckpointStore store(t.path);
  const fs::path folder = store.publish(State(1).content, {});
  for (const char* name : {"retake.json", "model.safetensors", "optim.safetensors", "rng.json",
                           "cursor.json", "hashes.json"}) {
    const std::string good = get(folder / name);
    std::string flipped = good;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
    for (const std::string& bad : {std::string(), good.substr(0, good.size() / 2), flipped}) {
      if (bad == flipped && std::string(name) == "hashes.json") continue;
      put(folder / name, bad);
      INFO(name);
      try {
        (void)store.open_latest();
        FAIL("accepted");
      } catch (const DataError& e) {
        REQUIRE(e.diagnostics().front().place);
        CHECK(e.diagnostics().front().place->file.find(name) != std::string::npos);
      }
    }
    fs::remove(folder / name);
    CHECK_THROWS_AS(store.open_latest(), DataError);
    put(folder / name, good);
  }
  check_state(*store.open_latest());
  put(folder / "hashes.json", "{\"schema\":\"retake.checkpoint/1\",\"step\":1,\"files\":{}}");
  CHECK_THROWS_AS(store.open_latest(), DataError);
  put(t.path / "LATEST", "");
  CHECK_THROWS_AS(store.latest(), DataError);
}

TEST_CASE("a checkpoint that cannot be written leaves the earlier ones as they were") {
  TempFolder t;
  CheckpointStore store(t.path);
  store.publish(State(1, 1).content, {});
  State broken(2, 2);
  broken.content.model[0].shape = {3};
  CHECK_THROWS(store.publish(broken.content, {}));
  CHECK(listing(t.path) == "BEST LATEST step-000001 ");
  check_state(*store.open_latest());
}

TEST_CASE("killed at any instant, the writer leaves a valid LATEST", "[kill]") {
  TempFolder t;
  CheckpointStore store(t.path);
  const auto before = std::chrono::steady_clock::now();
  store.publish(State(1, 1).content, {});
  // Kills fall anywhere within one publication, after 0 to 2 whole ones.
  const auto span = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - before);
  const std::uint64_t longest = std::clamp<std::uint64_t>(span.count(), 2'000, 300'000);
  Rng rng(derive_seed(11, {"kill instants"}));
  std::int64_t published = 0;
  for (int round = 0; round < 60; ++round) {
    const std::int64_t first = store.open_latest()->step();
    int told[2];
    REQUIRE(::pipe(told) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      publish_for_ever(t.path, first, told[1]);
    }
    ::close(told[1]);
    char byte;
    for (int i = 0; i < round % 3; ++i) REQUIRE(::read(told[0], &byte, 1) == 1);
    ::usleep(static_cast<useconds_t>(rng.below(longest)));
    // Beside the writer, too, a reader always finds one.
    check_state(*store.open_latest());
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(told[0]);
    const auto latest = store.open_latest();
    REQUIRE(latest);
    check_state(*latest);
    REQUIRE(latest->step() >= first);
    published += latest->step() - first;
    if (const auto best = store.best()) check_state(Checkpoint::open(*best));
    CheckpointStore(t.path).resume_from(latest->step());
    REQUIRE(listing(t.path).find("tmp") == std::string::npos);
    REQUIRE(store.open_latest()->step() == latest->step());
  }
  CHECK(published >= 20);  // one at least of each round that waited for two
}
