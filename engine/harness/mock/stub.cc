// SPDX-License-Identifier: Apache-2.0
#include "harness/mock/stub.h"

#include <algorithm>

#include "base/text.h"
#include "config/json.h"
#include "harness/match/json_text.h"
#include "harness/mock/filled.h"
#include "http/fields.h"
#include "http/uri.h"

namespace gatelab::harness {
namespace {

void parse_fields(std::vector<std::pair<std::string, std::string>>& out, const config::Node* node, diag::Sink& sink, const std::string& what) {
  if (node == nullptr) return;
  if (node->kind != config::Kind::Map) return sink.error("wrong-type", node->span, what + " must be a map of names to values");
  for (const config::Entry& entry : node->entries) {
    if (!http::is_token(entry.key)) {
      sink.error("bad-header", entry.key_span, "`" + entry.key + "` is not a header name");
      continue;
    }
    const auto add = [&](const config::Node& value) {
      if (value.kind == config::Kind::Map || value.kind == config::Kind::List || !http::is_field_value(value.text))
        sink.error("bad-header-value", value.span, "the value of `" + entry.key + "` can't be sent");
      else
        out.emplace_back(entry.key, value.text);
    };
    if (entry.value->kind != config::Kind::List) add(*entry.value);
    else
      for (const config::Node& item : entry.value->items) add(item);
  }
}

void parse_matchers(std::vector<std::pair<std::string, MatcherPtr>>& out, const config::Node* node, diag::Sink& sink, const std::string& what) {
  if (node == nullptr) return;
  if (node->kind != config::Kind::Map) return sink.error("wrong-type", node->span, what + " must be a map of names to matchers");
  for (const config::Entry& entry : node->entries)
    if (auto m = Matcher::parse(*entry.value, Dimension::Text, sink, "`" + entry.key + "` of " + what)) out.emplace_back(entry.key, std::move(m));
}

// As a route reads it: {name} is any segment, /* at the end whatever follows, and nothing too.
bool pattern_fits(std::string_view pattern, std::string_view path) noexcept {
  const auto segment = [](std::string_view& rest) {
    const std::size_t end = rest.find('/', 1);
    const std::string_view out = rest.substr(1, end == std::string_view::npos ? end : end - 1);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
    return out;
  };
  if (!path.starts_with('/')) return false;
  while (!pattern.empty()) {
    if (pattern == "/*") return true;
    if (path.empty()) return false;
    const std::string_view want = segment(pattern), have = segment(path);
    if (want.starts_with('{') ? have.empty() : want != have) return false;
  }
  return path.empty();
}

// Of a stub's request line.
void parse_pattern(RequestMatcher& out, const config::Node& node, diag::Sink& sink) {
  if (out.path.find_first_of("*{}") == std::string::npos || !out.path.starts_with('/')) return;
  out.path_pattern = true;
  std::string_view rest = out.path;
  bool fine = true;
  while (!rest.empty()) {
    const std::size_t end = rest.find('/', 1);
    const std::string_view segment = rest.substr(1, end == std::string_view::npos ? end : end - 1);
    const bool parameter = segment.size() > 2 && segment.starts_with('{') && segment.ends_with('}') && segment.find_first_of("*{}", 1) == segment.size() - 1;
    const bool wildcard = segment == "*" && end == std::string_view::npos;
    fine = fine && (parameter || wildcard || segment.find_first_of("*{}") == std::string_view::npos);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  }
  if (!fine) sink.error("bad-path-template", node.span, "`" + out.path + "`: a parameter is a whole segment, and * the last one", "GET /orders/{id}, GET /orders/*, or path: { matches: ^/orders/[0-9]+$ }");
}

RequestMatcher parse_when(const config::Node& node, diag::Sink& sink) {
  RequestMatcher out;
  if (node.kind != config::Kind::Map) {
    if (parse_request_line(node, sink, out.method, out.path, out.query, out.has_query)) parse_pattern(out, node, sink);
    return out;
  }
  config::Reader r(node, sink, "`when`");
  const config::Node* line = r.get("request");
  if (line != nullptr && parse_request_line(*line, sink, out.method, out.path, out.query, out.has_query)) parse_pattern(out, *line, sink);
  parse_matchers(out.headers, r.get("headers"), sink, "`headers` of `when`");
  parse_matchers(out.parameters, r.get("query"), sink, "`query` of `when`");
  if (const config::Node* path = r.get("path")) out.path_matcher = Matcher::parse(*path, Dimension::Text, sink, "`path` of `when`");
  if (const config::Node* json = r.get("json")) out.json = parse_json_expectation(*json, sink, "`json` of `when`");
  if (const config::Node* body = r.get("body")) out.body = Matcher::parse(*body, Dimension::Text, sink, "`body` of `when`");
  r.finish();
  return out;
}

}  // namespace

namespace {

// A text, or so many octets.
std::string parse_body(const config::Node& node, diag::Sink& sink) {
  if (node.kind != config::Kind::Map) return config::as_text(node, sink, "`body` of `reply`").value_or("");
  config::Reader r(node, sink, "`body` of `reply`");
  r.require("size");
  const ByteSize size = r.size("size", {});
  const bool fine = size.bytes <= 64 * 1024 * 1024;
  std::string out = !fine ? std::string() : r.get("of") != nullptr ? filled_body(r, size.bytes) : std::string(size.bytes, 'x');
  r.finish();
  if (fine) return out;
  sink.error("out-of-range", r.span_of("size"), "a body of a scenario has at most 64MiB");
  return {};
}

void parse_delays(Reply& reply, const config::Node& node, diag::Sink& sink) {
  config::Reader r(node, sink, "`delay` of `reply`");
  r.require("p50");
  r.require("p99");
  reply.delay = r.duration("p50", Duration{});
  reply.delay_p99 = r.duration("p99", Duration{});
  r.finish();
  if (reply.delay_p99 != Duration{} && reply.delay_p99 < reply.delay) sink.error("out-of-range", r.span_of("p99"), "`p99` is less than `p50`", "delay: { p50: 8ms, p99: 40ms }");
}

}  // namespace

Reply parse_reply(const config::Node& node, diag::Sink& sink) {
  Reply reply;
  config::Reader r(node, sink, "`reply`");
  reply.status = static_cast<std::uint16_t>(r.integer("status", 200, 200, 999));
  std::string type;
  if (const config::Node* json = r.get("json")) {
    reply.body = config::to_json(*json);
    type = "application/json";
  }
  if (const config::Node* body = r.get("body")) {
    if (!type.empty()) sink.error("two-bodies", r.key_span("body"), "a reply has one body: `json`, `body` or `echo`");
    reply.body = parse_body(*body, sink);
    type = "text/plain; charset=utf-8";
  }
  if (auto raw = r.text("raw")) {
    reply.raw = std::move(*raw);
    for (const std::string_view key : {"status", "headers", "json", "body", "echo", "trailers", "chunked"})
      if (node.entry(key) != nullptr) sink.error("raw-alone", r.key_span(key), "`raw` is the whole answer: `" + std::string(key) + "` has no place beside it");
  }
  reply.echo = r.boolean("echo", false);
  if (reply.echo) {
    if (!type.empty()) sink.error("two-bodies", r.key_span("echo"), "a reply has one body: `json`, `body` or `echo`");
    type = "application/json";
  }
  std::string streamed;
  reply.pieces = parse_pieces(r, sink, streamed);
  if (reply.pieces && !type.empty()) sink.error("two-bodies", r.key_span("events"), "a reply has one body: what it streams is it");
  if (reply.pieces) type = streamed;
  reply.websocket = parse_websocket_reply(r, sink);
  if (reply.websocket && (!type.empty() || r.get("status") != nullptr)) sink.error("two-bodies", r.key_span("websocket"), "`websocket` is the whole reply: status and body have no place beside it");
  parse_fields(reply.headers, r.get("headers"), sink, "`headers` of `reply`");
  parse_fields(reply.trailers, r.get("trailers"), sink, "`trailers` of `reply`");
  reply.chunked = r.boolean("chunked", !reply.trailers.empty());
  reply.close = r.boolean("close", false);
  if (const config::Node* delay = r.get("delay")) {
    if (delay->kind == config::Kind::Map) parse_delays(reply, *delay, sink);
    else reply.delay = config::as_duration(*delay, sink, "`delay` of `reply`").value_or(Duration{});
  }
  r.not_supported("script", "replies are written out");
  r.elsewhere("text", "write body: …");
  r.finish();
  const bool typed = std::any_of(reply.headers.begin(), reply.headers.end(), [](const auto& h) { return iequals(h.first, "content-type"); });
  if (!type.empty() && !typed) reply.headers.emplace_back("Content-Type", type);
  return reply;
}

bool parse_request_line(const config::Node& node, diag::Sink& sink, std::string& method, std::string& path, std::string& query, bool& has_query) {
  const auto text = config::as_text(node, sink, "the request");
  if (!text) return false;
  const std::size_t space = text->find(' ');
  const std::string target = space == std::string::npos ? "" : text->substr(space + 1);
  method = text->substr(0, space);
  if (!http::is_token(method) || target.empty() || (target.front() != '/' && target != "*") || target.find(' ') != std::string::npos) {
    sink.error("bad-request", node.span, "`" + *text + "` is not a request", "write a method and a path: GET /orders/1");
    return false;
  }
  const std::size_t mark = target.find('?');
  path = target.substr(0, mark);
  has_query = mark != std::string::npos;
  query = has_query ? target.substr(mark + 1) : "";
  return true;
}

namespace {

std::optional<StubState> parse_state(config::Reader& of_stub, diag::Sink& sink) {
  const config::Node* node = of_stub.get("state");
  if (node == nullptr) return std::nullopt;
  StubState out;
  config::Reader r(*node, sink, "`state` of a stub");
  for (const auto& [key, into] : {std::pair{"of", &out.of}, std::pair{"is", &out.is}, std::pair{"then", &out.then}}) {
    const auto text = r.text(key);
    if (text && text->empty()) sink.error("bad-value", r.span_of(key), "`" + std::string(key) + "` of a state is a name", "state: { is: start, then: paid }");
    *into = text.value_or("");
  }
  out.span = r.span_of("is");
  r.finish();
  if (node->kind == config::Kind::Map && node->find("is") == nullptr && node->find("then") == nullptr) sink.error("missing-key", node->span, "`state` of a stub needs `is`, `then` or both", "state: { is: start, then: paid }");
  return out;
}

// The whole answer is the fault's, but for one that breaks off in the middle of it.
StubFault parse_fault(config::Reader& r, diag::Sink& sink, const Reply& reply, bool has_reply) {
  const config::Node* node = r.get("fault");
  if (node == nullptr) return StubFault::None;
  const auto chosen = config::as_choice(*node, sink, "`fault` of a stub", {"reset", "close", "stall", "truncate"});
  if (!chosen) return StubFault::None;
  const auto fault = static_cast<StubFault>(*chosen + 1);
  const bool whole = reply.body.empty() || reply.echo || reply.raw || reply.pieces || reply.websocket || reply.chunked || reply.status == 204 || reply.status == 304;
  if (fault == StubFault::Truncate && whole) sink.error("bad-value", r.span_of("fault"), "`truncate` breaks off in the middle of a `json` or `body` of known length, that is not chunked and no 204 or 304", "fault: close ends the connection without a reply");
  if (has_reply && fault != StubFault::Truncate) sink.error("two-answers", r.key_span("reply"), "a stub with this fault never replies", "remove `reply`, or write fault: truncate");
  return fault;
}

Stub parse_stub(const config::Node& item, diag::Sink& sink, const std::string& upstream) {
  config::Reader r(item, sink, "stub of `" + upstream + "`");
  Stub stub;
  stub.span = item.span;
  if (const config::Node* when = r.require("when")) {
    stub.when = parse_when(*when, sink);
    stub.span = r.key_span("when");
    stub.span.end = when->kind == config::Kind::Map ? stub.span.end : when->span.end;
  }
  const config::Node* reply = item.entry("fault") != nullptr ? r.get("reply") : r.require("reply");
  if (reply != nullptr) stub.reply = parse_reply(*reply, sink);
  stub.fault = parse_fault(r, sink, stub.reply, reply != nullptr);
  stub.times = static_cast<std::uint32_t>(r.integer("times", 0, 1, 1'000'000));
  stub.state = parse_state(r, sink);
  r.finish();
  return stub;
}

// A state that nothing leads to: its stub would never answer.
void check_states(const std::vector<Stub>& stubs, diag::Sink& sink) {
  for (const Stub& stub : stubs) {
    if (!stub.state || stub.state->is.empty() || stub.state->is == StubState::kFirst) continue;
    const auto leads = [&stub](const Stub& other) { return other.state && other.state->of == stub.state->of && other.state->then == stub.state->is && other.state->is != other.state->then; };
    if (std::any_of(stubs.begin(), stubs.end(), leads)) continue;
    std::vector<std::string_view> known{StubState::kFirst};
    for (const Stub& other : stubs)
      if (other.state && other.state->of == stub.state->of && !other.state->then.empty() && other.state->then != stub.state->is) known.push_back(other.state->then);
    const std::string_view near = diag::nearest(stub.state->is, known);
    sink.error("unknown-name", stub.state->span, "no stub leads to the state `" + stub.state->is + "`", near.empty() ? "one needs state: { then: " + stub.state->is + " }; it begins as `start`" : "did you mean `" + std::string(near) + "`?");
  }
}

std::vector<Stub> parse_list(const config::Node& node, diag::Sink& sink, const std::string& upstream) {
  std::vector<Stub> out;
  if (node.kind != config::Kind::List || node.items.empty()) {
    sink.error("wrong-type", node.span, "the mock of `" + upstream + "` must be a list of stubs", "- { when: GET /orders, reply: { json: [] } }");
    return out;
  }
  for (const config::Node& item : node.items) out.push_back(parse_stub(item, sink, upstream));
  return out;
}

}  // namespace

std::vector<Stub> parse_stubs(const config::Node& node, diag::Sink& sink, const std::string& upstream) {
  std::vector<Stub> out;
  if (const config::Node* targets = node.kind == config::Kind::Map ? node.find("targets") : nullptr) {
    if (targets->kind != config::Kind::Map || targets->entries.empty()) sink.error("wrong-type", targets->span, "`targets` of the mock of `" + upstream + "` must be a map of targets to stubs", "targets: { primary: [ { when: GET /, reply: {} } ] }");
    for (const config::Entry& e : targets->entries) {
      for (Stub& stub : parse_list(*e.value, sink, upstream + "/" + e.key)) {
        stub.target = e.key;
        out.push_back(std::move(stub));
      }
    }
  } else {
    out = parse_list(node, sink, upstream);
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i].number = static_cast<std::uint32_t>(i);
  check_states(out, sink);
  return out;
}

RequestMatcher parse_request_matcher(const config::Node& node, diag::Sink& sink, const std::string& what) {
  RequestMatcher out;
  config::Reader r(node, sink, what);
  if (const config::Node* method = r.get("method")) out.method_matcher = Matcher::parse(*method, Dimension::Text, sink, "`method` of " + what);
  if (const config::Node* path = r.get("path")) out.path_matcher = Matcher::parse(*path, Dimension::Text, sink, "`path` of " + what);
  parse_matchers(out.headers, r.get("headers"), sink, "`headers` of " + what);
  parse_matchers(out.parameters, r.get("query"), sink, "`query` of " + what);
  if (const config::Node* json = r.get("json")) out.json = parse_json_expectation(*json, sink, "`json` of " + what);
  if (const config::Node* body = r.get("body")) out.body = Matcher::parse(*body, Dimension::Text, sink, "`body` of " + what);
  r.finish();
  return out;
}

Value header_value(const std::vector<std::pair<std::string, std::string>>& headers, std::string_view name) {
  std::vector<std::string> found;
  for (const auto& [key, value] : headers)
    if (iequals(key, name)) found.push_back(value);
  if (found.empty()) return std::nullopt;
  if (found.size() == 1) return nlohmann::json(found.front());
  return nlohmann::json(found);
}

Fit fit(const RequestMatcher& m, const SeenRequest& request) {
  Fit out;
  const auto miss = [&out](std::string why, const diag::Span& span = {}) {
    out.why = std::move(why);
    out.span = span;
    return out;
  };
  if (!m.path.empty() && !(m.path_pattern ? pattern_fits(m.path, request.path) : m.path == request.path)) return miss("path: got " + request.path);
  if (m.path_matcher)
    if (const auto bad = m.path_matcher->match(nlohmann::json(request.path))) return miss("path: " + bad->got, bad->span);
  ++out.score;
  if (!m.method.empty() && m.method != request.method) return miss("method: got " + request.method);
  if (m.method_matcher)
    if (const auto bad = m.method_matcher->match(nlohmann::json(request.method))) return miss("method: " + bad->got, bad->span);
  ++out.score;
  if (m.has_query && m.query != request.query) return miss("query: got " + (request.query.empty() ? "none" : request.query));
  Arena arena;
  for (const auto& [name, matcher] : m.parameters) {
    const auto value = http::query_value(request.query, name, arena);
    const auto bad = matcher->match(value ? Value(std::string(*value)) : Value());
    if (bad) return miss("query " + name + ": " + bad->got, bad->span);
    ++out.score;
  }
  for (const auto& [name, matcher] : m.headers) {
    const auto bad = matcher->match(header_value(request.headers, name));
    if (bad) return miss("header " + name + ": " + bad->got, bad->span);
    ++out.score;
  }
  if (m.body)
    if (const auto bad = m.body->match(nlohmann::json(request.body))) return miss("body: " + bad->got, bad->span);
  if (!m.json.lines.empty()) {
    const auto body = parse_json_text(request.body);
    if (body.is_discarded()) return miss("body: not JSON", m.json.lines.front().span);
    if (const auto bad = match_json(m.json, body)) return miss("body " + bad->got, bad->span);
  }
  out.fits = true;
  return out;
}

}  // namespace gatelab::harness
