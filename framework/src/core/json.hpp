#pragma once
// JSON beyond retake/value.hpp: its pieces for writers of many small records, and the way to
// nlohmann::json for code that wants the library's conveniences.

#include <nlohmann/json.hpp>
#include <string>

#include "retake/value.hpp"

namespace retake {

// As to_json writes them: "..." with escapes; the shortest text that reads back, or "NaN",
// "Infinity", "-Infinity".
void append_json(std::string& out, const std::string& text);
void append_json(std::string& out, double number);

nlohmann::ordered_json to_nlohmann(const Value& value);
Value from_nlohmann(const nlohmann::ordered_json& json);

}  // namespace retake
