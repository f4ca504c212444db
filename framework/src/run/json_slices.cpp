#include "run/json_slices.hpp"

namespace retake::run {
namespace {

class Slicer {
 public:
  explicit Slicer(std::string_view text) : text_(text) {}

  bool run(std::vector<std::pair<std::string_view, std::string_view>>& out) {
    if (!take('{')) return false;
    if (take('}')) return at_end();
    do {
      blank();
      const std::size_t quote = at_;
      if (!skip_string()) return false;
      const std::string_view key = text_.substr(quote + 1, at_ - quote - 2);
      if (!take(':')) return false;
      blank();
      const std::size_t begin = at_;
      if (!skip_value() || at_ == begin) return false;
      out.emplace_back(key, text_.substr(begin, at_ - begin));
    } while (take(','));
    return take('}') && at_end();
  }

 private:
  bool more() const { return at_ < text_.size(); }
  void blank() {
    while (more() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  bool take(char c) {
    blank();
    if (!more() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool at_end() {
    blank();
    return !more();
  }

  bool skip_string() {
    if (!more() || text_[at_] != '"') return false;
    for (++at_; more(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        return true;
      }
    }
    return false;
  }

  /// Up to the comma or bracket that ends the value.
  bool skip_value() {
    std::size_t depth = 0;
    while (more()) {
      const char c = text_[at_];
      if (c == '"') {
        if (!skip_string()) return false;
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') {
        if (depth == 0) return true;
        --depth;
      }
      if (c == ',' && depth == 0) return true;
      ++at_;
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::vector<std::pair<std::string_view, std::string_view>>> slice_json_object(
    std::string_view text) {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  if (!Slicer(text).run(out)) return std::nullopt;
  return out;
}

}  // namespace retake::run
