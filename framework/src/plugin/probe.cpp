#include "plugin/probe.hpp"

#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "retake/error.hpp"

namespace retake::plugin {
namespace {

std::map<std::string, std::vector<Probe>>& table() {
  static std::map<std::string, std::vector<Probe>> probes;
  return probes;
}

}  // namespace

RegisterProbes::RegisterProbes(const std::string& kind, std::vector<Probe> probes) {
  table()[kind] = std::move(probes);
}

const std::vector<Probe>& probes_of(const std::string& kind) {
  return table()[kind];
}

void result_or_error(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error&) {  // it says why, which is all that is asked
  }
}

void in_threads(const std::function<void(int thread)>& body, int threads) {
  std::mutex mutex;
  std::exception_ptr first;
  {
    std::vector<std::jthread> running;
    for (int i = 0; i < threads; ++i) {
      running.emplace_back([&, i] {
        try {
          body(i);
        } catch (...) {
          const std::scoped_lock lock(mutex);
          if (!first) first = std::current_exception();
        }
      });
    }
  }
  if (first) std::rethrow_exception(first);
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::failed:
      return "failed";
    case Verdict::skipped:
      return "skipped";
  }
  return "failed";
}

}  // namespace retake::plugin
