// SPDX-License-Identifier: Apache-2.0
#include "observe/log_fields.h"

#include "observe/log_text.h"

namespace gatelab::observe {
namespace {

using Kind = LogFieldInfo::Kind;

constexpr LogFieldInfo kFields[] = {
    {"time", LogField::Time, Kind::Time, true},
    {"request_id", LogField::RequestId, Kind::Text, true},
    {"trace_id", LogField::TraceId, Kind::Text, true},
    {"client", LogField::Client, Kind::Address, true},
    {"peer", LogField::Peer, Kind::Address, true},
    {"listener", LogField::Listener, Kind::Text, true},
    {"method", LogField::Method, Kind::Text, true},
    {"host", LogField::Host, Kind::Text, true},
    {"target", LogField::Target, Kind::Text, true},
    {"version", LogField::Version, Kind::Text, true},
    {"status", LogField::Status, Kind::Number, true},
    {"route", LogField::Route, Kind::Text, true},
    {"consumer", LogField::Consumer, Kind::Text, true},
    {"by", LogField::By, Kind::Text, true},
    {"phase", LogField::Phase, Kind::Text, true},
    {"reason", LogField::Reason, Kind::Text, true},
    {"policy_id", LogField::PolicyId, Kind::Text, true},
    {"upstream", LogField::Upstream, Kind::Text, true},
    {"upstream_target", LogField::UpstreamTarget, Kind::Text, true},
    {"attempts", LogField::Attempts, Kind::Number, true},
    {"tries", LogField::Tries, Kind::Tries, true},
    {"parts", LogField::Parts, Kind::Parts, true},
    {"request_bytes", LogField::RequestBytes, Kind::Number, true},
    {"response_bytes", LogField::ResponseBytes, Kind::Number, true},
    {"duration_ms", LogField::DurationMs, Kind::Milliseconds, true},
    {"upstream_ms", LogField::UpstreamMs, Kind::Milliseconds, true},
    {"truncated", LogField::Truncated, Kind::Flag, true},
    {"cache", LogField::Cache, Kind::Text, true},
    {"variant", LogField::Variant, Kind::Text, true},
    {"injected", LogField::Injected, Kind::Text, true},
    {"mirrored_to", LogField::MirroredTo, Kind::Text, true},
    {"tls_version", LogField::TlsVersion, Kind::Text, true},
    {"tls_cipher", LogField::TlsCipher, Kind::Text, true},
    {"tls_sni", LogField::TlsSni, Kind::Text, true},
    {"tls_resumed", LogField::TlsResumed, Kind::Flag, true},
    {"tls_client", LogField::TlsClient, Kind::Text, true},
    {"tls_client_fingerprint", LogField::TlsClientFingerprint, Kind::Text, true},
    {"tls_error", LogField::TlsError, Kind::Text, true},
    {"user_agent", LogField::UserAgent, Kind::Text, true},
    {"referer", LogField::Referer, Kind::Text, true},
    {"time_common", LogField::TimeCommon, Kind::Time, false},
    {"time_unix", LogField::TimeUnix, Kind::Number, false},
    {"span_id", LogField::SpanId, Kind::Text, false},
    {"path", LogField::Path, Kind::Text, false},
    {"query", LogField::Query, Kind::Text, false},
};
static_assert(std::size(kFields) == kLogFields);
static_assert([] {
  for (std::size_t i = 0; i < kLogFields; ++i)
    if (kFields[i].field != static_cast<LogField>(i)) return false;
  return true;
}());

std::string_view decimal(std::uint64_t n, LogFieldRoom& room) noexcept { return {room, static_cast<std::size_t>(std::to_chars(room, room + sizeof room, n).ptr - room)}; }
std::string_view milliseconds(Duration d, LogFieldRoom& room) noexcept { return {room, static_cast<std::size_t>(put_ms(room, d) - room)}; }
std::string_view address(const IpAddress& ip, LogFieldRoom& room) noexcept {
  char text[46];
  const std::size_t size = format_to(ip, text);
  std::copy_n(text, size, room);
  return {room, size};
}

// "1767225600.007"
std::string_view unix_time(Instant t, LogFieldRoom& room) noexcept {
  char* at = std::to_chars(room, room + sizeof room, t.seconds()).ptr;
  *at++ = '.';
  at = put_digits(at, static_cast<std::uint64_t>(t.ns / 1'000'000 % 1000), 3);
  return {room, static_cast<std::size_t>(at - room)};
}

std::string_view common_time(Instant t, LogFieldRoom& room) noexcept { return {room, static_cast<std::size_t>(put_common_time(room, t) - room)}; }

std::string_view span_id(std::uint64_t id, LogFieldRoom& room) noexcept {
  constexpr char kHex[] = "0123456789abcdef";
  if (id == 0) return {};
  for (int i = 0; i < 16; ++i) room[i] = kHex[(id >> (60 - 4 * i)) & 15];
  return {room, 16};
}

}  // namespace

std::span<const LogFieldInfo> log_fields() noexcept { return kFields; }

const LogFieldInfo* find_log_field(std::string_view name) noexcept {
  for (const LogFieldInfo& one : kFields)
    if (one.name == name) return &one;
  return nullptr;
}

std::string_view value_of(LogField field, const Record& r, LogFieldRoom& room) noexcept {
  const std::size_t mark = r.target.find('?');
  switch (field) {
    case LogField::Time: return {room, static_cast<std::size_t>(put_time(room, r.began) - room)};
    case LogField::TimeCommon: return common_time(r.began, room);
    case LogField::TimeUnix: return unix_time(r.began, room);
    case LogField::RequestId: return r.request_id;
    case LogField::TraceId: return r.trace.id;
    case LogField::SpanId: return span_id(r.trace.span, room);
    case LogField::Client: return address(r.client.ip, room);
    case LogField::Peer: return r.proxied ? address(r.peer.ip, room) : std::string_view();
    case LogField::Listener: return r.listener;
    case LogField::Method: return r.method;
    case LogField::Host: return r.host;
    case LogField::Target: return r.target;
    case LogField::Path: return r.target.substr(0, mark);
    case LogField::Query: return mark == std::string_view::npos ? std::string_view() : r.target.substr(mark + 1);
    case LogField::Version: return r.version;
    case LogField::Status: return decimal(r.status, room);
    case LogField::Route: return r.route;
    case LogField::Consumer: return r.consumer;
    case LogField::By: return r.ended.by;
    case LogField::Phase: return name(r.ended.phase);
    case LogField::Reason: return r.ended.reason;
    case LogField::PolicyId: return r.ended.id;
    case LogField::Upstream: return last_upstream(r);
    case LogField::UpstreamTarget: return last_target(r);
    case LogField::Attempts: return decimal(r.attempts.size(), room);
    case LogField::Tries:
    case LogField::Parts: return {};
    case LogField::RequestBytes: return decimal(r.request_octets, room);
    case LogField::ResponseBytes: return decimal(r.response_octets, room);
    case LogField::DurationMs: return milliseconds(r.total, room);
    case LogField::UpstreamMs: return milliseconds(r.upstream, room);
    case LogField::Truncated: return r.truncated ? "true" : "";
    case LogField::Cache: return r.cache;
    case LogField::Variant: return r.variant;
    case LogField::Injected: return r.injected;
    case LogField::MirroredTo: return r.mirrored_to;
    case LogField::TlsVersion: return r.tls.version;
    case LogField::TlsCipher: return r.tls.cipher;
    case LogField::TlsSni: return r.tls.sni;
    case LogField::TlsResumed: return r.tls.resumed ? "true" : "";
    case LogField::TlsClient: return r.tls.client;
    case LogField::TlsClientFingerprint: return r.tls.client_fingerprint;
    case LogField::TlsError: return r.tls.error;
    case LogField::UserAgent: return r.user_agent;
    case LogField::Referer: return r.referer;
  }
  return {};
}

}  // namespace gatelab::observe
