// SPDX-License-Identifier: Apache-2.0
#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "json/path_ast.h"
#include "json/text.h"

namespace gatelab::json {
namespace {

using namespace path;

constexpr int kMaxDepth = 64;
constexpr std::int64_t kMaxInteger = 9'007'199'254'740'991;  // RFC 9535 §2.1: I-JSON

struct Syntax {
  std::string what;
  std::size_t at;
};

// A recursive descent over RFC 9535's grammar. Fails by setting `error_`, after which everything returns at once.
class Parser {
 public:
  explicit Parser(std::string_view text) noexcept : text_(text) {}

  std::unique_ptr<Path::Query> whole() {
    if (!take('$')) return fail("a path begins with $");
    auto query = segments();
    if (!error_ && at_ != text_.size()) fail("nothing more was expected");
    return error_ ? nullptr : std::move(query);
  }
  const std::optional<Syntax>& error() const noexcept { return error_; }

 private:
  std::nullptr_t fail(std::string what) {
    if (!error_) error_ = Syntax{std::move(what), at_};
    return nullptr;
  }
  bool more() const noexcept { return !error_ && at_ < text_.size(); }
  char peek(std::size_t ahead = 0) const noexcept { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool take(char c) noexcept {
    if (!more() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view s) noexcept {
    if (error_ || text_.substr(at_, s.size()) != s) return false;
    at_ += s.size();
    return true;
  }
  void blank() noexcept {
    while (more() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) ++at_;
  }
  static bool name_first(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
  static bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

  std::unique_ptr<Path::Query> segments() {
    auto query = std::make_unique<Path::Query>();
    for (;;) {
      const std::size_t before = at_;
      blank();
      Segment segment;
      if (take("..")) {
        segment.descendant = true;
        if (take('[')) selectors(segment);
        else shorthand(segment);
      } else if (take('.')) {
        shorthand(segment);
      } else if (take('[')) {
        selectors(segment);
      } else {
        at_ = before;
        return query;
      }
      if (error_) return nullptr;
      query->segments.push_back(std::move(segment));
    }
  }

  void shorthand(Segment& segment) {
    if (take('*')) {
      segment.selectors.emplace_back(Wildcard{});
      return;
    }
    const std::size_t begin = at_;
    if (!name_first(peek())) return void(fail("a name or * was expected"));
    while (name_first(peek()) || digit(peek())) ++at_;
    segment.selectors.emplace_back(Name{std::string(text_.substr(begin, at_ - begin))});
  }

  void selectors(Segment& segment) {
    do {
      blank();
      selector(segment);
      blank();
    } while (take(','));
    if (!error_ && !take(']')) fail("] or , was expected");
  }

  void selector(Segment& segment) {
    if (peek() == '\'' || peek() == '"') {
      if (auto name = quoted()) segment.selectors.emplace_back(Name{std::move(*name)});
    } else if (take('*')) {
      segment.selectors.emplace_back(Wildcard{});
    } else if (take('?')) {
      blank();
      segment.selectors.emplace_back(Filter{logical_or()});
    } else {
      index_or_slice(segment);
    }
  }

  std::optional<std::int64_t> integer() {
    const std::size_t begin = at_;
    if (peek() == '-') ++at_;
    const std::size_t first = at_;
    while (digit(peek())) ++at_;
    if (at_ == first) {
      at_ = begin;
      return std::nullopt;
    }
    const std::string_view digits = text_.substr(begin, at_ - begin);
    if ((text_[first] == '0' && at_ - first > 1) || digits == "-0") return fail("a number has no leading zero"), std::nullopt;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || value > kMaxInteger || value < -kMaxInteger) return fail("the number is too large"), std::nullopt;
    return value;
  }

  void index_or_slice(Segment& segment) {
    Slice slice;
    slice.start = integer();
    const std::size_t after = at_;
    blank();
    if (!take(':')) {
      at_ = after;
      if (!slice.start) return void(fail("a selector was expected: a name in quotes, an index, a slice, * or ?"));
      segment.selectors.emplace_back(Index{*slice.start});
      return;
    }
    blank();
    slice.end = integer();
    const std::size_t end = at_;
    blank();
    if (take(':')) {
      blank();
      if (const auto step = integer()) slice.step = *step;
    } else {
      at_ = end;
    }
    segment.selectors.emplace_back(slice);
  }

  // RFC 9535 §2.3.1: single or double quotes, JSON's escapes.
  std::optional<std::string> quoted() {
    const char quote = text_[at_++];
    std::string json = "\"";
    while (more() && peek() != quote) {
      const char c = text_[at_++];
      if (static_cast<unsigned char>(c) < 0x20) return fail("a control octet stands in a string"), std::nullopt;
      if (c == '"') json += "\\\"";
      else if (c != '\\') json += c;
      else if (peek() == quote) json += quote == '"' ? "\\\"" : std::string(1, quote), ++at_;
      else if (peek() == '\'' || peek() == '"') return fail("this quote is not escaped here"), std::nullopt;
      else json += '\\', json += more() ? text_[at_++] : ' ';
    }
    if (!take(quote)) return fail("the string has no end"), std::nullopt;
    bool escaped = false;
    const std::size_t size = json.size() - 1;
    if (string_size(std::string_view(json += '"').substr(1), escaped) != size) return fail("the string has a wrong escape"), std::nullopt;
    return unescaped(std::string_view(json).substr(1, size));
  }

  struct Deeper {
    explicit Deeper(int& d) noexcept : depth(++d) {}
    ~Deeper() { --depth; }
    int& depth;
  };

  ExpressionPtr logical_or() {
    const Deeper deeper(depth_);
    if (depth_ > kMaxDepth) return fail("the filter is nested too deep");
    Or any;
    do {
      blank();
      any.any.push_back(logical_and());
      blank();
    } while (take("||"));
    if (any.any.size() == 1) return std::move(any.any.front());
    return make(std::move(any));
  }

  ExpressionPtr logical_and() {
    And all;
    do {
      blank();
      all.all.push_back(basic());
      blank();
    } while (take("&&"));
    if (all.all.size() == 1) return std::move(all.all.front());
    return make(std::move(all));
  }

  ExpressionPtr basic() {
    const bool negated = peek() == '!' && peek(1) != '=';
    if (negated) ++at_;
    blank();
    ExpressionPtr what;
    if (take('(')) {
      what = logical_or();
      blank();
      if (!error_ && !take(')')) return fail(") was expected");
    } else {
      const std::size_t begin = at_;
      what = comparable();
      if (error_) return nullptr;
      const std::size_t after = at_;
      blank();
      if (const auto op = comparison()) {
        if (negated) return fail("! stands before a comparison: put it in parentheses");
        return compare(*op, std::move(what), begin);
      }
      at_ = after;
      if (!is_test(*what)) {
        at_ = begin;
        return fail("a comparison or a test was expected");
      }
    }
    if (!negated || error_) return what;
    return make(Not{std::move(what)});
  }

  // What can stand alone: a query (does it select anything?) or a function with a truth value.
  static bool is_test(const Expression& e) noexcept {
    if (std::holds_alternative<SubQuery>(e.node)) return true;
    const Call* call = std::get_if<Call>(&e.node);
    return call != nullptr && (call->function == Function::Match || call->function == Function::Search);
  }
  // What can be compared: a literal, a singular query, a function with a value.
  static bool is_value(const Expression& e) noexcept {
    if (const auto* sub = std::get_if<SubQuery>(&e.node)) return sub->query->singular();
    if (const Call* call = std::get_if<Call>(&e.node)) return call->function != Function::Match && call->function != Function::Search;
    return std::holds_alternative<Literal>(e.node);
  }

  std::optional<Operator> comparison() noexcept {
    if (take("==")) return Operator::Equal;
    if (take("!=")) return Operator::NotEqual;
    if (take("<=")) return Operator::LessEqual;
    if (take(">=")) return Operator::GreaterEqual;
    if (take("<")) return Operator::Less;
    if (take(">")) return Operator::Greater;
    return std::nullopt;
  }

  ExpressionPtr compare(Operator op, ExpressionPtr left, std::size_t begin) {
    blank();
    const std::size_t right_at = at_;
    ExpressionPtr right = comparable();
    if (error_) return nullptr;
    if (!is_value(*left)) at_ = begin;
    else if (!is_value(*right)) at_ = right_at;
    else return make(Compare{op, std::move(left), std::move(right)});
    return fail("only single values can be compared");
  }

  ExpressionPtr comparable() {
    if (peek() == '@' || peek() == '$') {
      SubQuery sub;
      sub.relative = text_[at_++] == '@';
      const Deeper deeper(depth_);
      if (depth_ > kMaxDepth) return fail("the filter is nested too deep");
      sub.query = segments();
      return error_ ? nullptr : make(std::move(sub));
    }
    if (peek() == '\'' || peek() == '"') {
      auto text = quoted();
      return text ? make(Literal{Kind::String, std::move(*text)}) : nullptr;
    }
    if (digit(peek()) || peek() == '-') return number();
    const std::size_t begin = at_;
    while ((peek() >= 'a' && peek() <= 'z') || peek() == '_' || digit(peek())) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (peek() == '(') return call(word, begin);
    if (word == "true" || word == "false") return make(Literal{Kind::Bool, std::string(word)});
    if (word == "null") return make(Literal{Kind::Null, {}});
    at_ = begin;
    return fail("a value was expected");
  }

  ExpressionPtr number() {
    const std::string_view rest = text_.substr(at_);
    const std::size_t size = number_size(rest);
    if (size == 0 || (size < rest.size() && digit(rest[size]))) return fail("this is not a number");
    at_ += size;
    return make(Literal{Kind::Number, std::string(rest.substr(0, size))});
  }

  ExpressionPtr call(std::string_view name, std::size_t begin) {
    constexpr std::string_view kNames[] = {"length", "count", "match", "search", "value"};
    const auto known = std::find(std::begin(kNames), std::end(kNames), name);
    if (known == std::end(kNames)) {
      at_ = begin;
      return fail("there is no function `" + std::string(name) + "`: length, count, match, search, value");
    }
    Call out;
    out.function = static_cast<Function>(known - std::begin(kNames));
    ++at_;
    const Deeper deeper(depth_);
    if (depth_ > kMaxDepth) return fail("the filter is nested too deep");
    blank();
    if (peek() != ')') {
      do {
        blank();
        out.arguments.push_back(comparable());
        blank();
      } while (take(','));
    }
    if (!error_ && !take(')')) return fail(") or , was expected");
    return error_ ? nullptr : checked(std::move(out), begin);
  }

  // RFC 9535 §2.4.3: well-typedness.
  ExpressionPtr checked(Call call, std::size_t begin) {
    const bool regex = call.function == Function::Match || call.function == Function::Search;
    const bool nodes = call.function == Function::Count || call.function == Function::Value;
    bool fine = call.arguments.size() == (regex ? 2U : 1U);
    for (const ExpressionPtr& argument : call.arguments)
      fine = fine && (nodes ? std::holds_alternative<SubQuery>(argument->node) : is_value(*argument));
    if (!fine) {
      at_ = begin;
      return fail(nodes ? "the function takes one query" : regex ? "the function takes two single values" : "the function takes one single value");
    }
    if (regex)
      if (const auto* literal = std::get_if<Literal>(&call.arguments[1]->node))
        if (literal->kind == Kind::String) call.regex = compile_regex(literal->text, call.function == Function::Match);
    return make(std::move(call));
  }

  template <class T>
  static ExpressionPtr make(T node) {
    auto out = std::make_unique<Expression>();
    out->node = std::move(node);
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::optional<Syntax> error_;
};

}  // namespace

namespace path {

// RFC 9485 §5.3: a dot takes everything but line ends, of which RE2 knows only one.
static std::string dots_of(const std::string& pattern) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      out.append({c, pattern[++i]});
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    if (c == '.' && !in_class) out += "[^\\n\\r]";
    else out += c;
  }
  return out;
}

std::shared_ptr<re2::RE2> compile_regex(const std::string& pattern, bool whole, From from) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(from == From::Path ? 1 << 20 : 1 << 16);
  const std::string translated = dots_of(pattern);
  auto regex = std::make_shared<re2::RE2>(whole ? "^(?:" + translated + ")$" : translated, options);
  return regex->ok() ? regex : nullptr;
}

}  // namespace path

bool Path::Query::singular() const noexcept {
  return std::all_of(segments.begin(), segments.end(), [](const path::Segment& s) {
    return !s.descendant && s.selectors.size() == 1 &&
           (std::holds_alternative<path::Name>(s.selectors[0]) || std::holds_alternative<path::Index>(s.selectors[0]));
  });
}

bool Path::singular() const noexcept { return query_->singular(); }

Result<Path> Path::compile(std::string_view text) {
  if (text.size() > 4096) return gatelab::fail("bad-path", "the JSONPath is longer than 4096 octets");
  Parser parser(text);
  std::shared_ptr<const Query> query = parser.whole();
  if (query) return Path(std::move(query));
  return gatelab::fail("bad-jsonpath", "`" + std::string(text) + "` is not a JSONPath: " + parser.error()->what + ", at octet " + std::to_string(parser.error()->at + 1));
}

}  // namespace gatelab::json
