#pragma once
// The little language of `retake runs --where`:
//
//   tag=ablation and val/edit_f1>0.8 and not (model.plugin = keep_cut or status = failed)
//
//   expression = term { "or" term }         term   = factor { "and" factor }
//   factor     = "not" factor | "(" expression ")" | key operator literal
//   operator   = "=" | "!=" | "<" | "<=" | ">" | ">="
//   literal    = a number, a bare word or "quoted text"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "retake/value.hpp"

namespace retake::run {

class Where {
 public:
  /// The value of a key; nothing when the run has none. An array (tags) matches by any element.
  using Lookup = std::function<std::optional<Value>(const std::string& key)>;

  /// Throws UsageError (E610) with a caret under the place that cannot be understood.
  static Where parse(std::string_view text);

  /// Numbers compare as numbers, texts as texts (ISO dates sort), booleans equal true or false. A
  /// comparison with a key that the run lacks, or with a value of another type, is false; `!=` of
  /// another type is true.
  bool matches(const Lookup& lookup) const;
  /// Every key that occurs, once.
  const std::vector<std::string>& keys() const { return keys_; }

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
  std::vector<std::string> keys_;
};

}  // namespace retake::run
