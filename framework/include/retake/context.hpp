#pragma once
// Services that the host gives to components.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "retake/exhibit.hpp"
#include "retake/log.hpp"
#include "retake/rng.hpp"

namespace retake {

/// Handed to every component at construction; outlives it. All methods are thread-safe.
class Context {
 public:
  virtual ~Context();

  /// A seed that depends only on the run's seed, the name and the index: "model/init",
  /// ("data/shuffle", epoch), ("env", worker). Recorded in the manifest.
  virtual std::uint64_t seed(std::string_view name, std::uint64_t index = 0) const = 0;
  Rng rng(std::string_view name, std::uint64_t index = 0) const { return Rng(seed(name, index)); }

  /// `run.threads` as resolved; >= 1.
  virtual int threads() const = 0;
  /// "cpu" or "cuda:0".
  virtual std::string device() const = 0;
  /// The run's folder; empty outside a run.
  virtual std::filesystem::path run_dir() const = 0;
  /// True once the user or the scheduler asked to stop: long loops return early and throw nothing.
  virtual bool stop_requested() const = 0;
  /// Progress of a long step; a terminal shows it as one line.
  virtual void progress(std::string_view what, double done, double total) const = 0;
  /// Something to look at or listen to beside the numbers of the step at hand. In a run it goes to
  /// TensorBoard; elsewhere it is dropped.
  virtual void show(const Exhibit& exhibit) const;

  /// Calls `body(begin, end)` on disjoint ranges that cover [0, n), on up to `threads()` threads.
  /// Ranges hold at least `grain` items. The first exception is rethrown when all have ended.
  /// Nested calls run serially. Results must not depend on how the range is split.
  void parallel_for(std::size_t n, std::size_t grain,
                    const std::function<void(std::size_t, std::size_t)>& body) const;
};

}  // namespace retake
