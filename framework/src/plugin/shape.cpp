#include "plugin/shape.hpp"

#include <cctype>
#include <cmath>
#include <cstdlib>

#include "plugin/probe.hpp"

namespace retake::plugin {
namespace {

/// Recursive descent; NaN stands for a value that a free symbol leaves open.
class Reader {
 public:
  Reader(const std::string& text, const Symbols& symbols) : text_(text), symbols_(symbols) {}

  double read() {
    const double value = sum();
    if (at_ != text_.size()) unreadable();
    return value;
  }
  const std::vector<std::string>& free() const { return free_; }

 private:
  [[noreturn]] void unreadable() const {
    throw ProbeFailure("the declared dimension `" + text_ + "` cannot be read",
                       "use numbers, symbols, + - * /, brackets, ceil() and floor()");
  }
  char peek() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  double sum() {
    double value = product();
    for (;;) {
      if (take('+')) {
        value += product();
      } else if (take('-')) {
        value -= product();
      } else {
        return value;
      }
    }
  }
  double product() {
    double value = atom();
    for (;;) {
      if (take('*')) {
        value *= atom();
      } else if (take('/')) {
        value /= atom();
      } else {
        return value;
      }
    }
  }
  double atom() {
    if (take('(')) return closed();
    const auto first = static_cast<unsigned char>(peek());
    if (std::isdigit(first) != 0) {
      char* end = nullptr;
      const double value = std::strtod(text_.c_str() + at_, &end);
      at_ = static_cast<std::size_t>(end - text_.c_str());
      return value;
    }
    if (std::isalpha(first) == 0 && first != '_') unreadable();
    const std::size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_')) {
      ++at_;
    }
    return named(text_.substr(begin, at_ - begin));
  }
  double named(const std::string& word) {
    if (take('(')) {
      if (word == "ceil") return std::ceil(closed());
      if (word == "floor") return std::floor(closed());
      unreadable();
    }
    const auto found = symbols_.find(word);
    if (found != symbols_.end()) return static_cast<double>(found->second);
    free_.push_back(word);
    return std::nan("");
  }
  double closed() {
    const double value = sum();
    if (!take(')')) unreadable();
    return value;
  }

  const std::string& text_;
  const Symbols& symbols_;
  std::size_t at_ = 0;
  std::vector<std::string> free_;
};

std::vector<std::string> free_symbols(const std::string& dimension, const Symbols& symbols) {
  Reader reader(dimension, symbols);
  reader.read();
  return reader.free();
}

bool is_one_symbol(const std::string& dimension) {
  return dimension.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
             "0123456789") == std::string::npos &&
         std::isdigit(static_cast<unsigned char>(dimension.front())) == 0;
}

std::string text_of(const std::vector<std::int64_t>& sizes) {
  std::string out = "[";
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    out += (i > 0 ? ", " : "") + std::to_string(sizes[i]);
  }
  return out + "]";
}

}  // namespace

Symbols symbols_of(const Table& params) {
  Symbols out;
  for (const auto& [name, value] : params) {
    if (value.is_int()) out[name] = value.as_int();
  }
  return out;
}

std::vector<std::string> dimensions(const std::string& shape) {
  std::vector<std::string> out;
  std::string part;
  int depth = 0;
  const auto finish = [&] {
    const std::size_t begin = part.find_first_not_of(' ');
    if (begin != std::string::npos) {
      out.push_back(part.substr(begin, part.find_last_not_of(' ') - begin + 1));
    }
    part.clear();
  };
  for (const char c : shape) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && depth == 0) {
      finish();
    } else {
      part += c;
    }
  }
  finish();
  return out;
}

std::optional<std::int64_t> evaluate(const std::string& dimension, const Symbols& symbols) {
  const double value = Reader(dimension, symbols).read();
  if (std::isnan(value)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::vector<std::int64_t> sizes_of(const std::string& shape, Symbols& symbols,
                                   std::int64_t otherwise) {
  std::vector<std::int64_t> sizes;
  for (const std::string& dimension : dimensions(shape)) {
    for (const std::string& symbol : free_symbols(dimension, symbols)) symbols[symbol] = otherwise;
    sizes.push_back(evaluate(dimension, symbols).value_or(otherwise));
  }
  return sizes;
}

std::string shape_difference(const std::string& shape, const std::vector<std::int64_t>& sizes,
                             Symbols& symbols) {
  const std::vector<std::string> declared = dimensions(shape);
  const std::string both = "is " + text_of(sizes) + ", declared is [" + shape + "]";
  if (declared.size() != sizes.size()) return both;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (is_one_symbol(declared[i]) && !symbols.contains(declared[i])) {
      symbols[declared[i]] = sizes[i];
    }
    const auto value = evaluate(declared[i], symbols);
    if (value && *value != sizes[i]) {
      return both + ", where " + declared[i] + " is " + std::to_string(*value);
    }
  }
  return {};
}

}  // namespace retake::plugin
