#pragma once
// What a run gives to its components.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "retake/context.hpp"
#include "retake/value.hpp"

namespace retake::run {

/// Seeds by name, remembered for the manifest. Thread-safe.
class SeedBook {
 public:
  explicit SeedBook(std::uint64_t run_seed) : run_seed_(run_seed) {}

  /// derive_seed(run seed, {name, index}); depends on nothing else.
  std::uint64_t seed(std::string_view name, std::uint64_t index = 0) const;
  std::uint64_t run_seed() const { return run_seed_; }
  /// {"model/init": "1183...", ...}: every name asked for, sorted, with its seed of index 0.
  /// Decimal strings: a seed has 64 bits, more than a JSON number surely carries.
  Table recorded() const;

 private:
  std::uint64_t run_seed_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::uint64_t, std::less<>> recorded_;
};

/// `run.threads` as the user wrote it, 0 meaning all cores this process may use; >= 1.
int resolve_threads(std::int64_t wanted);

/// The Context of runs and commands. Thread-safe.
class RunContext final : public Context {
 public:
  struct Options {
    std::uint64_t seed = 0;
    int threads = 1;                ///< resolved
    std::string device = "cpu";     ///< resolved: "cpu" or "cuda:0"
    std::filesystem::path run_dir;  ///< empty outside a run
    /// Receives progress(); may be empty. Called from the thread that reports, one at a time.
    std::function<void(std::string_view what, double done, double total)> progress{};
    /// Receives show(); may be empty. One at a time.
    std::function<void(const Exhibit&)> show{};
  };
  explicit RunContext(Options options);
  ~RunContext() override;

  std::uint64_t seed(std::string_view name, std::uint64_t index = 0) const override;
  int threads() const override { return options_.threads; }
  std::string device() const override { return options_.device; }
  std::filesystem::path run_dir() const override { return options_.run_dir; }
  bool stop_requested() const override;
  void progress(std::string_view what, double done, double total) const override;
  void show(const Exhibit& exhibit) const override;

  const SeedBook& seeds() const { return seeds_; }
  /// Grows whenever somebody asks something of this context: a sign of life, since the engine does
  /// at every step, and long loops do to be stopped.
  std::uint64_t signs_of_life() const { return signs_of_life_.load(std::memory_order_relaxed); }

 private:
  Options options_;
  SeedBook seeds_;
  mutable std::mutex progress_mutex_;
  mutable std::atomic<std::uint64_t> signs_of_life_{0};
};

}  // namespace retake::run
