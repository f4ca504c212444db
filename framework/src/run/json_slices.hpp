#pragma once
// The members of a JSON object as slices of its text, found without parsing them: a listing of a
// thousand manifests needs a few members of each.

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace retake::run {

/// Key (its raw text between the quotes) and the text of its value, in order. Nothing when brackets
/// or quotes do not close or this is no object; what lies inside the values is not checked.
std::optional<std::vector<std::pair<std::string_view, std::string_view>>> slice_json_object(
    std::string_view text);

}  // namespace retake::run
