// SPDX-License-Identifier: Apache-2.0
// The syntax tree of a JSONPath (RFC 9535 §2). Private to path*.cc and path_evaluate.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "json/document.h"
#include "json/path.h"

namespace re2 {
class RE2;
}

namespace gatelab::json {

namespace path {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Name { std::string name; };
struct Wildcard {};
struct Index { std::int64_t index; };
struct Slice { std::optional<std::int64_t> start, end; std::int64_t step = 1; };
struct Filter { ExpressionPtr condition; };
using Selector = std::variant<Name, Wildcard, Index, Slice, Filter>;

struct Segment {
  bool descendant = false;
  std::vector<Selector> selectors;
};

enum class Function : std::uint8_t { Length, Count, Match, Search, Value };
enum class Operator : std::uint8_t { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual };

// A scalar: a string without its quotes and escapes, a number as written, true, false, null.
struct Literal {
  Kind kind = Kind::Null;
  std::string text;
};
struct SubQuery { bool relative = true; std::unique_ptr<Path::Query> query; };
struct Call {
  Function function = Function::Length;
  std::vector<ExpressionPtr> arguments;
  std::shared_ptr<re2::RE2> regex;  // when the pattern is a literal
};
struct Compare { Operator op = Operator::Equal; ExpressionPtr left, right; };
struct And { std::vector<ExpressionPtr> all; };
struct Or { std::vector<ExpressionPtr> any; };
struct Not { ExpressionPtr what; };

struct Expression {
  std::variant<Literal, SubQuery, Call, Compare, And, Or, Not> node;
};

// An I-Regexp (RFC 9485) as RE2; null if it is not one.
enum class From : std::uint8_t { Path, Document };  // one of a document gets little memory
std::shared_ptr<re2::RE2> compile_regex(const std::string& pattern, bool whole, From from = From::Path);

}  // namespace path

struct Path::Query {
  std::vector<path::Segment> segments;
  bool singular() const noexcept;
};

}  // namespace gatelab::json
