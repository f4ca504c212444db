// What `retake plugins check` asks of an lr_schedule.

#include <cmath>

#include "plugin/probe.hpp"
#include "retake/kinds/lr_schedule.hpp"

namespace retake::plugin {
namespace {

/// (step, total) as a run may ask: the start, the end, beyond it, without an end, and one step.
const std::vector<std::pair<std::int64_t, std::int64_t>>& positions() {
  static const auto all = [] {
    std::vector<std::pair<std::int64_t, std::int64_t>> out;
    for (const std::int64_t total : {1, 2, 10, 1000, 1'000'000, 0}) {
      for (const std::int64_t step : {0, 1, 2, 9, 10, 500, 999, 1000, 100'000, 1'000'000'000}) {
        out.emplace_back(step, total);
      }
    }
    return out;
  }();
  return all;
}

std::vector<double> factors(const LrSchedule& schedule) {
  std::vector<double> out;
  for (const auto& [step, total] : positions()) out.push_back(schedule.factor(step, total));
  return out;
}

void positive(const Subject& subject) {
  const auto schedule = subject.make<LrSchedule>();
  for (const auto& [step, total] : positions()) {
    const double factor = schedule->factor(step, total);
    expect(std::isfinite(factor) && factor > 0,
           "the factor at step " + std::to_string(step) + " of " + std::to_string(total) + " is " +
               format_double(factor),
           "give a finite factor above 0 at every step, beyond the end and without one (0) too");
  }
}

void pure(const Subject& subject) {
  const auto schedule = subject.make<LrSchedule>();
  const std::vector<double> first = factors(*schedule);
  for (const double factor : first) require_finite_first(factor);
  in_threads([&](int) {
    expect(
        Value(Array(first.begin(), first.end())) ==
            [&] {
              const std::vector<double> again = factors(*schedule);
              return Value(Array(again.begin(), again.end()));
            }(),
        "the same step gave two factors", "let the factor depend on the step and total alone");
  });
}

const RegisterProbes registered("lr_schedule",
                                {{"the factor is finite and above 0", positive},
                                 {"the same step gives the same factor, in several threads",
                                  pure}});

}  // namespace
}  // namespace retake::plugin
