#pragma once
// Who owns the components of a run.

#include <memory>
#include <string>
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

  /// `table`: the experiment's table that it was made for; empty outside of an experiment.
  template <class T>
  T& keep(std::unique_ptr<T> component, std::string table = {}) {
    T& kept = *component;
    components_.push_back(std::move(component));
    tables_.push_back(std::move(table));
    return kept;
  }

  /// A parameter of an experiment's table that its component has not read so far.
  struct Unread {
    std::string table;
    std::string param;
  };
  std::vector<Unread> unread() const {
    std::vector<Unread> out;
    for (std::size_t i = 0; i < components_.size(); ++i) {
      if (tables_[i].empty()) continue;
      for (std::string& param : components_[i]->param_reads().unread()) {
        out.push_back({tables_[i], std::move(param)});
      }
    }
    return out;
  }

 private:
  std::vector<std::unique_ptr<Component>> components_;
  std::vector<std::string> tables_;  ///< of each component
};

}  // namespace retake::plugin
