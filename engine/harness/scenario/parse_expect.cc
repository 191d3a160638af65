// SPDX-License-Identifier: Apache-2.0
// `expect` and `totals`: what one answer, or many, must be.
#include <algorithm>

#include "config/copy.h"
#include "harness/load/judge.h"
#include "harness/scenario/parse_parts.h"
#include "harness/scenario/words.h"
#include "http/fields.h"

namespace gatelab::harness {

MatcherPtr matcher(config::Reader& r, std::string_view key, Dimension dimension, diag::Sink& sink) {
  const config::Node* node = r.get(key);
  return node == nullptr ? nullptr : Matcher::parse(*node, dimension, sink, "`" + std::string(key) + "`");
}

Matchers matchers(config::Reader& r, std::string_view key, Dimension dimension, diag::Sink& sink, const std::vector<std::string_view>& known) {
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

namespace {

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
      holder.entries.push_back({"decision", item.span, std::make_unique<config::Node>(config::copy_of(item))});
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
  constexpr std::string_view kErrors[] = {"refused", "closed", "aborted", "timeout", "truncated", "tls-alert", "tls-certificate", "tls-handshake", "not-tls"};
  if (const config::Node* error = r.get("error")) {
    out.error_span = error->span;
    if (const auto choice = config::as_choice(*error, sink, "`error`", {std::begin(kErrors), std::end(kErrors)})) out.error = kErrors[*choice];
  }
  if (const config::Node* closed = r.get("closed")) {
    out.closed = config::as_bool(*closed, sink, "`closed`");
    out.closed_span = closed->span;
  }
  out.cache = matcher(r, "cache", Dimension::Text, sink);
  if (const config::Node* cache = r.get("cache"); cache != nullptr && cache->kind == config::Kind::Text) {
    constexpr std::string_view kWords[] = {"hit", "miss", "revalidated", "stale", "collapsed", "bypass", "none"};
    (void)config::as_choice(*cache, sink, "`cache`", {std::begin(kWords), std::end(kWords)});
  }
  r.finish();
  if (r.valid() && node.entries.empty()) sink.error("no-expectation", node.span, "`expect` expects nothing");
  return out;
}

namespace {

// Of every answer; percentiles are of many more than a step sends.
MatcherPtr latency_of_each(config::Reader& r, diag::Sink& sink) {
  const config::Node* latency = r.get("latency");
  bool percentile = false;
  if (latency != nullptr)
    for (const config::Entry& entry : latency->entries) {
      if (!load::parse_percentile(entry.key)) continue;
      percentile = true;
      sink.error("unknown-key", entry.key_span, "unknown predicate `" + entry.key + "` in `latency`", "percentiles belong to a `load` step: load: { rate: 200/s, duration: 10s, send: … }; beside `send` every answer is held against it: latency: { le: 250ms }");
    }
  return percentile ? nullptr : matcher(r, "latency", Dimension::Duration, sink);
}

}  // namespace

Totals parse_totals(const config::Node& node, diag::Sink& sink) {
  Totals out;
  out.span = node.span;
  config::Reader r(node, sink, "`totals`");
  out.status = matchers(r, "status", Dimension::Json, sink);
  if (const config::Node* status = r.get("status")) check_status_counts(*status, sink);
  out.errors = matcher(r, "errors", Dimension::Json, sink);
  out.latency = latency_of_each(r, sink);
  out.attempts_max = matcher(r, "attempts_max", Dimension::Json, sink);
  out.retries = matcher(r, "retries", Dimension::Json, sink);
  out.served_by = matchers(r, "served_by", Dimension::Json, sink);
  if (const config::Node* served_by = r.get("served_by"))
    for (const config::Entry& entry : served_by->entries) out.served_by_spans.emplace_back(entry.key, entry.key_span);
  for (const std::string_view key : {"rate_achieved", "compared", "different", "confidence", "on_inconclusive"}) r.not_supported(key, "it belongs to verbs that come later");
  r.finish();
  return out;
}

}  // namespace gatelab::harness
