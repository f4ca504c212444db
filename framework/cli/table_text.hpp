#pragma once
// Columns of text, and schemas as such.

#include <string>
#include <vector>

#include "core/join.hpp"
#include "retake/schema.hpp"

namespace retake::cli {

/// Aligned columns, two blanks apart, the last one as it is. A column whose cells are all empty is
/// left out, title and all. No trailing blanks.
std::string columns(const std::vector<std::string>& titles,
                    const std::vector<std::vector<std::string>>& rows);

/// name, type, default, range, unit, doc of each parameter; groups follow as "group.name".
std::vector<std::vector<std::string>> field_rows(const std::vector<FieldInfo>& fields);

/// Each rule as a sentence: "d_model is a multiple of n_heads".
std::vector<std::string> rule_lines(const std::vector<RuleInfo>& rules);

/// "1 pair", "2 pairs".
std::string counted(std::size_t n, const std::string& what);

}  // namespace retake::cli
