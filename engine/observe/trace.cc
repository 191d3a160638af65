// SPDX-License-Identifier: Apache-2.0
// Names follow OpenTelemetry's semantic conventions for HTTP spans; what they have no name for begins with "gatelab.".
#include "observe/trace.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "http/message.h"
#include "http/trace_context.h"

namespace gatelab::observe {
namespace {

enum class SpanKind : std::uint8_t { Internal = 1, Server = 2, Client = 3 };
constexpr std::size_t kMaxValue = 1024;  // octets of one attribute

// One span, as it is written.
class SpanText {
 public:
  SpanText(std::string& out, bool is_first, const TraceNote& trace, std::uint64_t id, std::uint64_t parent) : out_(out) {
    out_ += is_first ? "{\"traceId\":\"" : ",{\"traceId\":\"";
    out_ += trace.id;
    out_ += "\",\"spanId\":\"";
    span_id(id);
    if (parent != 0) {
      out_ += "\",\"parentSpanId\":\"";
      span_id(parent);
    }
    out_ += '"';
  }
  // `rest` stands behind a space, unless it is empty.
  void named(std::string_view name, std::string_view rest, SpanKind kind, Instant began, Instant ended) {
    out_ += ",\"name\":\"";
    escaped(name);
    if (!rest.empty()) out_ += ' ';
    escaped(rest);
    out_ += "\",\"kind\":";
    out_ += static_cast<char>('0' + static_cast<int>(kind));
    out_ += ",\"startTimeUnixNano\":\"";
    number(began.ns);
    out_ += "\",\"endTimeUnixNano\":\"";
    number(std::max(began, ended).ns);
    out_ += '"';
  }
  // Left out when empty.
  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    begin(key, "stringValue");
    out_ += '"';
    escaped(value.substr(0, kMaxValue));
    out_ += "\"}}";
  }
  // 64-bit numbers are texts in proto3's JSON.
  void integer(std::string_view key, std::uint64_t value) {
    begin(key, "intValue");
    out_ += '"';
    number(static_cast<std::int64_t>(value));
    out_ += "\"}}";
  }
  void flag(std::string_view key, bool value) {
    if (!value) return;
    begin(key, "boolValue");
    out_ += "true}}";
  }
  void milliseconds(std::string_view key, Duration d) {
    begin(key, "doubleValue");
    char digits[32];
    out_.append(digits, std::to_chars(digits, digits + sizeof digits, static_cast<double>(d.count()) / 1e6, std::chars_format::fixed, 3).ptr);
    out_ += "}}";
  }
  void end_attributes() {
    if (std::exchange(open_, false)) out_ += ']';
  }
  void begin_event(std::string_view name, Instant at) {
    end_attributes();
    out_ += std::exchange(events_, true) ? ",{" : ",\"events\":[{";
    out_ += "\"timeUnixNano\":\"";
    number(at.ns);
    out_ += "\",\"name\":\"";
    escaped(name);
    out_ += '"';
  }
  void end_event() {
    end_attributes();
    out_ += '}';
  }
  void end(std::string_view error) {
    end_attributes();
    if (events_) out_ += ']';
    if (!error.empty()) {
      out_ += ",\"status\":{\"code\":2,\"message\":\"";
      escaped(error);
      out_ += "\"}";
    }
    out_ += '}';
  }

 private:
  void span_id(std::uint64_t id) {
    char digits[16];
    http::write_span_id(id, digits);
    out_.append(digits, sizeof digits);
  }
  // Nearly all is plain, which is known sooner than octets are looked at one by one.
  void escaped(std::string_view value) {
    if (is_plain_json(value)) out_ += value;
    else append_json_escaped(out_, value);
  }
  void number(std::int64_t n) {
    char digits[20];
    out_.append(digits, std::to_chars(digits, digits + sizeof digits, n).ptr);
  }
  void begin(std::string_view key, std::string_view kind) {
    out_ += std::exchange(open_, true) ? ",{\"key\":\"" : ",\"attributes\":[{\"key\":\"";
    out_.append(key).append("\",\"value\":{\"").append(kind).append("\":");
  }

  std::string& out_;
  bool open_ = false, events_ = false;
};

// So that nobody makes names of spans: the methods that are registered.
std::string_view known_method(std::string_view method) noexcept { return http::method_of(method) == http::Method::Other ? "_OTHER" : method; }

bool is_success(std::string_view reason) noexcept { return reason == reason::kCompleted.word; }

void append_own(std::string& out, const Record& r) {
  const TraceNote& trace = r.trace;
  const bool is_call = !trace.what.empty();
  SpanText span(out, true, trace, trace.span, trace.parent);
  const std::string_view method = http::method_of(r.method) == http::Method::Other ? "HTTP" : r.method;
  if (is_call) span.named(trace.what, {}, SpanKind::Internal, r.began, r.began + r.total);
  else span.named(method, trace.route_path, SpanKind::Server, r.began, r.began + r.total);
  const std::size_t mark = std::min(r.target.find('?'), r.target.size());
  span.text("http.request.method", known_method(r.method));
  if (http::method_of(r.method) == http::Method::Other) span.text("http.request.method_original", r.method);
  span.text("url.scheme", trace.scheme);
  span.text("url.path", r.target.substr(0, mark));
  if (mark < r.target.size()) span.text("url.query", r.target.substr(mark + 1));
  span.text("http.route", trace.route_path);
  if (r.status != 0) span.integer("http.response.status_code", r.status);
  if (!is_call) {
    span.text("server.address", r.host);
    if (r.client.ip.family != IpAddress::Family::None) span.text("client.address", format(r.client.ip));
    span.text("network.protocol.version", r.version);
    span.text("user_agent.original", r.user_agent);
    span.integer("http.request.body.size", r.request_octets);
    span.integer("http.response.body.size", r.response_octets);
    span.text("gatelab.listener", r.listener);
  }
  span.text("gatelab.request_id", r.request_id);
  span.text("gatelab.route", r.route);
  span.text("gatelab.consumer", r.consumer);
  span.text("gatelab.ended_by", r.ended.by);
  span.text("gatelab.reason", r.ended.reason);
  span.text("gatelab.policy_id", is_success(r.ended.reason) ? std::string_view() : r.ended.id);
  span.text("gatelab.cache", r.cache);
  span.text("gatelab.variant", r.variant);
  span.text("gatelab.injected", r.injected);
  span.flag("gatelab.truncated", r.truncated);
  const bool failed = r.status == 0 || r.status >= 500 || r.truncated;
  if (failed) span.text("error.type", r.ended.reason);
  span.end(failed ? r.ended.reason : std::string_view());
}

void append_decision(SpanText& span, const Record& r, const Timing& timing) {
  const Decision& d = *(r.decisions.begin() + timing.decision);
  span.begin_event(d.policy, r.began + timing.ended);
  span.text("gatelab.policy_id", d.id);
  span.text("gatelab.outcome", name(d.outcome));
  span.text("gatelab.reason", d.reason);
  span.text("gatelab.place", d.place);
  span.end_event();
}

// One span for all of a phase; each policy is an event in it. False: nothing of the exchange belongs to that phase.
bool append_phase(std::string& out, const Record& r, Phase phase) {
  Duration began = Duration::max(), ended{};
  for (const Timing& one : r.timings) {
    if (one.phase != phase) continue;
    began = std::min(began, one.began);
    ended = std::max(ended, one.ended);
  }
  if (began == Duration::max()) return false;
  SpanText span(out, false, r.trace, phase_span(r.trace.span, phase), r.trace.span);
  span.named(name(phase), {}, SpanKind::Internal, r.began + began, r.began + ended);
  for (const Timing& one : r.timings)
    if (one.phase == phase && one.decision >= 0) append_decision(span, r, one);
  span.end({});
  return true;
}

void append_try(std::string& out, const Record& r, const Attempt& a, std::uint64_t parent, std::uint32_t nth) {
  SpanText span(out, false, r.trace, a.span, parent);
  span.named(known_method(r.method), {}, SpanKind::Client, r.began + a.started, r.began + std::max(a.started, a.ended));
  span.text("http.request.method", known_method(r.method));
  if (a.address.ip.family != IpAddress::Family::None) {
    span.text("server.address", format(a.address.ip));
    span.integer("server.port", a.address.port);
  }
  if (a.status != 0) span.integer("http.response.status_code", a.status);
  if (nth > 0) span.integer("http.request.resend_count", nth);
  span.text("gatelab.upstream", a.upstream);
  span.text("gatelab.target", a.target);
  span.text("gatelab.reason", a.reason);
  span.text("gatelab.not_retried", a.not_retried);
  span.flag("gatelab.connection_reused", a.reused);
  span.flag("gatelab.hedge", a.hedge);
  if (a.connected > Duration{}) span.milliseconds("gatelab.connect_ms", a.connected);
  if (a.first_byte > Duration{}) span.milliseconds("gatelab.answer_ms", a.first_byte);
  const bool failed = a.status >= 400 || a.status == 0 || (!is_success(a.reason) && a.reason != reason::kRetried.word && a.reason != reason::kHedged.word);
  char status[8];
  const std::string_view code(status, static_cast<std::size_t>(std::to_chars(status, status + sizeof status, a.status).ptr - status));
  const std::string_view error = !failed ? std::string_view() : is_success(a.reason) || a.reason == reason::kRetried.word ? code : a.reason;
  span.text("error.type", error);
  span.end(error);
}

}  // namespace

std::size_t append_spans(std::string& out, const Record& r) {
  std::size_t count = 1;
  append_own(out, r);
  bool forwards = false;
  for (auto phase = static_cast<std::uint8_t>(Phase::Accept); phase <= static_cast<std::uint8_t>(Phase::Log) && r.timings.size() > 0; ++phase) {
    if (!append_phase(out, r, static_cast<Phase>(phase))) continue;
    forwards = forwards || phase == static_cast<std::uint8_t>(Phase::Forward);
    ++count;
  }
  const std::uint64_t parent = forwards ? phase_span(r.trace.span, Phase::Forward) : r.trace.span;
  std::uint32_t nth = 0;
  for (const Attempt& a : r.attempts) {
    if (a.span == 0) continue;
    append_try(out, r, a, parent, nth++);
    ++count;
  }
  return count;
}

std::string otlp_head(std::string_view service) {
  std::string out = "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"";
  append_json_escaped(out, service);
  return out + "\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"gatelab\"},\"spans\":[";
}

}  // namespace gatelab::observe
