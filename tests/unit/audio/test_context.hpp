#pragma once
// A context outside a run.

#include "retake/context.hpp"

namespace kit {

class Context final : public retake::Context {
 public:
  explicit Context(int threads = 1) : threads_(threads) {}
  std::uint64_t seed(std::string_view name, std::uint64_t index) const override {
    return retake::derive_seed(0, {name, index});
  }
  int threads() const override { return threads_; }
  std::string device() const override { return "cpu"; }
  std::filesystem::path run_dir() const override { return {}; }
  bool stop_requested() const override { return false; }
  void progress(std::string_view, double, double) const override {}

 private:
  int threads_;
};

}  // namespace kit
