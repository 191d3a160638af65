// SPDX-License-Identifier: Apache-2.0
#include "observe/record.h"

#include <charconv>
#include <utility>

#include "base/text.h"
#include "base/units.h"

namespace gatelab::observe {
namespace {

void text(std::string& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  if (out.back() != '{') out += ',';
  out.append("\"").append(key).append("\":\"");
  append_json_escaped(out, value);
  out += '"';
}

void number(std::string& out, std::string_view key, std::uint64_t value) {
  if (out.back() != '{') out += ',';
  out.append("\"").append(key).append("\":").append(std::to_string(value));
}

void milliseconds(std::string& out, std::string_view key, Duration d) {
  if (out.back() != '{') out += ',';
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, static_cast<double>(d.count()) / 1e6, std::chars_format::fixed, 3).ptr;
  out.append("\"").append(key).append("\":").append(digits, end);
}

void decision(std::string& out, const OwnedRecord::OwnedDecision& d) {
  out += '{';
  text(out, "policy", d.policy);
  text(out, "id", d.id);
  text(out, "place", d.place);
  text(out, "phase", name(d.phase));
  text(out, "outcome", name(d.outcome));
  text(out, "reason", d.reason);
  text(out, "detail", d.detail);
  out += '}';
}

void attempt(std::string& out, const OwnedRecord::OwnedAttempt& a) {
  out += '{';
  text(out, "upstream", a.upstream);
  text(out, "target", a.target);
  if (a.address.ip.family != IpAddress::Family::None) text(out, "address", format(a.address));
  if (a.status != 0) number(out, "status", a.status);
  text(out, "reason", a.reason);
  if (a.hedge) out += ",\"hedge\":true";
  out += a.reused ? ",\"reused\":true" : ",\"reused\":false";
  milliseconds(out, "started_ms", a.started);
  milliseconds(out, "connect_ms", a.connected);
  milliseconds(out, "first_byte_ms", a.first_byte);
  out += '}';
}

void part(std::string& out, const OwnedRecord::OwnedPart& p) {
  out += '{';
  text(out, "name", p.name);
  text(out, "upstream", p.upstream);
  text(out, "target", p.target);
  if (p.status != 0) number(out, "status", p.status);
  text(out, "reason", p.reason);
  text(out, "cache", p.cache);
  number(out, "tries", p.tries);
  milliseconds(out, "started_ms", p.started);
  milliseconds(out, "duration_ms", p.took);
  out += '}';
}

}  // namespace

void OwnedRecord::assign(const Record& r) {
  request_id = r.request_id;
  trace_id = r.trace.id;
  parent = r.parent;
  listener = r.listener;
  method = r.method;
  host = r.host;
  target = r.target;
  version = r.version;
  route = r.route;
  consumer = r.consumer;
  user_agent = r.user_agent;
  referer = r.referer;
  tls_version = r.tls.version;
  tls_cipher = r.tls.cipher;
  tls_group = r.tls.group;
  tls_sni = r.tls.sni;
  tls_alpn = r.tls.alpn;
  tls_client = r.tls.client;
  tls_client_fingerprint = r.tls.client_fingerprint;
  tls_error = r.tls.error;
  tls_resumed = r.tls.resumed;
  // Empty nearly always, before and after.
  for (const auto& [to, from] : {std::pair(&variant, r.variant), std::pair(&injected, r.injected), std::pair(&mirrored_to, r.mirrored_to), std::pair(&cache, r.cache)})
    if (!to->empty() || !from.empty()) *to = from;
  ended_by = r.ended.by;
  ended_id = r.ended.id;
  ended_reason = r.ended.reason;
  ended_phase = r.ended.phase;
  began = r.began;
  total = r.total;
  upstream = r.upstream;
  client = r.client;
  peer = r.peer;
  proxied = r.proxied;
  status = r.status;
  request_octets = r.request_octets;
  response_octets = r.response_octets;
  truncated = r.truncated;
  decisions.resize(r.decisions.size());
  std::size_t i = 0;
  for (const Decision& from : r.decisions) {
    OwnedDecision& to = decisions[i++];
    to.policy = from.policy;
    to.id = from.id;
    to.place = from.place;
    to.reason = from.reason;
    to.detail = from.detail;
    to.phase = from.phase;
    to.outcome = from.outcome;
  }
  attempts.resize(r.attempts.size());
  i = 0;
  for (const Attempt& from : r.attempts) {
    OwnedAttempt& to = attempts[i++];
    to.upstream = from.upstream;
    to.target = from.target;
    to.reason = from.reason;
    to.address = from.address;
    to.started = from.started;
    to.connected = from.connected;
    to.first_byte = from.first_byte;
    to.status = from.status;
    to.reused = from.reused;
    to.retried = from.retried;
    to.hedge = from.hedge;
    to.not_retried = from.not_retried;
  }
  parts.clear();
  for (const PartNote& p : r.parts)
    parts.push_back({std::string(p.name), std::string(p.upstream), std::string(p.target), std::string(p.reason), std::string(p.cache), p.started, p.took, p.status, p.tries});
}

std::string OwnedRecord::to_json() const {
  std::string out = "{";
  text(out, "request_id", request_id);
  text(out, "trace_id", trace_id);
  text(out, "parent", parent);
  text(out, "time", format(began));
  text(out, "client", format(client.ip));
  if (proxied) text(out, "peer", format(peer.ip));
  text(out, "listener", listener);
  text(out, "method", method);
  text(out, "host", host);
  text(out, "target", target);
  text(out, "version", version);
  number(out, "status", status);
  text(out, "route", route);
  text(out, "consumer", consumer);
  text(out, "variant", variant);
  text(out, "injected", injected);
  text(out, "mirrored_to", mirrored_to);
  text(out, "cache", cache);
  out += ",\"ended\":{";
  text(out, "by", ended_by);
  text(out, "id", ended_id);
  text(out, "phase", name(ended_phase));
  text(out, "reason", ended_reason);
  out += '}';
  number(out, "request_bytes", request_octets);
  number(out, "response_bytes", response_octets);
  milliseconds(out, "duration_ms", total);
  milliseconds(out, "upstream_ms", upstream);
  if (truncated) out += ",\"truncated\":true";
  out += ",\"decisions\":[";
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    if (i > 0) out += ',';
    decision(out, decisions[i]);
  }
  out += "],\"attempts\":[";
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    if (i > 0) out += ',';
    attempt(out, attempts[i]);
  }
  if (!parts.empty()) out += "],\"parts\":[";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += ',';
    part(out, parts[i]);
  }
  return out + "]}";
}

}  // namespace gatelab::observe
