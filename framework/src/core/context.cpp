#include "retake/context.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace retake {

Context::~Context() = default;
void Context::show(const Exhibit&) const {}

namespace {
thread_local bool t_inside_parallel = false;

/// Marks the thread for the time of a body, so that nested calls run serially.
struct Inside {
  bool before = t_inside_parallel;
  Inside() { t_inside_parallel = true; }
  ~Inside() { t_inside_parallel = before; }
};
}  // namespace

void Context::parallel_for(std::size_t n, std::size_t grain,
                           const std::function<void(std::size_t, std::size_t)>& body) const {
  if (n == 0) return;
  grain = std::max<std::size_t>(grain, 1);
  const std::size_t most = t_inside_parallel ? 1 : static_cast<std::size_t>(threads());
  const std::size_t parts = std::clamp<std::size_t>(n / grain, 1, most);
  if (parts == 1) {
    const Inside inside;
    body(0, n);
    return;
  }
  std::mutex mutex;
  std::exception_ptr first;
  const auto run = [&](std::size_t part) {
    const Inside inside;
    try {
      body(n * part / parts, n * (part + 1) / parts);
    } catch (...) {
      const std::scoped_lock lock(mutex);
      if (!first) first = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t part = 1; part < parts; ++part) threads.emplace_back(run, part);
    run(0);
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace retake
