#pragma once
// Symbolic shapes of ports ("B, ceil(S/16), 2*max_delta+1") against numbers.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "retake/value.hpp"

namespace retake::plugin {

/// Values of symbols; those that are missing are free.
using Symbols = std::map<std::string, std::int64_t>;

/// The component's integer parameters as symbols.
Symbols symbols_of(const Table& params);

/// The dimensions of a shape, as text.
std::vector<std::string> dimensions(const std::string& shape);

/// The value of a dimension: numbers, symbols, + - * /, brackets, ceil() and floor(). Nothing when
/// it holds a free symbol. Throws ProbeFailure when it cannot be read.
std::optional<std::int64_t> evaluate(const std::string& dimension, const Symbols& symbols);

/// The sizes of a shape. A dimension that is one free symbol gets `otherwise` and binds it; any
/// other free symbol inside an expression is bound to `otherwise` first.
std::vector<std::int64_t> sizes_of(const std::string& shape, Symbols& symbols,
                                   std::int64_t otherwise);

/// Compares real sizes with a shape: dimensions that are one free symbol bind it, expressions with
/// free symbols fit any size. Empty when they agree, else what differs.
std::string shape_difference(const std::string& shape, const std::vector<std::int64_t>& sizes,
                             Symbols& symbols);

}  // namespace retake::plugin
