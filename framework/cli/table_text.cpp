#include "table_text.hpp"

#include <algorithm>
#include <cmath>

#include "core/utf8.hpp"

namespace retake::cli {
namespace {

constexpr const char* kTypes[] = {"bool", "int", "float", "string", "group"};

std::string number(double x) {
  if (std::abs(x) < 1e7 && x == std::floor(x)) {
    return std::to_string(static_cast<long long>(x));
  }
  return format_double(x);
}

std::string type_text(const FieldInfo& f) {
  const std::string type = kTypes[static_cast<std::size_t>(f.type)];
  return f.is_list ? "list of " + type : type;
}

std::string default_text(const FieldInfo& f) {
  if (f.required) return "(required)";
  if (f.type == FieldType::group && !f.is_list) return "";
  return to_json(f.default_value);
}

/// "1 .. 24", "> 0, <= 1", "a | b | c".
std::string range_text(const FieldInfo& f) {
  std::string out;
  for (const Value& choice : f.choices) {
    out += (out.empty() ? "" : " | ") + (choice.is_string() ? choice.as_string() : to_json(choice));
  }
  if (!out.empty()) return out;
  if (f.min && f.max && !f.min_open && !f.max_open) {
    out = number(*f.min) + " .. " + number(*f.max);
  } else {
    if (f.min) out = (f.min_open ? "> " : ">= ") + number(*f.min);
    if (f.max) {
      out += (out.empty() ? "" : ", ") + std::string(f.max_open ? "< " : "<= ") + number(*f.max);
    }
  }
  return out;
}

std::string doc_text(const FieldInfo& f) {
  std::vector<std::string> marks;
  if (f.deprecated) {
    marks.push_back(f.renamed_to.empty() ? "deprecated" : "deprecated: now `" + f.renamed_to + "`");
  }
  if (f.log_scale) marks.emplace_back("log scale");
  if (!f.affects_results) marks.emplace_back("does not affect results");
  return marks.empty() ? f.doc : f.doc + " [" + join(marks) + "]";
}

void add_rows(const std::vector<FieldInfo>& fields, const std::string& prefix,
              std::vector<std::vector<std::string>>& rows) {
  for (const FieldInfo& f : fields) {
    rows.push_back(
        {prefix + f.name, type_text(f), default_text(f), range_text(f), f.unit, doc_text(f)});
    add_rows(f.fields, prefix + f.name + (f.is_list ? "[]." : "."), rows);
  }
}

}  // namespace

std::string columns(const std::vector<std::string>& titles,
                    const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(titles.size(), 0);
  for (std::size_t c = 0; c < titles.size(); ++c) {
    for (const auto& row : rows) widths[c] = std::max(widths[c], count_characters(row[c]));
    if (widths[c] > 0) widths[c] = std::max(widths[c], count_characters(titles[c]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      if (widths[c] == 0) continue;
      out += cells[c] + std::string(widths[c] - count_characters(cells[c]) + 2, ' ');
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  };
  std::string out = line(titles);
  for (const auto& row : rows) out += line(row);
  return out;
}

std::vector<std::vector<std::string>> field_rows(const std::vector<FieldInfo>& fields) {
  std::vector<std::vector<std::string>> rows;
  add_rows(fields, "", rows);
  return rows;
}

std::vector<std::string> rule_lines(const std::vector<RuleInfo>& rules) {
  std::vector<std::string> out;
  for (const RuleInfo& r : rules) {
    switch (r.kind) {
      case RuleInfo::Kind::odd:
        out.push_back(r.field + " is odd");
        break;
      case RuleInfo::Kind::multiple_of:
        out.push_back(r.field + " is a multiple of " + r.other);
        break;
      case RuleInfo::Kind::less_than:
        out.push_back(r.field + " is less than " + r.other);
        break;
      case RuleInfo::Kind::at_most:
        out.push_back(r.field + " is at most " + r.other);
        break;
      case RuleInfo::Kind::requires_:
        out.push_back(r.field + " needs " + r.other + " = " + to_json(r.value));
        break;
    }
  }
  return out;
}

std::string counted(std::size_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

}  // namespace retake::cli
