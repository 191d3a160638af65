// SPDX-License-Identifier: Apache-2.0
// Steps on connections that stay open: WebSockets and answers that stream.
#include <algorithm>

#include "base/text.h"
#include "harness/scenario/file.h"

namespace gatelab::harness {
namespace {

// What an open connection can't be asked for.
void check_expect(const Expect& expect, bool websocket, diag::Sink& sink) {
  const bool of_messages = expect.messages || (expect.upstream && expect.upstream->messages);
  if (of_messages && !websocket) sink.error("no-effect", expect.span, "`messages` are those of a WebSocket", "open one: send: GET /ws with websocket: name");
}

std::string name_of(const config::Node& node, diag::Sink& sink, const std::string& what) {
  const auto name = config::as_text(node, sink, what);
  if (name && name->empty()) sink.error("bad-name", node.span, what + " is the name of a connection");
  return name.value_or("");
}

void add_header(Send& send, std::string_view name, std::string_view value) {
  const bool given = std::any_of(send.headers.begin(), send.headers.end(), [name](const auto& h) { return iequals(h.first, name); });
  if (!given) send.headers.emplace_back(name, value);
}

}  // namespace

void parse_stream_verb(Step& step, std::string_view verb, const config::Node& value, config::Reader& r, const World& world, diag::Sink& sink) {
  step.verb = verb == "receive" ? Step::Verb::Receive : Step::Verb::Drop;
  step.stream = name_of(value, sink, "`" + std::string(verb) + "`");
  const config::Node* expect = r.get("expect");
  if (expect != nullptr) step.expect = parse_expect(*expect, world, sink);
  if (step.verb == Step::Verb::Receive && expect == nullptr && r.valid())
    sink.error("no-expectation", step.span, "`receive` looks at what has come: it needs an `expect`", "expect: { messages: [ hello ] }, or { body: … } of an answer that streams");
}

void parse_message_send(Step& step, const config::Node& value, config::Reader& r, const World& world, diag::Sink& sink) {
  config::Reader s(value, sink, "`send`");
  step.send.stream.kind = StreamUse::Kind::Websocket;
  step.send.stream.name = name_of(*s.get("websocket"), sink, "`websocket`");
  step.send.message = parse_message(s, sink);
  for (const std::string_view key : {"method", "path", "headers", "raw"}) s.elsewhere(key, "a message is no request: open the WebSocket with send: GET /path and websocket: name");
  s.finish();
  if (const config::Node* expect = r.get("expect")) step.expect = parse_expect(*expect, world, sink);
  if (step.expect) check_expect(*step.expect, true, sink);
}

void parse_stream_use(Step& step, config::Reader& r, diag::Sink& sink) {
  const config::Node *websocket = r.get("websocket"), *stream = r.get("stream");
  StreamUse& use = step.send.stream;
  if (websocket != nullptr || stream != nullptr) {
    use.kind = websocket != nullptr ? StreamUse::Kind::Websocket : StreamUse::Kind::Answer;
    use.name = name_of(websocket != nullptr ? *websocket : *stream, sink, websocket != nullptr ? "`websocket`" : "`stream`");
    if (websocket != nullptr && stream != nullptr) sink.error("two-places", r.key_span("stream"), "a connection is a WebSocket or an answer that streams");
    if (step.send.count > 1 || step.totals || !step.send.connection.empty())
      sink.error("bad-choice", step.span, "a connection that stays open is one: `repeat`, `totals` and `via: { connection: … }` have no place beside it");
    if (!step.send.save_json.empty() || !step.send.save_headers.empty()) sink.error("bad-choice", r.key_span("save"), "nothing is saved of an answer that goes on");
  }
  if (step.expect) check_expect(*step.expect, use.kind == StreamUse::Kind::Websocket, sink);
  if (websocket == nullptr || step.send.raw) return;
  // RFC 6455 §4.1; what the step says itself stands.
  add_header(step.send, "Upgrade", "websocket");
  add_header(step.send, "Connection", "Upgrade");
  add_header(step.send, "Sec-WebSocket-Version", "13");
  add_header(step.send, "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
}

}  // namespace gatelab::harness
