// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/recording.h"

#include <algorithm>

#include "base/base64.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace gatelab::harness {
namespace {

void add_text(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

void add_member(std::string& out, std::string_view name, std::string_view text) {
  add_text(out, name);
  out += ':';
  add_text(out, text);
}

void add_number(std::string& out, std::string_view name, std::int64_t value) {
  out += ',';
  add_text(out, name);
  out += ':';
  out += std::to_string(value);
}

void add_headers(std::string& out, const RecordedHeaders& headers) {
  out += ",\"headers\":[";
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (i != 0) out += ',';
    out += '[';
    add_text(out, headers[i].first);
    out += ',';
    add_text(out, headers[i].second);
    out += ']';
  }
  out += ']';
}

}  // namespace

std::string body_digest(std::string_view octets) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "sha256:";
  for (const std::uint8_t octet : crypto::sha256(octets)) {
    out += kHex[octet >> 4];
    out += kHex[octet & 15];
  }
  return out;
}

bool Recording::has_upstreams() const noexcept {
  return std::any_of(exchanges.begin(), exchanges.end(), [](const RecordedExchange& e) { return !e.attempts.empty(); });
}

std::string RecordingWriter::first_line() { return "{\"gatelab\":\"recording\",\"version\":1}\n"; }

void RecordingWriter::add_body(std::string& out, std::string& before, const RecordedBody& body) {
  const bool kept = body.octets != nullptr && body.octets->size() <= max_body_;
  if (body.octets == nullptr && body.size == 0 && body.left_out.empty()) return;
  if (body.octets != nullptr && body.octets->empty()) return;
  const std::uint64_t size = body.octets != nullptr ? body.octets->size() : body.size;
  add_number(out, "size", static_cast<std::int64_t>(std::min<std::uint64_t>(size, INT64_MAX)));
  out += ',';
  if (!kept) return add_member(out, "left_out", body.octets != nullptr ? "too-large" : body.left_out.empty() ? "unknown" : std::string_view(body.left_out));
  const std::string digest = body_digest(*body.octets);
  add_member(out, "body", digest);
  if (!written_.insert(digest).second) return;
  before += '{';
  add_member(before, "body", digest);
  before += ',';
  add_member(before, "base64", base64_encode(*body.octets));
  before += "}\n";
}

void RecordingWriter::add_request(std::string& out, std::string& before, const RecordedRequest& request) {
  out += '{';
  add_member(out, "method", request.method);
  out += ',';
  add_member(out, "target", request.target);
  out += ',';
  add_member(out, "version", request.version);
  add_headers(out, request.headers);
  add_body(out, before, request.body);
  out += '}';
}

void RecordingWriter::add_answer(std::string& out, std::string& before, const RecordedAnswer& answer) {
  out += "{\"status\":" + std::to_string(answer.status);
  add_headers(out, answer.headers);
  add_body(out, before, answer.body);
  out += '}';
}

std::string RecordingWriter::lines(const RecordedExchange& exchange) {
  std::string before, out = "{";
  add_member(out, "exchange", exchange.id);
  add_number(out, "began", exchange.began.ns);
  add_number(out, "took", exchange.took.count());
  out += ',';
  add_member(out, "scheme", exchange.scheme);
  out += ",\"request\":";
  add_request(out, before, exchange.request);
  out += ",\"answer\":";
  add_answer(out, before, exchange.answer);
  out += ",\"attempts\":[";
  for (std::size_t i = 0; i < exchange.attempts.size(); ++i) {
    const RecordedAttempt& attempt = exchange.attempts[i];
    out += i == 0 ? "{" : ",{";
    add_member(out, "upstream", attempt.upstream);
    out += ',';
    add_member(out, "target", attempt.target);
    out += ',';
    add_member(out, "reason", attempt.reason);
    add_number(out, "at", attempt.at.count());
    add_number(out, "took", attempt.took.count());
    out += ",\"request\":";
    add_request(out, before, attempt.request);
    out += ",\"answer\":";
    add_answer(out, before, attempt.answer);
    out += '}';
  }
  out += "]}\n";
  return before + out;
}

}  // namespace gatelab::harness
