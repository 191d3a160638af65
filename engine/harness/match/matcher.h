// SPDX-License-Identifier: Apache-2.0
// The one rule of matching everywhere in scenarios and stubs (docs/scenarios.md): a scalar means equal, a bare list means
// equals, a map means predicates. Immutable once parsed; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/reader.h"
#include "harness/match/json_path.h"

namespace gatelab::harness {

// How scalars of the file are read and compared.
enum class Dimension : std::uint8_t {
  Json,      // typed: 1 is not "1"
  Text,      // as text: headers, bodies, words
  Duration,  // with units; the value is nanoseconds
};

// What is matched: a value, or nothing (an absent header, a path that selects nothing).
using Value = std::optional<nlohmann::json>;

// Null, or what is wrong: "got 200".
struct Mismatch {
  std::string got;
  diag::Span span;      // of the predicate that failed
  bool undecided = false; // nothing was there for `each` to look at, or too much for `schema`: `not` of that is no match either
};

class Matcher {
 public:
  // Reports; null if the node was wrong.
  static std::shared_ptr<const Matcher> parse(const config::Node& node, Dimension dimension, diag::Sink& sink, const std::string& what);
  std::optional<Mismatch> match(const Value& value) const;
  const diag::Span& span() const noexcept { return span_; }

  struct Predicate;

 private:
  std::vector<std::shared_ptr<const Predicate>> all_;
  Dimension dimension_ = Dimension::Json;
  diag::Span span_;
};
using MatcherPtr = std::shared_ptr<const Matcher>;

// `json:` of an expectation or stub: JSONPaths with what they must select. A path that can select several values is
// matched as the list of them.
struct JsonExpectation {
  struct Line {
    std::string text;
    JsonPath path;
    diag::Span span;
    MatcherPtr matcher;
  };
  std::vector<Line> lines;
};
JsonExpectation parse_json_expectation(const config::Node& node, diag::Sink& sink, const std::string& what);
std::optional<Mismatch> match_json(const JsonExpectation& expected, const nlohmann::json& body);

// A located node as a JSON value, typed as YAML says.
nlohmann::json to_json_value(const config::Node& node);
// For messages: text bare, everything else as JSON, cut short.
std::string shown(const Value& value, Dimension dimension);

}  // namespace gatelab::harness
