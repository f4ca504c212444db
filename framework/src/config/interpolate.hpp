#pragma once
// ${path.to.key}, ${env:NAME}, ${env:NAME:-default}, ${run:id|dir|name}: resolved once, eagerly.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "config/document.hpp"
#include "config/findings.hpp"

namespace retake::config {

/// The default that a schema gives to a path nothing wrote; nullopt when there is no such path.
using DefaultOf = std::function<std::optional<Value>(const std::string& path)>;
using EnvironmentOf = std::function<std::optional<std::string>(const std::string& name)>;

struct Interpolated {
  Table environment;                             ///< values used; null where a default was
  std::map<std::string, std::string> run_texts;  ///< path -> text that still holds ${run:...}
  std::set<std::string> failed;                  ///< paths whose value could not be made
};

/// Interpolates every text of the document in place, the table `sweep` aside. A text that is one
/// ${path} takes the value with its type; inside a text, numbers are written out. `$${` is a
/// literal `${`. Findings: E120 to E124.
Interpolated interpolate(Document& document, const DefaultOf& default_of,
                         const EnvironmentOf& environment, Findings& findings);

/// A text with `${` written so that interpolation gives it back.
std::string escape_interpolation(const std::string& text);

}  // namespace retake::config
