#pragma once
// Where a test runs the executable: a folder of its own, with the stores of the whole test process.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "catch.hpp"
#include "process.hpp"
#include "run/run_find.hpp"

namespace smoke {

namespace fs = std::filesystem;

inline const fs::path kExperiments = fs::path(RETAKE_SOURCE_DIR) / "experiments/smoke";

/// A working folder; the generated data is shared by the whole test process.
class Workplace {
 public:
  Workplace() {
    static const fs::path root = [] {
      const fs::path p = fs::temp_directory_path() / ("retake-smoke-" + std::to_string(::getpid()));
      fs::create_directories(p);
      ::setenv("RETAKE_STORE", (p / "store").c_str(), 1);
      std::atexit([] {
        std::error_code ignored;
        fs::remove_all(fs::temp_directory_path() / ("retake-smoke-" + std::to_string(::getpid())),
                       ignored);
      });
      return p;
    }();
    static int counter = 0;
    path = root / std::to_string(counter++);
    fs::create_directories(path);
  }
  ~Workplace() { fs::remove_all(path); }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  retake::run::RunFolder only_run() const {
    const auto runs = retake::run::list_runs(path / "runs");
    REQUIRE(runs.size() == 1);
    return runs.front();
  }

  fs::path path;
};

/// Makes data/pairs: recordings and edits of which nothing tells how they were made.
inline void make_pairs(const Workplace& place) {
  const End made = retake({"synth", "data/pairs", "--pairs", "4", "--no-oracles", "minutes=0.7",
                           "sample_rate=22050", "channels=1"},
                          place.path);
  INFO(made.output);
  REQUIRE(made.code == 0);
  fs::remove_all(place.path / "data/pairs/truth");
}

}  // namespace smoke
