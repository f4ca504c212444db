#pragma once
// Probes: what `retake plugins check` asks of a component. Those of a kind stand in the room that
// the kind belongs to and register themselves; a kind without probes is asked the general ones.

#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "retake/component.hpp"
#include "retake/context.hpp"

namespace retake::plugin {

/// Thrown by a probe: the component does not do what its kind promises.
class ProbeFailure : public std::runtime_error {
 public:
  ProbeFailure(const std::string& why, std::string help)
      : std::runtime_error(why), help_(std::move(help)) {}
  const std::string& help() const { return help_; }

 private:
  std::string help_;
};

/// Thrown by a probe: it cannot be asked of this component.
class ProbeSkipped : public std::runtime_error {
 public:
  explicit ProbeSkipped(const std::string& why, std::string help = {})
      : std::runtime_error(why), help_(std::move(help)) {}
  const std::string& help() const { return help_; }

 private:
  std::string help_;
};

/// Throws ProbeFailure unless `holds`.
inline void expect(bool holds, const std::string& why, const std::string& help) {
  if (!holds) throw ProbeFailure(why, help);
}

/// Whether two numbers are the same one; NaN is itself.
inline bool same_number(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

/// Throws ProbeSkipped unless the number is finite: that it is not is another probe's finding, and
/// what is compared with it would only be found different for the same reason.
inline void require_finite_first(double value) {
  if (!std::isfinite(value)) {
    throw ProbeSkipped("it gives " + format_double(value) + ", which another probe tells");
  }
}

/// The component that is asked.
struct Subject {
  const ComponentInfo& info;
  Table params;  ///< resolved, defaults included
  Context& context;
  std::filesystem::path scratch;  ///< an empty folder to write into
  std::function<std::unique_ptr<Component>()> make_component;

  /// A new one. Throws ProbeFailure when its class is not of the kind.
  template <class T>
  std::unique_ptr<T> make() const {
    std::unique_ptr<Component> made = make_component();
    T* cast = dynamic_cast<T*>(made.get());
    expect(cast != nullptr, "its class does not derive from the kind's interface",
           "derive the class from the kind that it is registered for");
    made.release();
    return std::unique_ptr<T>(cast);
  }
};

struct Probe {
  std::string name;  ///< what should hold: "the same input gives the same bits"
  std::function<void(const Subject&)> body;
};

/// A static object of each room puts the probes of a kind in the table.
struct RegisterProbes {
  RegisterProbes(const std::string& kind, std::vector<Probe> probes);
};

/// The probes of a kind; none for a kind that no room knows.
const std::vector<Probe>& probes_of(const std::string& kind);

/// Calls `body`, which may end in a retake::Error: a refusal that says why is as good as a result.
void result_or_error(const std::function<void()>& body);

/// Calls `body` in several threads at once, each with its number; the first exception is rethrown.
void in_threads(const std::function<void(int thread)>& body, int threads = 4);

enum class Verdict { ok, failed, skipped };
std::string_view to_string(Verdict verdict);

struct ProbeResult {
  std::string probe;
  Verdict verdict = Verdict::ok;
  std::string why;   ///< empty when ok
  std::string help;  ///< remedy, where there is one
  double seconds = 0;
};

}  // namespace retake::plugin
