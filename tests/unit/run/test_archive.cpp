#include <dlfcn.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "catch.hpp"
#include "core/hash.hpp"
#include "retake/error.hpp"
#include "run/archive.hpp"
#include "run/code_snapshot.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;
namespace fs = std::filesystem;

namespace {

ino_t inode(const fs::path& path) {
  struct stat s {};
  REQUIRE(::stat(path.c_str(), &s) == 0);
  return s.st_ino;
}

/// A small repository with one commit.
struct Repository {
  fs::path path;
  explicit Repository(fs::path p) : path(std::move(p)) {
    fs::create_directories(path);
    git({"init", "-q"});
    put(path / "a.txt", "one\n");
    put(path / ".gitignore", "*.o\n");
    git({"add", "."});
    git({"-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "first"});
  }
  std::string git(std::vector<std::string> words) const {
    words.insert(words.begin(), "git");
    const CommandResult r = run_command(words, path);
    REQUIRE(r.exit_code == 0);
    return r.output;
  }
};

}  // namespace

TEST_CASE("binaries are kept once by content and survive their source") {
  TempFolder t;
  put(t.path / "build/libx.so", "");
  fs::create_directories(t.path / "build/other");
  put(t.path / "build/libx.so", "first build");
  put(t.path / "build/other/libx.so", "of the same name");
  const RunFolder a = RunFolder::create(t.path / "runs", "a");
  const RunFolder b = RunFolder::create(t.path / "runs", "b");
  const auto kept = archive_binaries(
      a, {t.path / "build/libx.so", t.path / "build/libx.so", t.path / "build/other/libx.so"});
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].sha256 == sha256_hex("first build"));
  CHECK(kept[0].name == "libx.so");
  CHECK(kept[1].name == kept[1].sha256.substr(0, 12) + "-libx.so");
  archive_binaries(b, {t.path / "build/libx.so"});
  CHECK(inode(a.bin() / "libx.so") == inode(b.bin() / "libx.so"));
  CHECK(inode(a.bin() / "libx.so") != inode(t.path / "build/libx.so"));
  put(t.path / "build/libx.so", "second build");  // in place, as a linker may
  CHECK(get(a.bin() / "libx.so") == "first build");
  fs::remove_all(t.path / "build");
  CHECK(get(b.bin() / "libx.so") == "first build");
  CHECK_THROWS_AS(archive_binaries(a, {t.path / "absent.so"}), DataError);
}

TEST_CASE("a damaged file of the store is replaced") {
  TempFolder t;
  put(t.path / "x.so", "content");
  const RunFolder a = RunFolder::create(t.path / "runs", "a");
  archive_binaries(a, {t.path / "x.so"});
  const std::string hash = sha256_hex("content");
  const fs::path stored = t.path / "runs/.store/sha256" / hash.substr(0, 2) / hash;
  REQUIRE(get(stored) == "content");
  fs::remove(stored);
  put(stored, "cont");
  const RunFolder b = RunFolder::create(t.path / "runs", "b");
  archive_binaries(b, {t.path / "x.so"});
  CHECK(get(b.bin() / "x.so") == "content");
}

TEST_CASE("the running program and its libraries are found") {
  const auto own = own_binaries();
  REQUIRE(own.size() >= 2);
  CHECK(own[0].filename() == "test_run");
  CHECK(own[1].filename().string().starts_with("libretake"));
}

TEST_CASE("the working tree beyond its commit is kept and verified") {
  TempFolder t;
  const Repository repo(t.path / "repo");
  put(repo.path / "a.txt", "two\n");
  put(repo.path / "binary", std::string("\0\xff\1", 3));
  repo.git({"add", "binary"});
  fs::create_directories(repo.path / "dir ü");
  put(repo.path / "dir ü/new file", "new");
  put(repo.path / "x.o", "ignored");
  const std::string index_before = get(repo.path / ".git/index");
  const RunFolder run = RunFolder::create(t.path / "runs", "x");
  const Table code = snapshot_code(run, repo.path / "dir ü");
  CHECK(code.at("commit").as_string() + "\n" == repo.git({"rev-parse", "HEAD"}));
  CHECK(code.at("remote").is_null());
  CHECK_FALSE(code.at("pushed").as_bool());
  CHECK(code.at("files_changed").as_int() == 2);
  CHECK(code.at("untracked").as_int() == 1);
  CHECK(code.at("patch_verified").as_bool());
  CHECK(code.at("diff_sha256").as_string() == sha256_hex(get(run.code() / "diff.patch")));
  CHECK(get(run.code() / "verify.txt") == "applies: yes\n");
  CHECK(get(run.code() / "base-commit.txt") == code.at("commit").as_string() + "\n");
  CHECK(get(repo.path / ".git/index") == index_before);
  for (const auto& e : fs::directory_iterator(run.code())) {
    CHECK_FALSE(e.path().filename().string().starts_with('.'));
  }
  // The archive holds the untracked file and not the ignored one.
  const bool zstd = fs::exists(run.code() / "untracked.tar.zst");
  const fs::path archive = run.code() / (zstd ? "untracked.tar.zst" : "untracked.tar");
  const std::string names = run_command({"tar", "--list", "--quoting-style=literal", "--file",
                                         fs::absolute(archive).string()},
                                        t.path)
                                .output;
  CHECK(names == "dir ü/new file\n");
  // The patch and the archive restore the tree.
  run_command({"git", "clone", "-q", repo.path.string(), "copy"}, t.path);
  CHECK(run_command({"git", "apply", fs::absolute(run.code() / "diff.patch").string()},
                    t.path / "copy")
            .exit_code == 0);
  CHECK(get(t.path / "copy/a.txt") == "two\n");
  CHECK(get(t.path / "copy/binary") == std::string("\0\xff\1", 3));
}

TEST_CASE("a clean tree has an empty patch, limits are said") {
  TempFolder t;
  const Repository repo(t.path / "repo");
  const RunFolder clean = RunFolder::create(t.path / "runs", "x");
  Table code = snapshot_code(clean, repo.path);
  CHECK(code.at("patch_verified").as_bool());
  CHECK(get(clean.code() / "diff.patch").empty());
  put(repo.path / "a.txt", std::string(5000, 'x'));
  put(repo.path / "big", std::string(5000, 'x'));
  put(repo.path / "small", "x");
  const RunFolder capped = RunFolder::create(t.path / "runs", "x");
  code = snapshot_code(capped, repo.path, {.patch_bytes = 1000, .untracked_bytes = 1000});
  CHECK_FALSE(code.at("patch_verified").as_bool());
  CHECK(code.at("untracked").as_int() == 2);
  CHECK_FALSE(fs::exists(capped.code() / "diff.patch"));
  const std::string said = get(capped.code() / "verify.txt");
  CHECK(said.find("applies: no") != std::string::npos);
  CHECK(said.find("1 of 2 untracked files left out") != std::string::npos);
}

TEST_CASE("outside a repository the code is absent and said so") {
  TempFolder t;
  const RunFolder run = RunFolder::create(t.path / "runs", "x");
  ::setenv("GIT_CEILING_DIRECTORIES", t.path.c_str(), 1);
  const Table code = snapshot_code(run, t.path);
  CHECK(code.at("absent").as_string() == "not in a git repository");
  CHECK(get(run.code() / "verify.txt") == "absent: not in a git repository\n");
  fs::create_directories(t.path / "empty");
  run_command({"git", "init", "-q"}, t.path / "empty");
  CHECK(snapshot_code(run, t.path / "empty").at("absent").as_string() ==
        "the git repository has no commit");
  ::unsetenv("GIT_CEILING_DIRECTORIES");
}

TEST_CASE("a command that cannot start says 127") {
  CHECK(run_command({"retake-no-such-program"}, ".").exit_code == 127);
  CHECK(run_command({"sh", "-c", "echo hi; exit 3"}, ".").output == "hi\n");
  CHECK(run_command({"sh", "-c", "exit 3"}, ".").exit_code == 3);
  CHECK(run_command({"sh", "-c", "kill -9 $$"}, ".").exit_code == 137);
  CHECK(run_command({"sh", "-c", "echo $X"}, ".", {"X=1"}).output == "1\n");
  CHECK(run_command({"sh", "-c", "yes | head -c 100000"}, ".", {}, 10).output.size() == 10);
}

TEST_CASE("what was archived is listed, and a rebuilt file takes the place of the old one") {
  TempFolder t;
  put(t.path / "libx.so", "first build");
  put(t.path / "liby.so", "y");
  const RunFolder run = RunFolder::create(t.path / "runs", "a");
  CHECK(archived_files(run).empty());
  archive_binaries(run, {t.path / "libx.so", t.path / "liby.so"});
  archive_binaries(run, {t.path / "libx.so"});  // resumed, nothing changed
  CHECK(archived_files(run).size() == 2);
  put(t.path / "libx.so", "second build");
  const auto kept = archive_binaries(run, {t.path / "libx.so"});
  REQUIRE(kept.size() == 1);
  const auto listed = archived_files(run);
  REQUIRE(listed.size() == 3);
  CHECK(kept[0].name == "libx.so");
  CHECK(get(run.bin() / "libx.so") == "second build");
  CHECK(listed.at("libx.so") == sha256_hex("second build"));
  const std::string aside = "earlier/" + sha256_hex("first build").substr(0, 12) + "-libx.so";
  CHECK(get(run.bin() / aside) == "first build");
  CHECK(listed.at(aside) == sha256_hex("first build"));
  CHECK(run_command({"sha256sum", "--quiet", "--check", "SHA256SUMS"}, run.bin()).exit_code == 0);
  put(run.bin() / "SHA256SUMS", "nonsense\n");
  CHECK_THROWS_AS(archived_files(run), DataError);
}

TEST_CASE("libraries that plugins bring with them are found, the system's are not") {
  TempFolder t;
  const auto system = helper_libraries(own_binaries());
  put(t.path / "helper.c", "int helper(void) { return 7; }");
  const fs::path helper = fs::canonical(t.path) / "libhelper.so";
  if (run_command({"cc", "-shared", "-fPIC", "-o", helper.string(), "helper.c"}, t.path)
          .exit_code != 0) {
    WARN("no C compiler: nothing to load");
    return;
  }
  void* handle = ::dlopen(helper.c_str(), RTLD_NOW);
  REQUIRE(handle != nullptr);
  const auto found = helper_libraries(own_binaries());
  CHECK(std::find(found.begin(), found.end(), helper) != found.end());
  CHECK(found.size() == system.size() + 1);
  for (const fs::path& path : found) {
    CHECK_FALSE(path.string().starts_with("/usr/lib"));
    CHECK_FALSE(path.filename().string().starts_with("libretake"));
  }
  auto known = own_binaries();
  known.push_back(t.path / "." / "libhelper.so");
  CHECK(helper_libraries(known) == system);
  fs::rename(helper, t.path / "old.so");
  fs::remove(t.path / "old.so");
  CHECK(helper_libraries(own_binaries()) == system);  // gone: there is nothing to archive
  ::dlclose(handle);
}
