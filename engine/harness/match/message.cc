// SPDX-License-Identifier: Apache-2.0
#include "harness/match/message.h"

#include <algorithm>

#include "base/base64.h"
#include "config/json.h"
#include "harness/match/json_text.h"

namespace gatelab::harness {
namespace {

using http::websocket::Opcode;

constexpr std::pair<std::string_view, Opcode> kKinds[] = {{"text", Opcode::Text}, {"binary", Opcode::Binary}, {"json", Opcode::Text}, {"ping", Opcode::Ping}, {"pong", Opcode::Pong}, {"close", Opcode::Close}};
constexpr const char* kHint = "one of text, binary, json, ping, pong and close";

// The one kind that the map names; null, reported, if it names none or two.
const std::pair<std::string_view, Opcode>* kind_of(config::Reader& r, diag::Sink& sink) {
  const std::pair<std::string_view, Opcode>* found = nullptr;
  for (const auto& kind : kKinds) {
    if (r.get(kind.first) == nullptr) continue;
    if (found != nullptr) {
      sink.error("two-messages", r.key_span(kind.first), "a message is of one kind, not `" + std::string(found->first) + "` and `" + std::string(kind.first) + "`");
      return nullptr;
    }
    found = &kind;
  }
  if (found == nullptr && r.valid()) sink.error("missing-key", r.span(), r.what() + " names no message", kHint);
  return found;
}

std::string payload_of(const config::Node& node, bool binary, diag::Sink& sink) {
  if (node.kind == config::Kind::Map) {
    config::Reader r(node, sink, "message");
    r.require("size");
    const std::uint64_t size = r.size("size", {}).bytes;
    if (size > 16 * 1024 * 1024) sink.error("out-of-range", r.span_of("size"), "a message of a scenario has at most 16MiB");
    r.finish();
    return std::string(size > 16 * 1024 * 1024 ? 0 : size, 'x');
  }
  if (!binary) return node.text;
  const auto octets = base64_decode(node.text);
  if (!octets) sink.error("bad-base64", node.span, "`binary` must be base64");
  return octets.value_or("");
}

std::string payload_text(const http::websocket::Message& message) { return message.opcode == Opcode::Binary ? base64_encode(message.payload) : message.payload; }

}  // namespace

OutMessage parse_message(config::Reader& r, diag::Sink& sink) {
  OutMessage out;
  const auto* kind = kind_of(r, sink);
  const config::Node* reason = r.get("reason");
  if (kind == nullptr) return out;
  out.opcode = kind->second;
  const config::Node& node = *r.get(kind->first);
  if (reason != nullptr && out.opcode != Opcode::Close) sink.error("no-effect", r.key_span("reason"), "`reason` belongs to `close`");
  if (kind->first == "json") {
    out.fragments.push_back(config::to_json(node));
  } else if (out.opcode == Opcode::Close) {
    const auto code = config::as_integer(node, sink, "`close`", 1000, 4999);
    const std::string why = reason == nullptr ? "" : config::as_text(*reason, sink, "`reason`").value_or("");
    out.fragments.push_back(http::websocket::close_payload(static_cast<std::uint16_t>(code.value_or(1000)), why));
  } else if (node.kind == config::Kind::List && !http::websocket::is_control(out.opcode)) {
    for (const config::Node& item : node.items) out.fragments.push_back(payload_of(item, out.opcode == Opcode::Binary, sink));
    if (node.items.empty()) sink.error("wrong-type", node.span, "a list of fragments has at least one");
  } else {
    out.fragments.push_back(payload_of(node, out.opcode == Opcode::Binary, sink));
  }
  if (http::websocket::is_control(out.opcode) && out.fragments.front().size() > 125) sink.error("out-of-range", node.span, "a control frame holds at most 125 octets (RFC 6455 5.5)");
  return out;
}

OutMessage parse_message(const config::Node& node, diag::Sink& sink, const std::string& what) {
  if (node.kind != config::Kind::Map && node.kind != config::Kind::List) {
    OutMessage out;
    out.fragments.push_back(node.text);
    return out;
  }
  config::Reader r(node, sink, what);
  OutMessage out = parse_message(r, sink);
  out.after = r.duration("after", Duration{});
  r.finish();
  return out;
}

std::string frames_of(const OutMessage& message, const std::optional<std::array<char, 4>>& mask) {
  std::string out;
  for (std::size_t i = 0; i < message.fragments.size(); ++i)
    out += http::websocket::frame(i == 0 ? message.opcode : Opcode::Continuation, message.fragments[i], mask, i + 1 == message.fragments.size());
  return out;
}

std::vector<MessageMatcher> parse_message_matchers(const config::Node& node, diag::Sink& sink, const std::string& what) {
  std::vector<MessageMatcher> out;
  if (node.kind != config::Kind::List) {
    sink.error("wrong-type", node.span, what + " must be a list of messages", "messages: [ hello, { close: 1000 } ]");
    return out;
  }
  for (const config::Node& item : node.items) {
    MessageMatcher m;
    m.span = item.span;
    if (item.kind != config::Kind::Map) {
      m.payload = Matcher::parse(item, Dimension::Text, sink, "message");
      out.push_back(std::move(m));
      continue;
    }
    config::Reader r(item, sink, "message");
    const auto* kind = kind_of(r, sink);
    const config::Node* reason = r.get("reason");
    r.finish();
    if (kind == nullptr) continue;
    m.opcode = kind->second;
    const config::Node& value = *r.get(kind->first);
    if (reason != nullptr && m.opcode != Opcode::Close) sink.error("no-effect", r.key_span("reason"), "`reason` belongs to `close`");
    if (kind->first == "json") m.json = parse_json_expectation(value, sink, "`json` of a message");
    else if (m.opcode == Opcode::Close) m.code = Matcher::parse(value, Dimension::Json, sink, "`close`");
    else m.payload = Matcher::parse(value, Dimension::Text, sink, "`" + std::string(kind->first) + "`");
    if (m.opcode == Opcode::Close && reason != nullptr) m.payload = Matcher::parse(*reason, Dimension::Text, sink, "`reason`");
    out.push_back(std::move(m));
  }
  return out;
}

std::optional<Mismatch> match_message(const MessageMatcher& expected, const http::websocket::Message& message) {
  if (expected.opcode != message.opcode) return Mismatch{"got " + shown(message), expected.span};
  if (expected.code)
    if (auto bad = expected.code->match(nlohmann::json(message.code))) return bad;
  if (expected.payload)
    if (auto bad = expected.payload->match(nlohmann::json(payload_text(message)))) return bad;
  if (expected.json.lines.empty()) return std::nullopt;
  const auto body = parse_json_text(message.payload);
  if (body.is_discarded()) return Mismatch{"the message is not JSON: " + shown(message), expected.span};
  return match_json(expected.json, body);
}

std::string shown(const http::websocket::Message& message) {
  const std::string payload = message.payload.empty() ? "" : shown(nlohmann::json(payload_text(message)), Dimension::Text);
  switch (message.opcode) {
    case Opcode::Close: return "close " + std::to_string(message.code) + (payload.empty() ? "" : " (" + payload + ")");
    case Opcode::Ping: return "ping " + payload;
    case Opcode::Pong: return "pong " + payload;
    case Opcode::Binary: return "binary " + payload;
    case Opcode::Text:
    case Opcode::Continuation: break;
  }
  return "text `" + payload + "`";
}

}  // namespace gatelab::harness
