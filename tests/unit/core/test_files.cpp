#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "catch.hpp"
#include "core/files.hpp"
#include "core/hash.hpp"
#include "retake/context.hpp"
#include "retake/error.hpp"

using namespace retake;
namespace fs = std::filesystem;

namespace {
struct TempDir {
  fs::path path = fs::temp_directory_path() / ("retake-core-" + std::to_string(::getpid()));
  TempDir() { fs::create_directories(path); }
  ~TempDir() { fs::remove_all(path); }
};

class TestContext final : public Context {
 public:
  explicit TestContext(int threads) : threads_(threads) {}
  std::uint64_t seed(std::string_view name, std::uint64_t index) const override {
    return derive_seed(1, {name, index});
  }
  int threads() const override { return threads_; }
  std::string device() const override { return "cpu"; }
  fs::path run_dir() const override { return {}; }
  bool stop_requested() const override { return false; }
  void progress(std::string_view, double, double) const override {}

 private:
  int threads_;
};
}  // namespace

TEST_CASE("SHA-256 of known texts", "[hash]") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("atomic files appear whole or not at all", "[files]") {
  const TempDir dir;
  const fs::path target = dir.path / "deep" / "näme with space.txt";
  write_file_atomic(target, "one");
  CHECK(read_file(target) == "one");
  CHECK(sha256_file(target) == sha256_hex("one"));
  {
    AtomicFile file(target);
    std::ofstream(file.path()) << "two";
  }
  CHECK(read_file(target) == "one");
  CHECK(std::distance(fs::directory_iterator(target.parent_path()), {}) == 1);
  CHECK(MappedFile(target).text() == "one");
}

TEST_CASE("unreadable files name themselves", "[files][hostile]") {
  const TempDir dir;
  CHECK_THROWS_AS(read_file(dir.path / "missing"), DataError);
  CHECK_THROWS_AS(read_file(dir.path), DataError);
  CHECK_THROWS_AS(MappedFile(dir.path), DataError);
  CHECK_THROWS_AS(write_file_atomic("/proc/no-such/x", "y"), DataError);
  try {
    read_file(dir.path / "missing");
  } catch (const DataError& e) {
    CHECK(std::string(e.what()).find("missing") != std::string::npos);
    CHECK_FALSE(e.diagnostics().front().help.empty());
  }
}

TEST_CASE("parallel_for covers every item once and passes exceptions on", "[context]") {
  for (const int threads : {1, 2, 5}) {
    const TestContext context(threads);
    std::vector<int> hits(1001);
    context.parallel_for(hits.size(), 10, [&](std::size_t begin, std::size_t end) {
      context.parallel_for(end - begin, 1, [&](std::size_t b, std::size_t e) {
        for (std::size_t i = begin + b; i < begin + e; ++i) ++hits[i];
      });
    });
    CHECK(std::count(hits.begin(), hits.end(), 1) == 1001);
    CHECK_THROWS_AS(context.parallel_for(100, 1,
                                         [](std::size_t begin, std::size_t) {
                                           if (begin == 0) throw std::runtime_error("x");
                                         }),
                    std::runtime_error);
  }
}
