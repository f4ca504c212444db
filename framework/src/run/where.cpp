#include "run/where.hpp"

#include <algorithm>
#include <charconv>

#include "core/utf8.hpp"
#include "retake/error.hpp"

namespace retake::run {

struct Where::Node {
  enum class Kind { either, both, negated, comparison };
  Kind kind = Kind::comparison;
  std::shared_ptr<const Node> left, right;
  std::string key, operation, literal;
};

namespace {

using Node = Where::Node;
using NodePointer = std::shared_ptr<const Node>;
constexpr int kMaxDepth = 100;

struct Token {
  std::string text;
  std::size_t at = 0;
  bool quoted = false;
  bool end = false;
};

bool is_bare(char c) {
  return static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9') ||
         (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("_./-+*:[]%").find(c) != std::string_view::npos;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { advance(); }

  NodePointer whole() {
    NodePointer node = expression(0);
    if (!token_.end) fail("`and` or `or` is missing here");
    return node;
  }
  std::vector<std::string> keys;

 private:
  [[noreturn]] void fail(const std::string& what) const {
    Diagnostic d;
    d.id = "E610";
    d.message = "--where cannot be understood";
    Place place;
    place.file = "--where";
    place.line = 1;
    place.column = static_cast<int>(count_characters(text_.substr(0, token_.at))) + 1;
    place.length = std::max(1, static_cast<int>(count_characters(token_.text)));
    place.source_line = std::string(text_);
    d.place = std::move(place);
    d.caret = what;
    d.help = "write it like  --where 'tag=ablation and val/edit_f1>0.8'";
    throw UsageError(d);
  }

  void advance() {
    while (next_ < text_.size() && (text_[next_] == ' ' || text_[next_] == '\t')) ++next_;
    token_ = {};
    token_.at = next_;
    if (next_ == text_.size()) {
      token_.end = true;
      return;
    }
    const char c = text_[next_];
    if (c == '"' || c == '\'') {
      const std::size_t close = text_.find(c, next_ + 1);
      if (close == std::string_view::npos) fail("this quote is not closed");
      token_.text = text_.substr(next_ + 1, close - next_ - 1);
      token_.quoted = true;
      next_ = close + 1;
      return;
    }
    std::size_t end = next_;
    if (is_bare(c)) {
      while (end < text_.size() && is_bare(text_[end])) ++end;
    } else {
      const bool two = std::string_view("=!<>").find(c) != std::string_view::npos &&
                       end + 1 < text_.size() && text_[end + 1] == '=';
      end += two ? 2 : 1;
    }
    token_.text = text_.substr(next_, end - next_);
    next_ = end;
  }

  bool take(std::string_view word) {
    if (token_.end || token_.quoted || token_.text != word) return false;
    advance();
    return true;
  }

  NodePointer expression(int depth) {
    NodePointer left = term(depth);
    while (take("or")) left = pair(Node::Kind::either, left, term(depth));
    return left;
  }

  NodePointer term(int depth) {
    NodePointer left = factor(depth);
    while (take("and")) left = pair(Node::Kind::both, left, factor(depth));
    return left;
  }

  static NodePointer pair(Node::Kind kind, NodePointer left, NodePointer right) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->left = std::move(left);
    node->right = std::move(right);
    return node;
  }

  NodePointer factor(int depth) {
    if (depth > kMaxDepth) fail("this is nested too deeply");
    if (take("not")) return pair(Node::Kind::negated, factor(depth + 1), nullptr);
    if (take("(")) {
      NodePointer inner = expression(depth + 1);
      if (!take(")")) fail("`)` is missing here");
      return inner;
    }
    return comparison();
  }

  NodePointer comparison() {
    auto node = std::make_shared<Node>();
    if (token_.end) fail("a condition is missing here");
    if (!token_.quoted && !is_bare(token_.text[0])) fail("a name is expected here");
    node->key = token_.text;
    advance();
    node->operation = token_.quoted ? "" : token_.text;
    if (node->operation == "==") node->operation = "=";
    const auto& o = node->operation;
    if (o != "=" && o != "!=" && o != "<" && o != "<=" && o != ">" && o != ">=") {
      fail("one of = != < <= > >= is expected here");
    }
    advance();
    if (token_.end || (!token_.quoted && !is_bare(token_.text[0])))
      fail("a value is expected here");
    node->literal = token_.text;
    advance();
    if (std::find(keys.begin(), keys.end(), node->key) == keys.end()) keys.push_back(node->key);
    return node;
  }

  std::string_view text_;
  std::size_t next_ = 0;
  Token token_;
};

std::optional<double> as_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class T>
bool ordered(const T& a, const T& b, const std::string& operation) {
  if (operation == "=") return a == b;
  if (operation == "!=") return a != b;
  if (operation == "<") return a < b;
  if (operation == "<=") return a <= b;
  if (operation == ">") return a > b;
  return a >= b;
}

bool compare(const Value& value, const Node& node) {
  if (value.is_array()) {
    const Array& items = value.as_array();
    const auto fits = [&](const Value& item) {
      Node equal = node;
      if (equal.operation == "!=") equal.operation = "=";
      return compare(item, equal);
    };
    const bool any = std::any_of(items.begin(), items.end(), fits);
    return node.operation == "!=" ? !any : any;
  }
  if (value.is_number()) {
    const auto literal = as_number(node.literal);
    return literal ? ordered(value.as_double(), *literal, node.operation) : node.operation == "!=";
  }
  if (value.is_string()) return ordered(value.as_string(), node.literal, node.operation);
  if (value.is_bool()) {
    const std::string text = value.as_bool() ? "true" : "false";
    return node.operation == "=" ? text == node.literal
                                 : node.operation == "!=" && text != node.literal;
  }
  return node.operation == "!=";
}

bool holds(const Node& node, const Where::Lookup& lookup) {
  switch (node.kind) {
    case Node::Kind::either:
      return holds(*node.left, lookup) || holds(*node.right, lookup);
    case Node::Kind::both:
      return holds(*node.left, lookup) && holds(*node.right, lookup);
    case Node::Kind::negated:
      return !holds(*node.left, lookup);
    case Node::Kind::comparison:
      break;
  }
  const auto value = lookup(node.key);
  return value && compare(*value, node);
}

}  // namespace

Where Where::parse(std::string_view text) {
  Parser parser(text);
  Where where;
  where.root_ = parser.whole();
  where.keys_ = std::move(parser.keys);
  return where;
}

bool Where::matches(const Lookup& lookup) const {
  return holds(*root_, lookup);
}

}  // namespace retake::run
