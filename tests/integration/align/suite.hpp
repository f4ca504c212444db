#pragma once
// The pairs that the aligner is judged on.

#include <memory>

#include "pairs.hpp"
#include "retake/kinds/aligner.hpp"

namespace retake::test {

/// A context without a run.
class PlainContext final : public Context {
 public:
  explicit PlainContext(int threads) : threads_(threads) {}
  std::uint64_t seed(std::string_view name, std::uint64_t index) const override {
    return derive_seed(1, {name, index});
  }
  int threads() const override { return threads_; }
  std::string device() const override { return "cpu"; }
  std::filesystem::path run_dir() const override { return {}; }
  bool stop_requested() const override { return false; }
  void progress(std::string_view, double, double) const override {}

 private:
  int threads_;
};

struct SuiteItem {
  PairRecipe recipe;
  Damage damage;
};

/// 20 clean pairs, then the degraded ones.
std::vector<SuiteItem> suite();

/// The aligner under test, from its plugin.
std::unique_ptr<Aligner> make_aligner();

Alignment align_pair(const Aligner& aligner, const TestPair& pair, const Context& context);

}  // namespace retake::test
