#pragma once
// A Context for tests of components outside a run.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "retake/context.hpp"

namespace retake::testing {

/// Seeds derive from one number by name, as in a run; progress is dropped, nobody asks to stop.
/// Thread-safe.
class FixedContext final : public Context {
 public:
  explicit FixedContext(std::uint64_t seed = 1, int threads = 2, std::filesystem::path run_dir = {})
      : seed_(seed), threads_(threads), run_dir_(std::move(run_dir)) {}

  std::uint64_t seed(std::string_view name, std::uint64_t index = 0) const override {
    return derive_seed(seed_, {name, index});
  }
  int threads() const override { return threads_; }
  std::string device() const override { return "cpu"; }
  std::filesystem::path run_dir() const override { return run_dir_; }
  bool stop_requested() const override { return false; }
  void progress(std::string_view, double, double) const override {}

 private:
  std::uint64_t seed_;
  int threads_;
  std::filesystem::path run_dir_;
};

}  // namespace retake::testing
