// SPDX-License-Identifier: Apache-2.0
// docs/errors.md, row by row, on the parser alone: the same rule is named however the octets are cut.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "http/parser.h"
#include "support/protocol_table.h"

namespace gatelab::test {
namespace {

using http::BodyDecoder;
using http::ParseState;

// What the parser says of messages of which more arrives octet by octet.
template <class Head, class Parser, class... Extra>
class Reading {
 public:
  Reading(std::string_view octets, std::size_t step, Extra... extra) : octets_(octets), step_(step), extra_(extra...) {}

  // The next message; false at the end of the octets or after what is broken.
  bool next() {
    if (at_ == octets_.size() || broken_) return false;
    Head head(arena_);
    Parser parser = std::apply([&head](auto... extra) { return Parser(head, extra..., http::Limits{}); }, extra_);
    const std::string_view rest = octets_.substr(at_);
    std::size_t seen = 0;
    ParseState state = ParseState::NeedMore;
    while (state == ParseState::NeedMore && seen < rest.size()) {
      seen = std::min(rest.size(), seen + step_);
      state = parser.parse(rest.substr(0, seen));
    }
    if (state != ParseState::Done) return stop(parser.rule());
    at_ += parser.consumed();
    if constexpr (std::is_same_v<Head, http::ResponseHead>) interim_ = head.status < 200;
    return body(BodyDecoder(head.body, nullptr));
  }
  std::string word() const { return std::string(http::info(rule_).word); }
  bool interim() const { return interim_; }

 private:
  bool stop(http::Rule rule) {
    rule_ = rule;
    broken_ = true;
    return true;
  }
  bool body(BodyDecoder decoder) {
    while (!decoder.done()) {
      if (at_ == octets_.size()) return broken_ = true;
      const auto piece = decoder.next(octets_.substr(at_, step_));
      at_ += piece.consumed;
      if (piece.state == BodyDecoder::State::Failed) return stop(decoder.rule());
      if (piece.state == BodyDecoder::State::Done) break;
    }
    return true;
  }

  std::string_view octets_;
  std::size_t step_;
  std::tuple<Extra...> extra_;
  Arena arena_;
  std::size_t at_ = 0;
  http::Rule rule_ = http::Rule::Ok;
  bool broken_ = false, interim_ = false;
};

// Rules that the parser names itself; the others need a route or a listener's options.
bool is_parsers(const std::string& word) {
  static const std::set<std::string> elsewhere{"bad-path", "encoded-slash", "duplicate-slash", "truncated-body", "connect-not-supported", "trace-not-supported",
                                               "bad-max-forwards", "underscore-field"};
  return elsewhere.count(word) == 0 &&
         std::any_of(http::all_rules().begin(), http::all_rules().end(), [&word](const http::RuleInfo& info) { return info.word == word; });
}

class ParserRow : public testing::TestWithParam<Row> {};

TEST_P(ParserRow, IsReadAsThePageSays) {
  const Row& row = GetParam();
  const std::string octets = row.octets();
  const std::string expected = row.is_response ? (row.rule == "-" ? "ok" : row.rule) : is_parsers(row.reason) ? row.reason : "ok";
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, octets.size()}) {
    std::string word = "ok";
    if (row.is_response) {
      Reading<http::ResponseHead, http::ResponseParser, http::Method> reading(octets, step, http::method_of(row.method()));
      while (reading.next() && reading.interim()) {
      }
      word = reading.word();
    } else {
      Reading<http::RequestHead, http::RequestParser> reading(octets, step);
      while (reading.next()) {
      }
      word = reading.word();
    }
    EXPECT_EQ(word, expected) << "docs/errors.md:" << row.line << ", by " << step;
  }
}

std::vector<Row> rows() { return read_protocol_table(); }

std::string name_of(const testing::TestParamInfo<Row>& info) {
  std::string name = info.param.id;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Page, ParserRow, testing::ValuesIn(rows()), name_of);

TEST(ProtocolTable, CoversBothDirectionsAndNamesEachRowOnce) {
  std::set<std::string> ids;
  std::size_t requests = 0, responses = 0;
  for (const Row& row : rows()) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.id << " stands there twice";
    EXPECT_FALSE(row.section.empty()) << row.id;
    (row.is_response ? responses : requests) += 1;
  }
  EXPECT_GE(requests, 150U);
  EXPECT_GE(responses, 50U);
}

// A rule that no row shows would be a rule that nothing proves.
TEST(ProtocolTable, ShowsEveryRuleOfTheParser) {
  std::set<std::string> shown;
  for (const Row& row : rows()) shown.insert(row.is_response ? row.rule : row.reason);
  // These need an option of the listener.
  for (const char* word : {"duplicate-slash", "underscore-field", "trace-with-body"}) shown.insert(word);
  for (const http::RuleInfo& rule : http::all_rules()) EXPECT_EQ(shown.count(std::string(rule.word)), 1U) << rule.word;
}

}  // namespace
}  // namespace gatelab::test
