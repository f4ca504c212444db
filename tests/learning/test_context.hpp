#pragma once
// The host's services, for tests.

#include "retake/context.hpp"

class TestContext final : public retake::Context {
 public:
  explicit TestContext(std::uint64_t seed = 1, int threads = 2) : seed_(seed), threads_(threads) {}
  std::uint64_t seed(std::string_view name, std::uint64_t index) const override {
    return retake::derive_seed(seed_, {name, index});
  }
  int threads() const override { return threads_; }
  std::string device() const override { return "cpu"; }
  std::filesystem::path run_dir() const override { return {}; }
  bool stop_requested() const override { return false; }
  void progress(std::string_view, double, double) const override {}

 private:
  std::uint64_t seed_;
  int threads_;
};
