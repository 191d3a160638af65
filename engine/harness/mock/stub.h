// SPDX-License-Identifier: Apache-2.0
// A stub: which requests a mock answers, and how. Immutable once parsed; any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/match/matcher.h"
#include "harness/mock/stream_reply.h"

namespace gatelab::harness {

// A request as it reached a mock, or as a scenario sent it.
struct SeenRequest {
  std::string upstream, target;  // the mock's
  std::string method, path, query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string request_id;
  std::string proxied;  // "v1 203.0.113.9:4711": of the connection's PROXY header; empty: it had none
  std::string certificate;  // subject of the one that the connection's client showed; empty: none
  bool matched = false;
  std::string near_miss;  // of one that no stub answers: what comes nearest
  std::vector<std::string> misses;  // and every stub, nearest first, with what the request lacks for it
};

// A message of a WebSocket that reached a mock.
struct SeenMessage {
  std::string upstream, request_id;
  http::websocket::Message message;
};

// What to look for in a request: `when:` of stubs and `upstream.request:` of expectations.
struct RequestMatcher {
  std::string method;  // empty: any
  std::string path;    // empty: any; without query
  bool path_pattern = false;  // its {segments} and a /* at its end mean what they mean in a route's `match`
  std::string query;   // exact, when the line names one
  bool has_query = false;
  std::vector<std::pair<std::string, MatcherPtr>> headers, parameters;
  MatcherPtr method_matcher, path_matcher, body;
  JsonExpectation json;
};

struct Reply {
  std::uint16_t status = 200;
  std::vector<std::pair<std::string, std::string>> headers, trailers;
  std::string body;
  std::optional<std::string> raw;  // octets instead of all of the above
  bool echo = false;      // the body says what the request was
  bool chunked = false;
  bool close = false;     // after the answer
  Duration delay{};
  Duration delay_p99{};  // not zero: `delay` is the median of a log-normal distribution, this its 99th percentile
  std::optional<Pieces> pieces;             // instead of a body
  std::optional<WebsocketReply> websocket;  // instead of everything but `delay`
  std::function<std::shared_ptr<const Reply>(const SeenRequest&)> make;  // asked each time, instead of all of the above; on the mocks' loop
};

// What becomes of the connection instead of an answer; Truncate: after half of the answer's body.
enum class StubFault : std::uint8_t { None, Reset, Close, Stall, Truncate };

// A mock may be in a state, which its stubs ask for and change: in several at once, each with a name of its own.
struct StubState {
  static constexpr std::string_view kFirst = "start";
  std::string of;    // which of them; empty: the one without a name
  std::string is;    // the stub answers in this state alone; empty: in any
  std::string then;  // and leads to this one; empty: to none
  diag::Span span;   // of `is`
};

struct Stub {
  std::string target;  // whose it is; empty: of all the upstream's targets
  RequestMatcher when;
  Reply reply;
  std::uint32_t number = 0;  // in its upstream's list
  std::uint32_t times = 0;   // how often it answers; 0: always
  std::optional<StubState> state;
  StubFault fault = StubFault::None;
  diag::Span span;
  bool recorded = false;  // of a recording: `span` is not in the scenario
};

// "GET /path?x=1": method and target. False, reported, if it is not that.
bool parse_request_line(const config::Node& node, diag::Sink& sink, std::string& method, std::string& path, std::string& query, bool& has_query);
// `reply:` of a stub. Reports.
Reply parse_reply(const config::Node& node, diag::Sink& sink);
// A list of stubs, or `{ targets: { primary: [ … ], backup: [ … ] } }`. Reports.
std::vector<Stub> parse_stubs(const config::Node& node, diag::Sink& sink, const std::string& upstream);
// `request:` of an expectation: method, path, headers, query, json, body.
RequestMatcher parse_request_matcher(const config::Node& node, diag::Sink& sink, const std::string& what);

// How far a request fits: the first thing that doesn't.
struct Fit {
  bool fits = false;
  int score = 0;  // how much did, for near misses
  std::string why;
  diag::Span span;
};
Fit fit(const RequestMatcher& matcher, const SeenRequest& request);

// Header `name` as a value to match: absent, one text, or a list of texts.
Value header_value(const std::vector<std::pair<std::string, std::string>>& headers, std::string_view name);

}  // namespace gatelab::harness
