// Full disks, folders that cannot be written, two commands at one run, a clock that jumps.

#include <sys/mount.h>

#include <csignal>
#include <cstring>
#include <thread>

#include "catch.hpp"
#include "core/files.hpp"
#include "retake/value.hpp"
#include "run/checkpoint.hpp"
#include "run/json_lines.hpp"
#include "workplace.hpp"

using namespace retake;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

/// A small file system of its own. `made` is false where this process may not mount.
class SmallDisk {
 public:
  explicit SmallDisk(fs::path folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_);
    made = ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  ~SmallDisk() {
    if (made) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  void remount(unsigned long flags, const char* options) const {
    REQUIRE(::mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT | flags, options) == 0);
  }
  bool made = false;

 private:
  fs::path folder_;
};

const std::vector<std::string> kEndless{"run", (smoke::kExperiments / "policy.toml").string(),
                                        "--no-archive", "train.max_steps=100000",
                                        "train.val_every=5"};

Value manifest_of(const run::RunFolder& run) {
  return parse_json(read_file(run.manifest()), run.manifest().string());
}

/// The output names the cause and a remedy.
void check_said(const smoke::End& end, const std::string& cause) {
  INFO(end.output);
  CHECK(end.output.find(cause) != std::string::npos);
  CHECK(end.output.find("error[E") != std::string::npos);
  CHECK(end.output.find("help: ") != std::string::npos);
}

}  // namespace

TEST_CASE("a full disk ends a run with its checkpoint safe, with room again it goes on",
          "[smoke]") {
  const smoke::Workplace place;
  const SmallDisk disk(place.path / "runs");
  if (!disk.made) {
    WARN("no file system may be mounted here (" << std::strerror(errno) << "): not tested");
    return;
  }
  const smoke::End full = smoke::retake(kEndless, place.path);
  CHECK(full.code == 5);
  check_said(full, "No space left on device");
  const run::RunFolder run = place.only_run();
  const run::CheckpointStore store(run.checkpoints());
  const auto latest = store.latest();
  REQUIRE(latest);
  const std::int64_t step = run::Checkpoint::open(*latest).step();
  CHECK(step >= 5);

  disk.remount(0, "size=64m");
  const smoke::End more =
      smoke::retake({"resume", "last", "--max-steps", std::to_string(step + 10)}, place.path);
  INFO(more.output);
  CHECK(more.code == 0);
  CHECK(manifest_of(run).as_table().at("status") == Value("finished"));
  std::int64_t next = 1;  // nothing missing, nothing twice
  run::read_json_lines(run.metrics(), [&](const Value& record) {
    if (!record.as_table().contains("train/loss")) return;  // a validation
    CHECK(record.as_table().at("step").as_int() == next++);
  });
  CHECK(next == step + 11);
}

TEST_CASE("a disk that is full from the start leaves nothing half made", "[smoke]") {
  const smoke::Workplace place;
  const SmallDisk disk(place.path / "runs");
  if (!disk.made) {
    WARN("no file system may be mounted here: not tested");
    return;
  }
  std::vector<std::string> archived = kEndless;
  archived.erase(archived.begin() + 2);  // host and plugins do not fit
  const smoke::End end = smoke::retake(archived, place.path);
  CHECK(end.code == 5);
  check_said(end, "No space left on device");
  const Value manifest = manifest_of(place.only_run());
  CHECK(manifest.as_table().at("status") != Value("finished"));
}

TEST_CASE("a folder that cannot be written: a clear error, and reading goes on", "[smoke]") {
  const smoke::Workplace place;
  const SmallDisk disk(place.path / "runs");
  if (!disk.made) {
    WARN("no file system may be mounted here: not tested");
    return;
  }
  disk.remount(0, "size=64m");
  std::vector<std::string> quick = kEndless;
  quick[3] = "train.max_steps=5";
  REQUIRE(smoke::retake(quick, place.path).code == 0);
  disk.remount(MS_RDONLY, "");
  for (const auto& command :
       {quick, std::vector<std::string>{"resume", "last", "--max-steps", "9"}}) {
    const smoke::End end = smoke::retake(command, place.path);
    CHECK(end.code == 5);
    check_said(end, "Read-only file system");
  }
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"runs"},
           {"verify", "last"},
           {"show",
            "runs/" + place.only_run().path().filename().string() + "/config.resolved.toml"}}) {
    const smoke::End end = smoke::retake(command, place.path);
    INFO(end.output);
    CHECK(end.code == 0);
  }
}

TEST_CASE("a second command at a run that is being written is refused by name", "[smoke]") {
  const smoke::Workplace place;
  smoke::Child child(kEndless, place.path);
  for (int i = 0; i < 600 && run::list_runs(place.path / "runs").empty(); ++i) {
    std::this_thread::sleep_for(100ms);
  }
  const run::RunFolder run = place.only_run();
  for (int i = 0; i < 600 && !run::CheckpointStore(run.checkpoints()).latest(); ++i) {
    std::this_thread::sleep_for(100ms);
  }
  const smoke::End second = smoke::retake({"resume", "last"}, place.path);
  INFO(second.output);
  CHECK(second.code == 2);
  CHECK(second.output.find("retake run") != std::string::npos);
  child.signal(SIGTERM);
  CHECK(child.wait().code == 75);
  CHECK(smoke::retake({"verify", "last"}, place.path).code == 0);
}
