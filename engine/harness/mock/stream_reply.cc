// SPDX-License-Identifier: Apache-2.0
#include "harness/mock/stream_reply.h"

#include "config/json.h"

namespace gatelab::harness {
namespace {

void lines(std::string& out, std::string_view field, std::string_view value) {
  for (;;) {
    const std::size_t end = value.find('\n');
    out.append(field).append(": ").append(value.substr(0, end)).append("\n");
    if (end == std::string_view::npos) return;
    value.remove_prefix(end + 1);
  }
}

// One event as the HTML standard writes it; a scalar is its data.
std::string event_of(const config::Node& node, diag::Sink& sink) {
  std::string out;
  if (node.kind != config::Kind::Map) {
    lines(out, "data", node.text);
    return out + "\n";
  }
  config::Reader r(node, sink, "event");
  for (const std::string_view key : {"id", "event", "comment", "data"}) {
    const config::Node* value = r.get(key);
    if (value == nullptr) continue;
    const bool deep = value->kind == config::Kind::Map || value->kind == config::Kind::List;
    if (key != "data" && (deep || value->text.find('\n') != std::string::npos)) sink.error("bad-event", value->span, "`" + std::string(key) + "` of an event is one line of text");
    else lines(out, key == "comment" ? "" : key, deep ? config::to_json(*value) : value->text);
  }
  r.finish();
  if (r.valid() && node.entries.empty()) sink.error("bad-event", node.span, "an event says something", "{ event: price, data: { id: 1 } }");
  return out + "\n";
}

}  // namespace

std::optional<Pieces> parse_pieces(config::Reader& r, diag::Sink& sink, std::string& type) {
  const config::Node *events = r.get("events"), *chunks = r.get("chunks");
  const config::Node* node = events != nullptr ? events : chunks;
  if (node == nullptr) {
    for (const std::string_view key : {"every", "open"})
      if (r.get(key) != nullptr) sink.error("no-effect", r.key_span(key), "`" + std::string(key) + "` belongs to `events` or `chunks`");
    return std::nullopt;
  }
  Pieces out;
  if (events != nullptr && chunks != nullptr) sink.error("two-bodies", r.key_span("chunks"), "a reply streams `events` or `chunks`");
  if (node->kind != config::Kind::List || node->items.empty()) sink.error("wrong-type", node->span, "`events` and `chunks` are lists, with at least one piece");
  for (const config::Node& item : node->items) {
    if (events != nullptr) out.texts.push_back(event_of(item, sink));
    else out.texts.push_back(config::as_text(item, sink, "a piece of `chunks`").value_or(""));
    if (out.texts.back().empty()) sink.error("wrong-type", item.span, "a piece of `chunks` is not empty");
  }
  out.every = r.duration("every", Duration{});
  out.open = r.boolean("open", false);
  type = events != nullptr ? "text/event-stream" : "text/plain; charset=utf-8";
  return out;
}

std::optional<WebsocketReply> parse_websocket_reply(config::Reader& r, diag::Sink& sink) {
  const config::Node* node = r.get("websocket");
  if (node == nullptr) return std::nullopt;
  WebsocketReply out;
  const auto messages = [&out, &sink](const config::Node& list) {
    if (list.kind != config::Kind::List) return sink.error("wrong-type", list.span, "`messages` must be a list", "messages: [ hello, { close: 1000, after: 1s } ]");
    for (const config::Node& item : list.items) out.messages.push_back(parse_message(item, sink, "message of a mock"));
  };
  if (node->kind == config::Kind::List) {
    messages(*node);
  } else if (node->kind == config::Kind::Map) {
    config::Reader w(*node, sink, "`websocket` of `reply`");
    out.echo = w.boolean("echo", false);
    out.protocol = w.text("protocol", "");
    if (const config::Node* list = w.get("messages")) messages(*list);
    w.finish();
  } else {
    out.echo = node->text == "echo";
    if (!out.echo) sink.error("bad-choice", node->span, "`websocket` is echo, a list of messages, or { messages, echo, protocol }, not `" + node->text + "`");
  }
  return out;
}

}  // namespace gatelab::harness
