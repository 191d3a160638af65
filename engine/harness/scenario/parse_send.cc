// SPDX-License-Identifier: Apache-2.0
// `send`: one request, or the same again and again, and how it gets to the gateway.
#include <algorithm>

#include "base/text.h"
#include "harness/mock/filled.h"
#include "coding/coder.h"
#include "config/json.h"
#include "harness/scenario/bodies.h"
#include "harness/scenario/parse_parts.h"
#include "http/chars.h"
#include "http/fields.h"
#include "http/proxy_protocol.h"

namespace gatelab::harness {
namespace {

void parse_headers(Texts& out, const config::Node& node, diag::Sink& sink) {
  const auto add = [&](const std::string& name, const config::Node& value, const diag::Span& span) {
    // What a client sends may be wrong on purpose; only what can't be written as a field at all is refused.
    if (name.empty() || name.find_first_of("\r\n:") != std::string::npos || value.text.find_first_of("\r\n") != std::string::npos) sink.error("bad-header", span, "a header of `headers` has a name or a value that can't be sent", "use send: { raw: … } for malformed messages");
    else out.emplace_back(name, value.text);
  };
  if (node.kind == config::Kind::Map) {
    for (const config::Entry& e : node.entries) {
      if (e.value->kind == config::Kind::List)
        for (const config::Node& item : e.value->items) add(e.key, item, e.key_span);
      else add(e.key, *e.value, e.key_span);
    }
    return;
  }
  if (node.kind != config::Kind::List) return sink.error("wrong-type", node.span, "`headers` must be a map, or a list of [name, value]");
  for (const config::Node& item : node.items) {
    if (item.kind != config::Kind::List || item.items.size() != 2) sink.error("wrong-type", item.span, "a header in a list is [name, value]");
    else add(item.items[0].text, item.items[1], item.span);
  }
}

std::string encode(std::string_view text) {
  std::string out;
  append_percent_encoded(out, text, [](char c) { return http::is(c, http::kUnreserved); });
  return out;
}

// What goes over the wire is coded, and says so unless the headers do already.
void parse_coding(Send& send, config::Reader& b) {
  static const std::vector<std::string_view> kCodings = {"gzip", "deflate", "br", "zstd"};
  if (b.get("coding") == nullptr) return;
  const std::string_view name = kCodings[b.choice("coding", 0, kCodings)];
  send.coding = coding::parse(name);
  send.body = coding::encode(*send.coding, send.body);
  const bool said = std::any_of(send.headers.begin(), send.headers.end(), [](const auto& h) { return iequals(h.first, "content-encoding"); });
  if (!said) send.headers.emplace_back("Content-Encoding", name);
}

void parse_file(Send& send, config::Reader& b) {
  const config::Node* file = b.get("file");
  if (file == nullptr) return;
  send.body_file = b.text("file", "");
  if (send.body_file.empty() && b.valid() && file->kind == config::Kind::Text) b.sink().error("missing-key", file->span, "`file` names no file");
  for (const std::string_view key : {"text", "size", "of", "end"})
    if (b.get(key) != nullptr) b.sink().error("two-bodies", b.key_span(key), "the body is a file's: `" + std::string(key) + "` has no place beside it");
}

// How it goes out. What comes after it on the same connection would not be heard.
void parse_upload(Send& send, config::Reader& b) {
  if (const config::Node* rate = b.get("rate")) send.upload.rate = config::as_octet_rate(*rate, b.sink()).value_or(0);
  if (b.get("abort_after") != nullptr) send.upload.abort_after = b.size("abort_after", {}).bytes;
  send.upload.half_close = b.boolean("half_close", false);
}

void parse_body(Send& send, config::Reader& r, diag::Sink& sink) {
  const config::Node *json = r.get("json"), *body = r.get("body");
  if (json != nullptr && body != nullptr) sink.error("two-bodies", r.key_span("body"), "a request has one body: `json` or `body`");
  if (json != nullptr) {
    send.has_body = true;
    send.body = config::to_json(*json);
    const bool typed = std::any_of(send.headers.begin(), send.headers.end(), [](const auto& h) { return iequals(h.first, "content-type"); });
    if (!typed) send.headers.emplace_back("Content-Type", "application/json");
  }
  if (body == nullptr) return;
  send.has_body = true;
  send.body_span = body->span;
  if (body->kind != config::Kind::Map) {
    send.body = config::as_text(*body, sink, "`body`").value_or("");
    return;
  }
  config::Reader b(*body, sink, "`body`");
  const ByteSize size = b.size("size", {});
  if (size.bytes > kMaxBody) sink.error("out-of-range", b.span_of("size"), "a body of a scenario has at most 64MiB");
  else if (b.get("of") != nullptr) send.body = filled_body(b, size.bytes);
  else send.body.assign(size.bytes, 'x');
  if (b.get("of") != nullptr) b.get("text"), b.get("end");
  else if (b.get("text") != nullptr && b.get("size") != nullptr) sink.error("two-bodies", b.key_span("text"), "a body is a `text`, or so many octets");
  else send.body += b.text("text", "");
  parse_file(send, b);
  parse_coding(send, b);
  parse_upload(send, b);
  b.finish();
  const bool has_content = std::any_of(body->entries.begin(), body->entries.end(), [](const config::Entry& e) { return e.key == "size" || e.key == "text" || e.key == "of" || e.key == "file"; });
  if (b.valid() && !has_content) sink.error("missing-key", body->span, "this body has no content", "size: 1KiB, text: …, or file: order.json");
  else if (send.upload.abort_after && send.body_file.empty() && *send.upload.abort_after > send.body.size())
    sink.error("out-of-range", b.span_of("abort_after"), "the body is over before that: it has " + std::to_string(send.body.size()) + " octets" + (send.coding ? " in its coding" : ""));
}

void parse_send(Send& send, const config::Node& node, config::Reader& r, diag::Sink& sink) {
  std::string path, query;
  bool has_query = false;
  if (node.kind == config::Kind::Map) {
    config::Reader s(node, sink, "`send`");
    if (auto raw = s.text("raw")) {
      send.raw = std::move(*raw);
      // Octets are sent as they stand: whatever would change them has no meaning.
      for (const std::string_view key : {"method", "path", "headers"})
        if (node.entry(key) != nullptr) sink.error("raw-alone", s.key_span(key), "`raw` is the whole request: `" + std::string(key) + "` has no place beside it");
    }
    send.method = s.text("method", "GET");
    path = s.text("path", "/");
    if (const config::Node* headers = s.get("headers")) parse_headers(send.headers, *headers, sink);
    s.finish();
    if (!http::is_token(send.method)) sink.error("bad-request", s.span_of("method"), "`" + send.method + "` is not a method");
    if (path.find_first_of(" \r\n") != std::string::npos) sink.error("bad-request", s.span_of("path"), "`" + path + "` can't be a path", "use send: { raw: … } for malformed messages");
  } else if (!parse_request_line(node, sink, send.method, path, query, has_query)) {
    return;
  }
  send.target = path + (has_query ? "?" + query : "");
  if (const config::Node* headers = r.get("headers")) parse_headers(send.headers, *headers, sink);
  if (const config::Node* parameters = r.get("query")) {
    if (parameters->kind != config::Kind::Map) sink.error("wrong-type", parameters->span, "`query` must be a map of names to values");
    for (const config::Entry& e : parameters->entries) send.target += (send.target.find('?') == std::string::npos ? "?" : "&") + encode(e.key) + "=" + encode(e.value->text);
  }
  parse_body(send, r, sink);
}

void parse_proxy_protocol(Send& send, const config::Node& node, diag::Sink& sink) {
  config::Reader r(node, sink, "`proxy_protocol` of `via`");
  r.require("version");
  const auto version = static_cast<http::ProxyProtocol>(1 + r.choice("version", 0, {"v1", "v2"}));
  Address source, destination{{IpAddress::Family::V4, {192, 0, 2, 1}}, 443};
  if (const config::Node* from = r.get("source")) source = config::as_address(*from, sink, "`source`").value_or(source);
  if (const config::Node* to = r.get("destination")) destination = config::as_address(*to, sink, "`destination`").value_or(destination);
  r.finish();
  send.preface = http::write_proxy_header(version, source, destination);
}

// In real time a source must be an address of this machine.
void parse_from(Send& send, const config::Node& node, const World& world, diag::Sink& sink) {
  const auto ip = parse_ip(node.text);
  if (!ip) return sink.error("bad-address", node.span, "`" + node.text + "` is no IP address", "from: 10.1.2.3");
  if (world.real && !(ip->family == IpAddress::Family::V4 && ip->octets[0] == 127))
    sink.error("real-address", node.span, "on real sockets nobody can come from " + node.text, "127.0.0.2 and the like, or modes: [sim]");
  send.from = *ip;
}

void parse_via(Send& send, const config::Node& node, const World& world, diag::Sink& sink) {
  config::Reader r(node, sink, "`via`");
  if (const config::Node* http = r.get("http")) {
    if (http->text == "2") sink.error("not-supported", http->span, "HTTP/2 is not supported yet");
    else if (http->text != "1.0" && http->text != "1.1") sink.error("bad-choice", http->span, "`http` is 1.0 or 1.1, not `" + http->text + "`");
    send.http10 = http->text == "1.0";
  }
  send.connection = r.text("connection", "");
  send.listener = r.text("listener", "");
  send.listener_span = r.span_of("listener");
  if (const config::Node* from = r.get("from")) parse_from(send, *from, world, sink);
  if (const config::Node* proxy = r.get("proxy_protocol")) parse_proxy_protocol(send, *proxy, sink);
  if (const config::Node* tls = r.get("tls")) send.tls = parse_client_tls(*tls, sink);
  r.finish();
}

void parse_repeat(Send& send, const config::Node& node, diag::Sink& sink) {
  if (node.kind != config::Kind::Map) {
    send.count = static_cast<std::uint32_t>(config::as_integer(node, sink, "`repeat`", 1, 1'000'000).value_or(1));
    return;
  }
  config::Reader r(node, sink, "`repeat`");
  r.require("count");
  send.count = static_cast<std::uint32_t>(r.integer("count", 1, 1, 1'000'000));
  send.every = r.duration("every", Duration{});
  send.concurrency = static_cast<std::uint32_t>(r.integer("concurrency", 1, 1, 1024));
  r.finish();
}

void parse_save(Send& send, const config::Node& node, diag::Sink& sink) {
  if (node.kind != config::Kind::Map) return sink.error("wrong-type", node.span, "`save` must be a map of names to JSONPaths or { header: … }");
  for (const config::Entry& e : node.entries) {
    if (e.value->kind == config::Kind::Map) {
      config::Reader r(*e.value, sink, "`" + e.key + "` of `save`");
      r.require("header");
      send.save_headers.emplace_back(e.key, r.text("header", ""));
      r.finish();
      continue;
    }
    auto path = JsonPath::compile(e.value->text);
    if (path) send.save_json.emplace_back(e.key, std::move(*path));
    else sink.error(path.error().id, e.value->span, path.error().message);
  }
}

}  // namespace

void parse_request(Step& step, const config::Node& node, config::Reader& r, const World& world, diag::Sink& sink) {
  parse_send(step.send, node, r, sink);
  if (step.send.raw)
    for (const std::string_view key : {"as", "headers", "query", "json", "body"})
      if (r.get(key) != nullptr) sink.error("raw-alone", r.key_span(key), "`raw` is the whole request: `" + std::string(key) + "` has no place beside it");
  step.send.as = r.text("as", "");
  if (!step.send.as.empty() && world.credentials.count(step.send.as) == 0) {
    std::vector<std::string_view> names;
    for (const auto& [name, credential] : world.credentials) names.push_back(name);
    const std::string_view near = diag::nearest(step.send.as, names);
    sink.error("unknown-credential", r.span_of("as"), "there is no credential `" + step.send.as + "`", near.empty() ? "" : "did you mean `" + std::string(near) + "`?");
  }
  if (const config::Node* save = r.get("save")) parse_save(step.send, *save, sink);
}

void parse_send_step(Step& step, const config::Node& node, config::Reader& r, const World& world, diag::Sink& sink) {
  if (node.kind == config::Kind::Map && node.entry("websocket") != nullptr) return parse_message_send(step, node, r, world, sink);
  parse_request(step, node, r, world, sink);
  if (const config::Node* via = r.get("via")) parse_via(step.send, *via, world, sink);
  if (step.send.tls && !step.send.tls->certificate.empty()) {
    const auto known = world.credentials.find(step.send.tls->certificate);
    if (known == world.credentials.end() || known->second.certificate.empty())
      sink.error("unknown-credential", step.send.tls->span, "there is no client certificate `" + step.send.tls->certificate + "`", "credentials: { " + step.send.tls->certificate + ": { client_certificate: { certificate: a.pem, key: a.key } } }");
  }
  if (const config::Node* repeat = r.get("repeat")) parse_repeat(step.send, *repeat, sink);
  step.send.timeout = r.duration("timeout");
  if (const config::Node* expect = r.get("expect")) step.expect = parse_expect(*expect, world, sink);
  if (const config::Node* totals = r.get("totals")) step.totals = parse_totals(*totals, sink);
  parse_stream_use(step, r, sink);
  if (const config::Node* during = r.get("during")) step.send.during = parse_during(*during, world, sink);
  if (!step.send.during.empty() && step.send.stream.kind != StreamUse::Kind::None) sink.error("two-places", r.key_span("during"), "a request that opens a stream is over at once: nothing happens during it", "a step `fault` behind it");
  const Upload& upload = step.send.upload;
  if (!upload.is_plain() && step.send.stream.kind != StreamUse::Kind::None) sink.error("two-places", step.send.body_span, "a request that opens a stream sends its body at once", "a `body` without rate, abort_after and half_close");
  if ((upload.abort_after || upload.half_close) && !step.send.connection.empty())
    sink.error("two-places", step.send.body_span, "the connection `" + step.send.connection + "` is to stay open, and this body ends it", "leave out `connection`, or abort_after and half_close");
  if (!step.send.connection.empty() && step.send.concurrency > 1) sink.error("bad-choice", r.span_of("repeat"), "one named connection carries one request at a time");
}

}  // namespace gatelab::harness
