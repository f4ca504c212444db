#pragma once
// retake::Value <-> nlohmann::json, for code that wants the library's conveniences.

#include <nlohmann/json.hpp>

#include "retake/value.hpp"

namespace retake {

nlohmann::ordered_json to_nlohmann(const Value& value);
Value from_nlohmann(const nlohmann::ordered_json& json);

}  // namespace retake
