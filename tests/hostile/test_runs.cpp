// Components that fail in the middle of a run: it ends with the plugin's name, its checkpoint is
// safe, and `retake resume` goes on.

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <thread>

#include "catch.hpp"
#include "core/files.hpp"
#include "process.hpp"
#include "retake/value.hpp"
#include "run/checkpoint.hpp"
#include "run/run_find.hpp"
#include "support.hpp"

using namespace retake;
namespace fs = std::filesystem;

namespace {

const fs::path kSmoke = fs::path(RETAKE_SOURCE_DIR) / "experiments/smoke";
const std::string kTraining =
    "libin_training.so (model/hostile, trainer/hostile, optimizer/hostile and 2 more)";
const std::string kName = "libin_run.so (loss/hostile, feature_extractor/hostile, reward/hostile)";

/// A working folder with four short pairs, made once for the whole test process.
class Workplace {
 public:
  Workplace() {
    static const fs::path root = [] {
      const fs::path p =
          fs::temp_directory_path() / ("retake-hostile-" + std::to_string(::getpid()));
      fs::create_directories(p);
      ::setenv("RETAKE_STORE", (p / "store").c_str(), 1);
      std::atexit([] {
        std::error_code ignored;
        fs::remove_all(fs::temp_directory_path() / ("retake-hostile-" + std::to_string(::getpid())),
                       ignored);
      });
      const smoke::End made = smoke::retake({"synth", "pairs", "--pairs", "4", "--no-oracles",
                                             "minutes=0.5", "sample_rate=22050", "channels=1"},
                                            p);
      INFO(made.output);
      REQUIRE(made.code == 0);
      return p;
    }();
    static int counter = 0;
    pairs = root / "pairs";
    path = root / std::to_string(counter++);
    fs::create_directories(path);
  }
  ~Workplace() { fs::remove_all(path); }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  run::RunFolder only_run() const {
    const auto runs = run::list_runs(path / "runs");
    REQUIRE(runs.size() == 1);
    return runs.front();
  }
  Value manifest() const { return parse_json(read_file(only_run().manifest()), "manifest.json"); }

  fs::path path, pairs;
};

/// A training of eight steps with a checkpoint every second one, and a hostile loss.
std::vector<std::string> with_loss(const Workplace& place, const std::string& defect, int at_call) {
  const fs::path file = place.path / "experiment.toml";
  write_file_atomic(file, "extends = \"" + (kSmoke / "aligned.toml").string() +
                              "\"\n[loss.bad]\nplugin = \"hostile\"\n[merge]\ndelete = "
                              "[\"aligner\"]\n");
  return {"run",
          file.string(),
          "--no-archive",
          "--plugin-path",
          IN_RUN_DIR,
          "dataset.roots=[\"" + place.pairs.string() + "\"]",
          "train.max_steps=8",
          "train.val_every=2",
          "loss.bad.defect=\"" + defect + "\"",
          "loss.bad.at_call=" + std::to_string(at_call)};
}

/// The same with a model, a trainer and an optimizer of which `part` fails.
std::vector<std::string> with_part(const Workplace& place, const std::string& part,
                                   const std::string& defect, int at_call) {
  const fs::path file = place.path / "experiment.toml";
  write_file_atomic(file, R"([experiment]
name = "hostile"
[dataset]
plugin = "hostile"
[feature_extractor.mel]
plugin = "log_mel"
n_mels = 16
[model]
plugin = "hostile"
[trainer]
plugin = "hostile"
[optimizer]
plugin = "hostile"
[lr_schedule]
plugin = "hostile"
[train]
max_steps = 8
val_every = 2
metric = "val/loss"
goal = "min"
)");
  return {"run",
          file.string(),
          "--no-archive",
          "--plugin-path",
          IN_RUN_DIR,
          "dataset.root=\"" + place.pairs.string() + "\"",
          part + ".defect=\"" + defect + "\"",
          part + ".at_call=" + std::to_string(at_call)};
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The checkpoints of before are whole, and the run goes on from the last with a tame component.
void check_resume(const Workplace& place, int reached = 2) {
  const run::RunFolder run = place.only_run();
  if (reached > 0) {
    const auto latest = run::CheckpointStore(run.checkpoints()).open_latest();
    REQUIRE(latest.has_value());
    CHECK(latest->step() >= reached);
  }
  ::setenv("RETAKE_TEST_TAME", "1", 1);
  const smoke::End resumed =
      smoke::retake({"resume", "last", "--plugin-path", IN_RUN_DIR}, place.path);
  ::unsetenv("RETAKE_TEST_TAME");
  INFO(resumed.output);
  CHECK(resumed.code == 0);
  CHECK(find_path(place.manifest(), "status")->as_string() == "finished");
  CHECK(find_path(place.manifest(), "data.tree_hash") != nullptr);
  CHECK(run::CheckpointStore(run.checkpoints()).open_latest()->step() == 8);
}

}  // namespace

TEST_CASE("a loss that throws: the run ends with its library's name and goes on", "[hostile]") {
  for (const std::string defect : {"throw", "throw_int"}) {
    const Workplace place;
    const smoke::End end = smoke::retake(with_loss(place, defect, 9), place.path);
    INFO(end.output);
    CHECK(end.code == 1);
    CHECK(holds(end.output, "error[E001]"));
    CHECK(holds(end.output, "thrown in " + kName));
    CHECK(find_path(place.manifest(), "status")->as_string() == "failed");
    CHECK(holds(to_json(place.manifest()), "thrown in libin_run.so"));
    check_resume(place);
  }
}

TEST_CASE("a loss that crashes: the signal, the library, the checkpoint, and a crashed run",
          "[hostile]") {
  const std::vector<std::pair<std::string, int>> crashes = {
      {"crash", SIGSEGV}, {"abort", SIGABRT}, {"divide", SIGFPE}};
  for (const auto& [defect, signal] : crashes) {
    const Workplace place;
    const smoke::End end = smoke::retake(with_loss(place, defect, 9), place.path);
    INFO(end.output);
    CHECK(end.code == 1);
    const std::string what =
        std::string("crashed with SIG") + ::sigabbrev_np(signal) + " in " + kName;
    CHECK(holds(end.output, "error[E234]: " + what));
    const run::RunFolder run = place.only_run();
    CHECK(holds(end.output, " is from before and safe.  Go on with:  retake resume " + run.id()));
    CHECK(holds(read_file(run.log_file()), what));
    CHECK(find_path(place.manifest(), "status")->as_string() == "crashed");
    CHECK(*find_path(place.manifest(), "exit_code") == Value(1));
    const smoke::End runs = smoke::retake({"runs"}, place.path);
    CHECK(holds(runs.output, "crashed"));
    check_resume(place);
  }
}

TEST_CASE("with --json a crash is the last line of stderr", "[hostile]") {
  const Workplace place;
  auto words = with_loss(place, "crash", 9);
  words.push_back("--json");
  const smoke::End end = smoke::retake(words, place.path);
  INFO(end.output);
  REQUIRE(end.output.size() > 2);
  const std::string text = end.output.substr(0, end.output.size() - 1);
  const Value line = parse_json(text.substr(text.rfind('\n') + 1), "the last line");
  CHECK(find_path(line, "error.id")->as_string() == "E234");
}

TEST_CASE("a loss that calls exit() or quick_exit() ends no run as if all were well", "[hostile]") {
  for (const std::string defect : {"exit", "quick_exit"}) {
    const Workplace place;
    const smoke::End end = smoke::retake(with_loss(place, defect, 9), place.path);
    INFO(defect << "\n" << end.output);
    CHECK(end.code == 1);
    CHECK(holds(end.output, "error[E234]: ended by a call of exit() in " + kName));
    CHECK(find_path(place.manifest(), "status")->as_string() == "crashed");
    check_resume(place);
  }
}

TEST_CASE("an error of a plugin is no success, whatever it says", "[hostile]") {
  const std::map<std::string, std::string> told = {
      {"code_ok", "with code 0, which is not a plugin's to give"},
      {"silent", "error[E001]: a plugin threw an error that says nothing"}};
  for (const auto& [defect, what] : told) {
    const Workplace place;
    const smoke::End end = smoke::retake(with_loss(place, defect, 9), place.path);
    INFO(defect << "\n" << end.output);
    CHECK(end.code == 1);
    CHECK(holds(end.output, what));
    CHECK(holds(end.output, "thrown in " + kName));
    CHECK(find_path(place.manifest(), "status")->as_string() == "failed");
    check_resume(place);
  }
}

TEST_CASE("a schedule that gives no positive factor is named before it does harm", "[hostile]") {
  for (const auto& [defect, factor] :
       std::map<std::string, std::string>{{"negative", "-0.5"}, {"nan", "nan"}}) {
    const Workplace place;
    const smoke::End end = smoke::retake(with_part(place, "lr_schedule", defect, 4), place.path);
    INFO(defect << "\n" << end.output);
    CHECK(end.code == 1);
    CHECK(holds(end.output, "error[E904]: " + kTraining + " gave the factor " + factor +
                                " for the learning rate at step "));
    check_resume(place);
  }
}

TEST_CASE("a list of pairs that cannot be used begins no training", "[hostile]") {
  const std::map<std::string, std::string> told = {
      {"slash_ids", "has an id that cannot name a file"},
      {"leak", "group `one` is in two splits, "}};
  for (const auto& [defect, what] : told) {
    const Workplace place;
    const smoke::End end = smoke::retake(with_part(place, "dataset.how", defect, 0), place.path);
    INFO(defect << "\n" << end.output);
    CHECK(end.code == 4);
    CHECK(holds(end.output, "error[E528]: " + kTraining + " gave a list of pairs"));
    CHECK(holds(end.output, what));
  }
}

TEST_CASE("what a component prints does not mix with results", "[hostile]") {
  const Workplace place;
  std::string command = "cd '" + place.path.string() + "' && '" RETAKE_BINARY_DIR "/bin/retake'";
  for (const std::string& word : with_loss(place, "prints", 1)) command += " '" + word + "'";
  REQUIRE(std::system((command + " --json >out 2>err").c_str()) == 0);
  CHECK(parse_json(read_file(place.path / "out"), "stdout").is_table());
  CHECK(holds(read_file(place.path / "err"), "noise on standard output"));
}

TEST_CASE("a loss term that is no number is named with its library", "[hostile]") {
  const Workplace place;
  const smoke::End end = smoke::retake(with_loss(place, "vector", 1), place.path);
  INFO(end.output);
  CHECK(end.code == 1);
  CHECK(holds(end.output, "error[E903]: the loss term `bad` of " + kName + " is a tensor of "));
  CHECK_FALSE(holds(end.output, "frame #"));
}

TEST_CASE("a loss that gives NaN is named, with its term", "[hostile]") {
  const Workplace place;
  const smoke::End end = smoke::retake(with_loss(place, "nan", 9), place.path);
  INFO(end.output);
  CHECK(end.code == 9);
  CHECK(holds(end.output, "error[E901]"));
  CHECK(holds(end.output, "its term `bad` of " + kName));
  CHECK(find_path(place.manifest(), "status")->as_string() == "diverged");
  check_resume(place);
}

TEST_CASE("a loss that hangs is named in the log, and ends with the time limit", "[hostile]") {
  const Workplace place;
  ::setenv("RETAKE_STALL_S", "1", 1);
  auto words = with_loss(place, "hang", 9);
  words.push_back("train.max_time=\"15s\"");
  const smoke::End end = smoke::retake(words, place.path);
  ::unsetenv("RETAKE_STALL_S");
  INFO(end.output);
  CHECK(end.code == 124);
  CHECK(holds(end.output, "no sign of life for "));
  CHECK(holds(end.output, "the run is in " + kName));
  CHECK(holds(end.output, "error[E613]"));
  CHECK(holds(read_file(place.only_run().log_file()), "the run is in " + kName));
  CHECK(find_path(place.manifest(), "status")->as_string() == "time_limit");
  check_resume(place);
}

TEST_CASE("a loss that hangs, and a request to stop", "[hostile]") {
  const std::vector<std::pair<int, int>> requests = {{SIGINT, 130}, {SIGTERM, 75}};
  for (const auto& [signal, code] : requests) {
    const Workplace place;
    ::setenv("RETAKE_STALL_S", "1", 1);
    smoke::Child child(with_loss(place, "hang", 9), place.path);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    const auto has_checkpoint = [&] {
      const auto runs = run::list_runs(place.path / "runs");
      std::error_code none;
      return !runs.empty() && fs::exists(runs.front().checkpoints() / "LATEST", none);
    };
    while (child.running() && !has_checkpoint() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    std::this_thread::sleep_for(std::chrono::seconds(1));
    child.signal(signal);
    const smoke::End end = child.wait();
    ::unsetenv("RETAKE_STALL_S");
    INFO(end.output);
    CHECK(end.code == code);
    check_resume(place);
  }
}

TEST_CASE("features with NaN stop before they reach the store", "[hostile]") {
  const Workplace place;
  const fs::path file = place.path / "experiment.toml";
  write_file_atomic(file,
                    "extends = \"" + (kSmoke / "aligned.toml").string() +
                        "\"\n[feature_extractor.mel]\nplugin = \"hostile\"\ndefect = \"nan\"\n"
                        "[merge]\ndelete = [\"aligner\"]\n");
  const std::vector<std::string> words = {
      "run",           file.string(), "--no-archive",
      "--plugin-path", IN_RUN_DIR,    "dataset.roots=[\"" + place.pairs.string() + "\"]"};
  for (int i = 0; i < 2; ++i) {  // the second time too: nothing was kept
    const smoke::End end = smoke::retake(words, place.path);
    INFO(end.output);
    CHECK(end.code == 5);
    CHECK(holds(end.output, "error[E542]: its features by " + kName +
                                " are not finite: block `mel` is nan in row 2"));
  }
}

TEST_CASE("a reward that is NaN is named", "[hostile]") {
  const Workplace place;
  const fs::path file = place.path / "experiment.toml";
  write_file_atomic(file, "extends = \"" + (kSmoke / "policy.toml").string() +
                              "\"\n[reward.bad]\nplugin = \"hostile\"\ndefect = \"nan\"\n"
                              "at_call = 20\n");
  const smoke::End end = smoke::retake(
      {"run", file.string(), "--no-archive", "--plugin-path", IN_RUN_DIR, "train.val_every=2"},
      place.path);
  INFO(end.output);
  CHECK(end.code == 9);
  CHECK(holds(end.output, "error[E902]: a reward of " + kName + " became nan"));
}

TEST_CASE("a model, a trainer and an optimizer that throw or crash are named", "[hostile]") {
  for (const std::string part : {"model", "trainer", "optimizer"}) {
    for (const std::string defect : {"throw", "crash"}) {
      const Workplace place;
      // The model is asked by the validations too.
      const smoke::End end =
          smoke::retake(with_part(place, part, defect, part == "model" ? 8 : 5), place.path);
      INFO(part << " " << defect << "\n" << end.output);
      CHECK(end.code == 1);
      CHECK(holds(end.output, defect == "throw" ? "thrown in " + kTraining
                                                : "crashed with SIGSEGV in " + kTraining));
      check_resume(place);
    }
  }
}

TEST_CASE("where NaN comes from is told: the batch, an update or the model", "[hostile]") {
  const std::map<std::string, std::string> told = {
      {"model", "batch and parameters are finite"},
      {"trainer", "`x` of the batch is not finite"},
      {"optimizer", "the model's `weight` is not finite: an update before this step broke it"}};
  for (const auto& [part, what] : told) {
    const Workplace place;
    const smoke::End end =
        smoke::retake(with_part(place, part, "nan", part == "model" ? 8 : 4), place.path);
    INFO(part << "\n" << end.output);
    CHECK(end.code == 9);
    CHECK(holds(end.output, "error[E901]: the loss (its term `square` of " + kTraining));
    CHECK(holds(end.output, what));
    CHECK(holds(end.output, part == "trainer" ? "help: look at the data with  retake doctor EXP"
                                              : "help: lower optimizer.lr"));
    check_resume(place);
  }
}

TEST_CASE("check: a training is as complete as its run says, and its metrics are finite",
          "[hostile]") {
  const std::map<std::string, std::string> told = {
      {"exit_now", "training ended with status 0 and is not complete: the run is running"},
      {"exit", "training ended with status "},
      {"nan_metric", "`val/odd` is NaN at step 2, in the probe `every metric is finite`"}};
  for (const auto& [defect, what] : told) {
    const Workplace place;
    with_part(place, "trainer", "none", 0);
    write_file_atomic(place.path / "check.toml",
                      "extends = \"experiment.toml\"\n[dataset]\nroot = \"" + place.pairs.string() +
                          "\"\n[trainer]\ndefect = \"" + defect + "\"\nat_call = 2\n");
    const smoke::End end = smoke::retake(
        {"plugins", "check", IN_RUN_DIR "/libin_training.so", "--experiment", "check.toml"},
        place.path);
    INFO(defect << "\n" << end.output);
    CHECK(end.code == 4);
    CHECK(holds(end.output, what));
    CHECK(holds(end.output, "the metric `val/odd` has the trend `sideways`"));
    CHECK(holds(end.output, "it could not be trained") == (defect != "nan_metric"));
  }
}

TEST_CASE("without LibTorch nobody blames the plugin", "[hostile]") {
  const Workplace place;
  // Beside a program elsewhere there is no half of it that opens LibTorch.
  fs::create_directories(place.path / "bin");
  fs::copy_file(RETAKE_BINARY_DIR "/bin/retake", place.path / "bin/retake");
  const std::string plugin = IN_RUN_DIR "/libin_run.so";
  for (const std::string& words :
       {"check " + plugin, "doctor " + plugin, std::string("doctor --path " IN_RUN_DIR)}) {
    const test::Output out =
        test::run("cd " + place.path.string() + " && LD_LIBRARY_PATH=" +
                  RETAKE_BINARY_DIR "/lib NO_COLOR=1 bin/retake plugins " + words + " 2>&1");
    INFO(words << "\n" << out.text);
    CHECK(out.code == 4);
    CHECK(holds(out.text, "error[E240]: LibTorch cannot be opened, which this plugin needs: "));
    CHECK(holds(out.text, "libretake_nn.so"));
    CHECK(holds(out.text, "see what is wrong with  retake doctor"));
    CHECK_FALSE(holds(out.text, "defect of the plugin"));
    CHECK_FALSE(holds(out.text, "cannot be used"));
    CHECK(out.text.find("error[E240]") == out.text.rfind("error[E240]"));
  }
}

TEST_CASE("check: what every run would refuse, or nobody could read, fails a probe", "[hostile]") {
  const std::map<std::string, std::string> told = {
      {"twins", "two blocks have the name `mel`"},
      {"spaces", "a block has the name `my mel`"},
      {"no_version", "its algorithm_version() is empty"},
      {"other_spec", "the spec of its tables names the extractor `log_mel`"},
      {"one_row_less", "258 rows at hop 256 and 22050 Hz for 3.0 s"},
      {"undeclared", "it reads `secret`, which it does not declare"},
      {"writes", "it writes into `keep` of the batch"},
      {"torch", "threw what is no retake::Error: shape '[3]' is invalid for input of size 2"},
      {"exit_now", "ended with status 0"},
      {"nan", "finite inputs gave nan"}};
  for (const auto& [defect, what] : told) {
    const Workplace place;
    const smoke::End end = smoke::retake(
        {"plugins", "check", IN_RUN_DIR "/libin_run.so", "defect=\"" + defect + "\""}, place.path);
    INFO(defect << "\n" << end.output);
    CHECK(end.code == 4);
    CHECK(holds(end.output, what));
    for (const char* misleading : {"Exception raised from", "wire a model", "two scores",
                                   "gave another loss", "defect of the plugin"}) {
      CHECK_FALSE(holds(end.output, misleading));
    }
  }
}

TEST_CASE("a dataset that throws or crashes is named, and once mended the run begins",
          "[hostile]") {
  for (const std::string defect : {"throw", "throw_int", "crash"}) {
    const Workplace place;
    const smoke::End end = smoke::retake(with_part(place, "dataset.how", defect, 0), place.path);
    INFO(defect << "\n" << end.output);
    CHECK(end.code == 1);
    CHECK(holds(end.output, defect == "crash" ? "crashed with SIGSEGV in " + kTraining
                                              : "thrown in " + kTraining));
    CHECK(find_path(place.manifest(), "status")->as_string() ==
          (defect == "crash" ? "crashed" : "failed"));
    check_resume(place, 0);
  }
}
