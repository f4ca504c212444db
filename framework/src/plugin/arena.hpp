#pragma once
// Who owns the components of a run.

#include <memory>
#include <utility>
#include <vector>

#include "retake/component.hpp"

namespace retake::plugin {

/// Owns components; they die in reverse order of `keep`, when the arena does. A run has one, on the
/// stack of its command, so that all are gone before `main` returns. Not thread-safe.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    while (!components_.empty()) components_.pop_back();
  }

  template <class T>
  T& keep(std::unique_ptr<T> component) {
    T& kept = *component;
    components_.push_back(std::move(component));
    return kept;
  }

 private:
  std::vector<std::unique_ptr<Component>> components_;
};

}  // namespace retake::plugin
