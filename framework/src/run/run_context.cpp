#include "run/run_context.hpp"

#include <sched.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "core/stop.hpp"

namespace retake::run {

std::uint64_t SeedBook::seed(std::string_view name, std::uint64_t index) const {
  {
    const std::scoped_lock lock(mutex_);
    if (!recorded_.contains(name)) {
      recorded_.emplace(name, derive_seed(run_seed_, {name, std::uint64_t{0}}));
    }
  }
  return derive_seed(run_seed_, {name, index});
}

Table SeedBook::recorded() const {
  const std::scoped_lock lock(mutex_);
  Table out;
  for (const auto& [name, seed] : recorded_) out[name] = std::to_string(seed);
  return out;
}

int resolve_threads(std::int64_t wanted) {
  if (wanted < 0) throw std::invalid_argument("run.threads is negative");
  if (wanted > 0) return static_cast<int>(std::min<std::int64_t>(wanted, 4096));
  cpu_set_t allowed;  // cores that a container or taskset leaves us
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

RunContext::RunContext(Options options) : options_(std::move(options)), seeds_(options_.seed) {
  if (options_.threads < 1) throw std::invalid_argument("RunContext: threads must be resolved");
}

RunContext::~RunContext() = default;

std::uint64_t RunContext::seed(std::string_view name, std::uint64_t index) const {
  signs_of_life_.fetch_add(1, std::memory_order_relaxed);
  return seeds_.seed(name, index);
}

bool RunContext::stop_requested() const {
  signs_of_life_.fetch_add(1, std::memory_order_relaxed);
  return retake::stop_requested();
}

void RunContext::progress(std::string_view what, double done, double total) const {
  signs_of_life_.fetch_add(1, std::memory_order_relaxed);
  if (!options_.progress) return;
  const std::scoped_lock lock(progress_mutex_);
  options_.progress(what, done, total);
}

void RunContext::show(const Exhibit& exhibit) const {
  if (!options_.show) return;
  const std::scoped_lock lock(progress_mutex_);
  options_.show(exhibit);
}

}  // namespace retake::run
