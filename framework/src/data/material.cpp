#include "data/material.hpp"

#include <algorithm>

#include "core/files.hpp"

namespace retake {

namespace {

constexpr const char* kSchema = "retake.material/1";

[[noreturn]] void bad(const std::filesystem::path& file, const std::vector<std::string>& found) {
  Diagnostic d = file_diagnostic("E515", file.string(), file.string() + " is no list of material",
                                 "remove it, or make the pair again with `retake synth`");
  d.facts = found;
  throw DataError(std::move(d));
}

}  // namespace

const std::vector<std::string>& material_kinds() {
  static const std::vector<std::string> kinds = {"kept",     "talk",     "silence",     "tuning",
                                                 "count_in", "noodling", "false_start", "wobble",
                                                 "layer",    "drop_out", "repeat",      "play_on"};
  return kinds;
}

std::vector<std::string> material_problems(const std::vector<MaterialSpan>& spans,
                                           std::int64_t samples) {
  std::vector<std::string> found;
  std::int64_t at = 0;
  const auto& kinds = material_kinds();
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const MaterialSpan& span = spans[i];
    const std::string name = "span " + std::to_string(i);
    if (std::find(kinds.begin(), kinds.end(), span.kind) == kinds.end()) {
      found.push_back(name + " has the unknown kind `" + span.kind + "`");
    }
    if (span.begin != at || span.end <= span.begin) {
      found.push_back(name + " is [" + std::to_string(span.begin) + ", " +
                      std::to_string(span.end) + ") where one from " + std::to_string(at) +
                      " was due");
    }
    at = span.end;
  }
  if (samples >= 0 && at != samples) {
    found.push_back("the spans end at sample " + std::to_string(at) + ", the recording at " +
                    std::to_string(samples));
  }
  return found;
}

std::vector<MaterialSpan> read_material(const std::filesystem::path& file) {
  const Value root = parse_json(read_file(file), file.string());
  const Value* schema = root.is_table() ? root.as_table().find("schema") : nullptr;
  const Value* list = root.is_table() ? root.as_table().find("spans") : nullptr;
  if (schema == nullptr || *schema != Value(kSchema) || list == nullptr || !list->is_array()) {
    bad(file, {std::string("expected {\"schema\": \"") + kSchema + "\", \"spans\": [...]}"});
  }
  std::vector<MaterialSpan> spans;
  for (const Value& item : list->as_array()) {
    const bool sound = item.is_array() && item.as_array().size() == 3 &&
                       item.as_array()[0].is_int() && item.as_array()[1].is_int() &&
                       item.as_array()[2].is_string();
    if (!sound) bad(file, {"span " + std::to_string(spans.size()) + " is not [begin, end, kind]"});
    const Array& a = item.as_array();
    spans.push_back({a[0].as_int(), a[1].as_int(), a[2].as_string()});
  }
  const auto found = material_problems(spans, -1);
  if (!found.empty()) bad(file, found);
  return spans;
}

void write_material(const std::vector<MaterialSpan>& spans, const std::filesystem::path& file) {
  Array list;
  for (const MaterialSpan& span : spans) {
    list.emplace_back(Array{Value(span.begin), Value(span.end), Value(span.kind)});
  }
  Table root;
  root["schema"] = Value(kSchema);
  root["spans"] = Value(std::move(list));
  write_file_atomic(file, to_json(Value(std::move(root))) + "\n");
}

}  // namespace retake
