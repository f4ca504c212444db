// What code/ of a run claims to hold, it holds; what it lacks, it names.

#include <cstdlib>
#include <numeric>
#include <set>

#include "catch.hpp"
#include "core/hash.hpp"
#include "run/code_snapshot.hpp"
#include "run/io.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;
namespace fs = std::filesystem;

namespace {

std::string git(const fs::path& where, std::vector<std::string> words) {
  words.insert(words.begin(), {"git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c",
                               "protocol.file.allow=always"});
  const CommandResult r = run_command(words, where);
  INFO(words[7]);
  REQUIRE(r.exit_code == 0);
  return r.output;
}

void make_repository(const fs::path& path) {
  fs::create_directories(path);
  git(path, {"init", "-q"});
  put(path / "a.txt", "one\n");
  git(path, {"add", "."});
  git(path, {"commit", "-qm", "first"});
}

/// Names in the archive of untracked files, sorted; a link with " -> " and where it leads.
std::string archived(const RunFolder& run) {
  for (const char* archive : {"untracked.tar.zst", "untracked.tar"}) {
    const fs::path file = fs::absolute(run.code() / archive);
    if (!fs::exists(file)) continue;
    const fs::path out = run.path() / "unpacked";
    fs::create_directories(out);
    REQUIRE(run_command({"tar", "--extract", "--file", file.string()}, out).exit_code == 0);
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(out)) {
      if (entry.is_directory() && !entry.is_symlink()) continue;
      std::string name = entry.path().lexically_relative(out).string();
      if (entry.is_symlink()) name += " -> " + fs::read_symlink(entry.path()).string();
      names.insert(name + "\n");
    }
    return std::accumulate(names.begin(), names.end(), std::string());
  }
  return "none";
}

bool says(const RunFolder& run, const std::string& text) {
  const std::string said = get(run.code() / "verify.txt");
  INFO(said);
  return said.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("changes inside a submodule are said to be missing from the patch") {
  TempFolder t;
  make_repository(t.path / "library");
  const fs::path repo = t.path / "repo";
  make_repository(repo);
  git(repo, {"submodule", "--quiet", "add", (t.path / "library").string(), "lib a"});
  git(repo, {"commit", "-qm", "with a submodule"});
  const RunFolder clean = RunFolder::create(t.path / "runs", "x");
  CHECK(snapshot_code(clean, repo).at("patch_verified").as_bool());
  CHECK(get(clean.code() / "verify.txt") == "applies: yes\n");

  put(repo / "a.txt", "two\n");
  SECTION("a tracked file of it") {
    put(repo / "lib a/a.txt", "changed\n");
  }
  SECTION("a new file in it") {
    put(repo / "lib a/new.txt", "new\n");
  }
  const RunFolder run = RunFolder::create(t.path / "runs", "x");
  const Table code = snapshot_code(run, repo);
  CHECK_FALSE(code.at("patch_verified").as_bool());
  CHECK(says(run, "not recorded: changes inside the submodule lib a\n"));
  CHECK(code.at("x-note").as_string().find("lib a") != std::string::npos);
  CHECK(get(run.code() / "diff.patch").find("-dirty") == std::string::npos);
  CHECK(get(run.code() / "diff.patch").find("+two") != std::string::npos);
}

TEST_CASE("runs are not packed into runs") {
  TempFolder t;
  const fs::path repo = t.path / "repo";
  make_repository(repo);
  put(repo / "notes.txt", "untracked");
  SECTION("below a folder of their own") {
    put(RunFolder::create(repo / "out/runs", "early").path() / "log.txt", "a run's");
    put(repo / "out/beside.txt", "x");
    const RunFolder run = RunFolder::create(repo / "out/runs", "late");
    CHECK(snapshot_code(run, repo).at("untracked") == Value(2));
    CHECK(archived(run) == "notes.txt\nout/beside.txt\n");
  }
  SECTION("among the code") {
    put(RunFolder::create(repo, "early").path() / "log.txt", "a run's");
    const RunFolder run = RunFolder::create(repo, "late");
    CHECK(snapshot_code(run, repo).at("untracked") == Value(1));
    CHECK(archived(run) == "notes.txt\n");
  }
  SECTION("above the repository: nothing of it is theirs") {
    const RunFolder run = RunFolder::create(t.path, "late");
    CHECK(snapshot_code(run, repo).at("untracked") == Value(1));
    CHECK(archived(run) == "notes.txt\n");
  }
}

TEST_CASE("links are kept as links, and what is left out is named with its reason") {
  TempFolder t;
  const fs::path repo = t.path / "repo";
  make_repository(repo);
  fs::create_symlink("nowhere", repo / "dangling");
  const RunFolder linked = RunFolder::create(t.path / "runs", "x");
  Table code = snapshot_code(linked, repo);
  CHECK(archived(linked) == "dangling -> nowhere\n");
  CHECK(get(linked.code() / "verify.txt") == "applies: yes\n");
  CHECK(code.find("x-note") == nullptr);

  make_repository(repo / "other");
  put(repo / "big", std::string(5000, 'x'));
  const RunFolder run = RunFolder::create(t.path / "runs", "x");
  code = snapshot_code(run, repo, {.patch_bytes = 1000, .untracked_bytes = 1000});
  CHECK(says(run, "2 of 3 untracked files left out\n"));
  CHECK(says(run, "  big: over 0 MB together\n"));
  CHECK(says(run, "  other/: a git repository of its own\n"));

  for (int i = 0; i < 30; ++i) put(repo / ("big" + std::to_string(i)), std::string(5000, 'x'));
  const RunFolder many = RunFolder::create(t.path / "runs", "x");
  snapshot_code(many, repo, {.patch_bytes = 1000, .untracked_bytes = 1000});
  CHECK(says(many, "  and 12 more\n"));
}

TEST_CASE("the archive of untracked files is known by its hash") {
  TempFolder t;
  const fs::path repo = t.path / "repo";
  make_repository(repo);
  const RunFolder none = RunFolder::create(t.path / "runs", "x");
  CHECK(snapshot_code(none, repo).at("untracked_sha256").is_null());
  put(repo / "new.txt", "new");
  const RunFolder run = RunFolder::create(t.path / "runs", "x");
  const std::string hash = snapshot_code(run, repo).at("untracked_sha256").as_string();
  const bool zstd = fs::exists(run.code() / "untracked.tar.zst");
  CHECK(hash == sha256_file(run.code() / (zstd ? "untracked.tar.zst" : "untracked.tar")));
}

TEST_CASE("a repository that git cannot use is absent for git's own reason") {
  TempFolder t;
  const fs::path repo = t.path / "repo";
  make_repository(repo);
  const RunFolder run = RunFolder::create(t.path / "runs", "x");
  SECTION("it belongs to somebody else") {
    ::setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1", 1);
    const std::string why = snapshot_code(run, repo).at("absent").as_string();
    ::unsetenv("GIT_TEST_ASSUME_DIFFERENT_OWNER");
    CHECK(why.find("dubious ownership") != std::string::npos);
    CHECK(why.find("git config --global --add safe.directory") != std::string::npos);
    CHECK(get(run.code() / "verify.txt") == "absent: " + why + "\n");
  }
  SECTION("its commit is lost") {
    const std::string commit = git(repo, {"rev-parse", "HEAD"}).substr(0, 40);
    fs::remove(repo / ".git/objects" / commit.substr(0, 2) / commit.substr(2));
    const std::string why = snapshot_code(run, repo).at("absent").as_string();
    CHECK(why.find("bad object HEAD") != std::string::npos);
    CHECK(why.find("git fsck") != std::string::npos);
  }
  SECTION("what the commit holds is lost") {
    const std::string tree = git(repo, {"rev-parse", "HEAD^{tree}"}).substr(0, 40);
    fs::remove(repo / ".git/objects" / tree.substr(0, 2) / tree.substr(2));
    const Table code = snapshot_code(run, repo);
    CHECK_FALSE(code.at("patch_verified").as_bool());
    CHECK(code.at("x-patch_left_out").as_string().find("git diff failed: ") == 0);
    CHECK_FALSE(fs::exists(run.code() / "diff.patch"));
  }
}
