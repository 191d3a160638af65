// SPDX-License-Identifier: Apache-2.0
// One step: exactly one verb, its modifiers beside it.
#include <algorithm>

#include "base/text.h"
#include "config/json.h"
#include "harness/scenario/file.h"
#include "harness/scenario/words.h"
#include "http/fields.h"
#include "http/proxy_protocol.h"

namespace gatelab::harness {
namespace {

constexpr std::string_view kVerbs[] = {"send", "receive", "drop", "advance", "check", "reload", "restart", "issuer"};
constexpr std::string_view kLaterVerbs[] = {"fault", "admin", "replay", "load"};

MatcherPtr matcher(config::Reader& r, std::string_view key, Dimension dimension, diag::Sink& sink) {
  const config::Node* node = r.get(key);
  return node == nullptr ? nullptr : Matcher::parse(*node, dimension, sink, "`" + std::string(key) + "`");
}

Matchers matchers(config::Reader& r, std::string_view key, Dimension dimension, diag::Sink& sink, const std::vector<std::string_view>& known = {}) {
  Matchers out;
  const config::Node* node = r.get(key);
  if (node == nullptr) return out;
  if (node->kind != config::Kind::Map || node->entries.empty()) {
    sink.error("wrong-type", node->span, "`" + std::string(key) + "` must be a map of names to what they must be");
    return out;
  }
  for (const config::Entry& entry : node->entries) {
    if (!known.empty() && std::find(known.begin(), known.end(), entry.key) == known.end()) {
      diag::Diagnostic d;
      d.id = "unknown-key";
      d.message = "unknown key `" + entry.key + "` in `" + std::string(key) + "`";
      d.span = entry.key_span;
      const std::string_view near = diag::nearest(entry.key, known);
      if (!near.empty()) d.note = "did you mean `" + std::string(near) + "`?";
      sink.report(std::move(d));
      continue;
    }
    if (auto m = Matcher::parse(*entry.value, dimension, sink, "`" + entry.key + "`")) out.emplace_back(entry.key, std::move(m));
  }
  return out;
}

// In a file that also runs in real time, what real time moves can't be expected to the second.
bool is_range(const config::Node& v) {
  return v.kind == config::Kind::Map && v.find("equals") == nullptr && v.find("contains") == nullptr && v.find("one_of") == nullptr;
}

void real_time_field(const config::Node& v, const std::string& name, const std::string& range, diag::Sink& sink) {
  sink.error("real-time-field", v.span, "`" + name + "` moves with real time, and this file declares mode real", "expect a range: " + range + ", or write modes: [sim]");
}

void check_real(const config::Node* headers, const World& world, diag::Sink& sink) {
  if (!world.real || headers == nullptr || headers->kind != config::Kind::Map) return;
  for (const config::Entry& entry : headers->entries) {
    const http::FieldId id = http::field_id(entry.key);
    if (id != http::FieldId::RetryAfter && id != http::FieldId::Age && id != http::FieldId::Date && id != http::FieldId::RateLimit) continue;
    if (!is_range(*entry.value)) real_time_field(*entry.value, entry.key, "{ between: [1, 60] }", sink);
  }
}

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
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    out += '%';
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
  return out;
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
  if (body->kind != config::Kind::Map) {
    send.body = config::as_text(*body, sink, "`body`").value_or("");
    return;
  }
  config::Reader b(*body, sink, "`body`");
  const ByteSize size = b.size("size", {});
  if (size.bytes > 64 * 1024 * 1024) sink.error("out-of-range", b.span_of("size"), "a body of a scenario has at most 64MiB");
  else send.body.assign(size.bytes, 'x');
  for (const std::string_view key : {"rate", "abort_after", "half_close", "file"}) b.not_supported(key, "a body is a text, or { size: 1MiB }");
  b.finish();
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

UpstreamExpectation parse_upstream(const config::Node& node, diag::Sink& sink) {
  UpstreamExpectation out;
  out.span = node.span;
  if (node.kind != config::Kind::Map) {
    out.none = node.text == "none";
    if (!out.none) sink.error("bad-choice", node.span, "`upstream` is none or a map such as { name: orders }, not `" + node.text + "`");
    return out;
  }
  config::Reader r(node, sink, "`upstream`");
  out.name = matcher(r, "name", Dimension::Text, sink);
  out.target = matcher(r, "target", Dimension::Text, sink);
  out.attempts = matcher(r, "attempts", Dimension::Json, sink);
  if (const config::Node* messages = r.get("messages")) out.messages = parse_message_matchers(*messages, sink, "`messages` of `upstream`");
  out.proxied = matcher(r, "proxied", Dimension::Text, sink);
  out.certificate = matcher(r, "certificate", Dimension::Text, sink);
  if (const config::Node* request = r.get("request")) out.request = parse_request_matcher(*request, sink, "`request` of `upstream`");
  r.finish();
  if (node.entries.empty()) sink.error("bad-matcher", node.span, "`upstream` expects nothing", "name it: { name: orders }");
  return out;
}

}  // namespace

Expect parse_expect(const config::Node& node, const World& world, diag::Sink& sink) {
  Expect out;
  out.span = node.span;
  config::Reader r(node, sink, "`expect`");
  out.status = matcher(r, "status", Dimension::Json, sink);
  if (const config::Node* status = r.get("status")) check_status(*status, sink);
  out.headers = matchers(r, "headers", Dimension::Text, sink);
  check_real(r.get("headers"), world, sink);
  out.trailers = matchers(r, "trailers", Dimension::Text, sink);
  if (const config::Node* interim = r.get("interim")) {
    out.has_interim = true;
    if (interim->kind != config::Kind::List) sink.error("wrong-type", interim->span, "`interim` must be a list of statuses");
    for (const config::Node& item : interim->items)
      if (auto m = Matcher::parse(item, Dimension::Json, sink, "`interim`")) out.interim.push_back(std::move(m));
    check_status(*interim, sink);
  }
  if (const config::Node* json = r.get("json")) out.json = parse_json_expectation(*json, sink, "`json`");
  out.body = matcher(r, "body", Dimension::Text, sink);
  out.latency = matcher(r, "latency", Dimension::Duration, sink);
  if (const config::Node* latency = r.get("latency"); world.real && latency != nullptr && !is_range(*latency)) real_time_field(*latency, "latency", "{ le: 1s }", sink);
  out.tls = matchers(r, "tls", Dimension::Text, sink, {"version", "cipher", "group", "alpn", "resumed", "stapled", "subject", "names"});
  out.ended = matchers(r, "ended", Dimension::Text, sink, {"by", "id", "phase", "reason"});
  if (const config::Node* ended = r.get("ended"))
    if (const config::Node* reason = ended->find("reason")) check_reason(*reason, sink);
  out.log = matchers(r, "log", Dimension::Json, sink);
  if (const config::Node* decisions = r.get("decisions")) {
    if (decisions->kind != config::Kind::List || decisions->items.empty()) sink.error("wrong-type", decisions->span, "`decisions` must be a list of decisions");
    for (const config::Node& item : decisions->items) {
      config::Node holder;
      holder.kind = config::Kind::Map;
      holder.entries.push_back({"decision", item.span, std::make_unique<config::Node>(clone(item))});
      config::Reader one(holder, sink, "`decisions`");
      out.decisions.push_back({matchers(one, "decision", Dimension::Text, sink, {"policy", "id", "phase", "outcome", "reason"}), item.span});
      if (const config::Node* reason = item.find("reason")) check_reason(*reason, sink);
    }
  }
  if (const config::Node* messages = r.get("messages")) {
    out.messages_span = messages->span;
    out.messages = parse_message_matchers(*messages, sink, "`messages`");
  }
  if (const config::Node* upstream = r.get("upstream")) out.upstream = parse_upstream(*upstream, sink);
  constexpr std::string_view kErrors[] = {"refused", "closed", "timeout", "truncated", "tls-alert", "tls-certificate"};
  if (const config::Node* error = r.get("error")) {
    out.error_span = error->span;
    if (const auto choice = config::as_choice(*error, sink, "`error`", {std::begin(kErrors), std::end(kErrors)})) out.error = kErrors[*choice];
  }
  if (const config::Node* closed = r.get("closed")) {
    out.closed = config::as_bool(*closed, sink, "`closed`");
    out.closed_span = closed->span;
  }
  r.not_supported("cache", "there is no cache");
  r.finish();
  if (r.valid() && node.entries.empty()) sink.error("no-expectation", node.span, "`expect` expects nothing");
  return out;
}

namespace {

Totals parse_totals(const config::Node& node, diag::Sink& sink) {
  Totals out;
  out.span = node.span;
  config::Reader r(node, sink, "`totals`");
  out.status = matchers(r, "status", Dimension::Json, sink);
  if (const config::Node* status = r.get("status")) check_status_counts(*status, sink);
  out.errors = matcher(r, "errors", Dimension::Json, sink);
  out.latency = matcher(r, "latency", Dimension::Duration, sink);
  out.attempts_max = matcher(r, "attempts_max", Dimension::Json, sink);
  out.served_by = matchers(r, "served_by", Dimension::Json, sink);
  for (const std::string_view key : {"retries", "rate_achieved", "compared", "different", "confidence", "on_inconclusive"}) r.not_supported(key, "it belongs to verbs that come later");
  r.finish();
  return out;
}

std::vector<Check> parse_checks(const config::Node& node, diag::Sink& sink) {
  std::vector<Check> out;
  if (node.kind != config::Kind::List || node.items.empty()) {
    sink.error("wrong-type", node.span, "`check` must be a list of checks", "check: [ { calls: orders, value: 2 } ]");
    return out;
  }
  for (const config::Node& item : node.items) {
    config::Reader r(item, sink, "`check`");
    Check check;
    check.span = item.span;
    if (auto calls = r.text("calls")) check.name = std::move(*calls);
    check.name_span = r.span_of("calls");
    if (auto metric = r.text("metric")) {
      check.what = Check::What::Metric;
      check.name = std::move(*metric);
    }
    if (const config::Node* labels = r.get("labels"))
      for (const config::Entry& e : labels->entries) check.labels[e.key] = e.value->text;
    r.require("value");
    check.value = matcher(r, "value", Dimension::Json, sink);
    for (const std::string_view key : {"breaker", "probes", "cache", "limit"}) r.not_supported(key, "check `calls` or `metric`");
    r.finish();
    if (r.valid() && check.name.empty() && sink.errors() == 0) sink.error("missing-key", item.span, "a check names what it looks at: `calls` or `metric`");
    out.push_back(std::move(check));
  }
  return out;
}

void parse_reload(Step& step, const config::Node& node, config::Reader& r, diag::Sink& sink) {
  config::Reader l(node, sink, "`reload`");
  step.reload.gateway = l.text("gateway", "");
  if (const config::Node* patch = l.get("patch")) {
    if (patch->kind != config::Kind::Map) sink.error("wrong-type", patch->span, "`patch` must be a map of dotted paths to values");
    for (const config::Entry& e : patch->entries) step.reload.patch.emplace_back(e.key, clone(*e.value));
  }
  l.finish();
  if (l.valid() && step.reload.gateway.empty() && step.reload.patch.empty()) sink.error("missing-key", node.span, "`reload` needs a `gateway` or a `patch`");
  if (const config::Node* expect = r.get("expect")) {
    config::Reader e(*expect, sink, "`expect` of `reload`");
    if (e.get("ok") != nullptr) step.reload.ok = e.boolean("ok", true);
    step.reload.kept = matcher(e, "kept", Dimension::Json, sink);
    step.reload.reset = matcher(e, "reset", Dimension::Json, sink);
    step.reload.removed = matcher(e, "removed", Dimension::Json, sink);
    step.reload.error = matcher(e, "error", Dimension::Text, sink);
    e.finish();
  }
}

void parse_restart(Step& step, const config::Node& node, config::Reader& r, const World& world, diag::Sink& sink) {
  config::Reader l(node, sink, "`restart`");
  step.restart.crash = l.boolean("crash", false);
  step.restart.state = l.text("state");
  l.finish();
  if (world.real) sink.error("real-restart", step.span, "on real sockets nothing is started again: a case there leaves no files behind", "modes: [sim]");
  const config::Node* expect = r.get("expect");
  if (expect == nullptr) return;
  config::Reader e(*expect, sink, "`expect` of `restart`");
  step.restart.told = matcher(e, "told", Dimension::Text, sink);
  e.finish();
}

void parse_send_step(Step& step, const config::Node& node, config::Reader& r, const World& world, diag::Sink& sink) {
  if (node.kind == config::Kind::Map && node.entry("websocket") != nullptr) return parse_message_send(step, node, r, world, sink);
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
  if (const config::Node* via = r.get("via")) parse_via(step.send, *via, world, sink);
  if (step.send.tls && !step.send.tls->certificate.empty()) {
    const auto known = world.credentials.find(step.send.tls->certificate);
    if (known == world.credentials.end() || known->second.certificate.empty())
      sink.error("unknown-credential", step.send.tls->span, "there is no client certificate `" + step.send.tls->certificate + "`", "credentials: { " + step.send.tls->certificate + ": { client_certificate: { certificate: a.pem, key: a.key } } }");
  }
  if (const config::Node* repeat = r.get("repeat")) parse_repeat(step.send, *repeat, sink);
  step.send.timeout = r.duration("timeout");
  if (const config::Node* save = r.get("save")) parse_save(step.send, *save, sink);
  if (const config::Node* expect = r.get("expect")) step.expect = parse_expect(*expect, world, sink);
  if (const config::Node* totals = r.get("totals")) step.totals = parse_totals(*totals, sink);
  parse_stream_use(step, r, sink);
  r.not_supported("during", "faults come later");
  if (!step.send.connection.empty() && step.send.concurrency > 1) sink.error("bad-choice", r.span_of("repeat"), "one named connection carries one request at a time");
}

void no_verb(const config::Node& node, diag::Sink& sink) {
  diag::Diagnostic d;
  d.id = "no-verb";
  d.message = "the step does nothing";
  d.span = node.span;
  d.hint = "it needs one of send, receive, drop, advance, check, reload, restart, issuer";
  for (const config::Entry& e : node.entries) {
    for (const std::string_view word : {"wait", "sleep", "pause", "delay"}) {
      if (e.key != word) continue;
      d.span = e.key_span;
      d.message = "`" + e.key + "` is no verb: nothing waits in a scenario";
      d.hint = "time is moved: advance: " + (e.value->kind == config::Kind::Text ? e.value->text : "10s") + "; what must have come by then is expected, not waited for";
      return sink.report(std::move(d));
    }
    const std::string_view near = diag::nearest(e.key, {std::begin(kVerbs), std::end(kVerbs)});
    if (near.empty()) continue;
    d.span = e.key_span;
    d.note = "did you mean `" + std::string(near) + "`?";
  }
  sink.report(std::move(d));
}

}  // namespace

Step parse_step(const config::Node& node, const World& world, diag::Sink& sink) {
  Step step;
  config::Reader r(node, sink, "step");
  step.span = node.span;
  step.name = r.text("name", "");
  const config::Entry* verb = nullptr;
  for (const config::Entry& e : node.entries) {
    const bool known = std::find(std::begin(kVerbs), std::end(kVerbs), e.key) != std::end(kVerbs);
    if (std::find(std::begin(kLaterVerbs), std::end(kLaterVerbs), e.key) != std::end(kLaterVerbs)) {
      r.not_supported(e.key, "this build knows send, receive, drop, advance, check, reload, restart and issuer");
      return step;
    }
    if (!known) continue;
    r.get(e.key);
    if (verb != nullptr) sink.error("two-verbs", e.key_span, "a step has one verb, this one has `" + verb->key + "` and `" + e.key + "`", "begin a new step with a dash");
    else verb = &e;
  }
  if (verb == nullptr) {
    if (r.valid()) no_verb(node, sink);
    return step;
  }
  step.span = verb->key_span;
  const config::Node& value = *r.get(verb->key);
  if (verb->key == "send") {
    parse_send_step(step, value, r, world, sink);
  } else if (verb->key == "receive" || verb->key == "drop") {
    parse_stream_verb(step, verb->key, value, r, world, sink);
  } else if (verb->key == "issuer") {
    parse_issuer_step(step, value, r, world, sink);
  } else if (verb->key == "advance") {
    step.verb = Step::Verb::Advance;
    step.advance = config::as_duration(value, sink, "`advance`").value_or(Duration{});
  } else if (verb->key == "check") {
    step.verb = Step::Verb::Check;
    step.checks = parse_checks(value, sink);
  } else if (verb->key == "restart") {
    step.verb = Step::Verb::Restart;
    parse_restart(step, value, r, world, sink);
  } else {
    step.verb = Step::Verb::Reload;
    parse_reload(step, value, r, sink);
  }
  r.finish();
  return step;
}

}  // namespace gatelab::harness
