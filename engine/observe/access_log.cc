// SPDX-License-Identifier: Apache-2.0
#include "observe/access_log.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>
#include <utility>

#include "observe/log_shape.h"
#include "observe/log_text.h"

namespace gatelab::observe {
namespace {

constexpr std::size_t kTryOctets = 54;  // of one: a sixth of its keys and numbers

// Members of a JSON object, written behind each other into room that was made for all of them at once: this runs once a
// request, and growing a string member by member showed in profiles. A key is a literal with its punctuation, such as
// ,"host":" (a text's closing quote is added here); its length is known where it is used.
class JsonLine {
 public:
  // `texts`: octets of all values. Each may become "\u00xx".
  JsonLine(std::string& out, std::size_t texts) : out_(out), begin_(out.size()) {
    out.resize(begin_ + kOwnOctets + 6 * texts);
    at_ = out.data() + begin_;
  }
  ~JsonLine() {
    assert(at_ <= out_.data() + out_.size() && "kOwnOctets is too little");
    out_.resize(static_cast<std::size_t>(at_ - out_.data()));
  }
  JsonLine(const JsonLine&) = delete;
  JsonLine& operator=(const JsonLine&) = delete;

  void made(std::string_view json) noexcept { at_ = put(at_, json); }
  template <std::size_t N>
  void raw(const char (&literal)[N]) noexcept {
    std::memcpy(at_, literal, N - 1);
    at_ += N - 1;
  }
  template <std::size_t N>
  void flag(const char (&member)[N], bool is_set) noexcept {
    if (is_set) raw(member);
  }
  // Left out when empty.
  template <std::size_t N>
  void text(const char (&key)[N], std::string_view value) {
    if (value.empty()) return;
    raw(key);
    if (is_plain_json(value)) at_ = put(at_, value);
    else escaped(value);
    *at_++ = '"';
  }
  template <std::size_t N>
  void number(const char (&key)[N], std::uint64_t value) noexcept {
    raw(key);
    at_ = std::to_chars(at_, at_ + 20, value).ptr;
  }
  template <std::size_t N>
  void ms(const char (&key)[N], Duration d) noexcept {
    raw(key);
    at_ = put_ms(at_, d);
  }
  template <std::size_t N>
  void ip(const char (&key)[N], const IpAddress& ip) noexcept {
    raw(key);
    at_ += format_to(ip, at_);
    *at_++ = '"';
  }
  void instant(Instant t) noexcept { at_ = put_time(at_, t); }

 private:
  static constexpr std::size_t kOwnOctets = 1328;  // keys, numbers, addresses, the instant, the trace's id

  void escaped(std::string_view value) {
    std::string text;
    append_json_escaped(text, value);
    at_ = put(at_, text);
  }

  std::string& out_;
  std::size_t begin_;
  char* at_;
};

std::size_t octets_of(const Record& r, std::string_view target) noexcept {
  std::size_t tries = target.size();
  if (lists_tries(r))
    for (const Attempt& a : r.attempts) tries += a.target.size() + a.reason.size() + a.not_retried.size() + kTryOctets;
  return tries + r.request_id.size() + r.listener.size() + r.method.size() + r.host.size() + r.target.size() + r.version.size() + r.route.size() + r.consumer.size() +
         r.ended.by.size() + r.ended.reason.size() + r.ended.id.size() + last_upstream(r).size() + r.user_agent.size() + r.referer.size() + r.variant.size() + r.injected.size() + r.mirrored_to.size() + r.cache.size() + r.tls.version.size() +
         r.tls.cipher.size() + r.tls.sni.size() + r.tls.client.size() + r.tls.client_fingerprint.size() + r.tls.error.size();
}

void json_tls(JsonLine& line, const TlsNote& tls) {
  line.text(",\"tls_version\":\"", tls.version);
  line.text(",\"tls_cipher\":\"", tls.cipher);
  line.text(",\"tls_sni\":\"", tls.sni);
  line.flag(",\"tls_resumed\":true", tls.resumed);
  line.text(",\"tls_client\":\"", tls.client);
  line.text(",\"tls_client_fingerprint\":\"", tls.client_fingerprint);
  line.text(",\"tls_error\":\"", tls.error);
}

void json_tries(JsonLine& line, const Record& r) {
  line.raw(",\"tries\":[");
  bool first = true;
  for (const Attempt& a : r.attempts) {
    if (!std::exchange(first, false)) line.raw(",");
    line.text("{\"target\":\"", a.target);
    line.text(",\"reason\":\"", a.reason);
    line.number(",\"status\":", a.status);
    line.ms(",\"after_ms\":", a.started);
    line.ms(",\"connect_ms\":", a.connected);
    line.ms(",\"answer_ms\":", a.first_byte);
    line.flag(",\"hedge\":true", a.hedge);
    line.text(",\"not_retried\":\"", a.not_retried);
    line.raw("}");
  }
  line.raw("]");
}

void json(std::string& out, const Record& r) {
  const std::string_view target = last_target(r);
  const std::string parts = r.parts.size() != 0 ? parts_json(r) : std::string();
  JsonLine line(out, octets_of(r, target) + parts.size());
  line.raw("{\"time\":\"");
  line.instant(r.began);
  line.raw("\"");
  line.text(",\"request_id\":\"", r.request_id);
  line.text(",\"trace_id\":\"", r.trace.id);
  line.ip(",\"client\":\"", r.client.ip);
  if (r.proxied) line.ip(",\"peer\":\"", r.peer.ip);
  line.text(",\"listener\":\"", r.listener);
  line.text(",\"method\":\"", r.method);
  line.text(",\"host\":\"", r.host);
  line.text(",\"target\":\"", r.target);
  line.text(",\"version\":\"", r.version);
  line.number(",\"status\":", r.status);
  line.text(",\"route\":\"", r.route);
  line.text(",\"consumer\":\"", r.consumer);
  line.text(",\"by\":\"", r.ended.by);
  line.text(",\"phase\":\"", name(r.ended.phase));
  line.text(",\"reason\":\"", r.ended.reason);
  line.text(",\"policy_id\":\"", r.ended.id);
  line.text(",\"upstream\":\"", last_upstream(r));
  line.text(",\"upstream_target\":\"", target);
  line.number(",\"attempts\":", r.attempts.size());
  if (lists_tries(r)) json_tries(line, r);
  if (!parts.empty()) {
    line.raw(",\"parts\":");
    line.made(parts);
  }
  line.number(",\"request_bytes\":", r.request_octets);
  line.number(",\"response_bytes\":", r.response_octets);
  line.ms(",\"duration_ms\":", r.total);
  line.ms(",\"upstream_ms\":", r.upstream);
  line.flag(",\"truncated\":true", r.truncated);
  line.text(",\"cache\":\"", r.cache);
  line.text(",\"variant\":\"", r.variant);
  line.text(",\"injected\":\"", r.injected);
  line.text(",\"mirrored_to\":\"", r.mirrored_to);
  json_tls(line, r.tls);
  line.text(",\"user_agent\":\"", r.user_agent);
  line.text(",\"referer\":\"", r.referer);
  line.raw("}\n");
}

void logfmt_text(std::string& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  out.append(" ").append(key).append("=");
  if (is_plain_json(value) && value.find_first_of(" =") == std::string_view::npos) {
    out += value;
    return;
  }
  out += '"';
  append_json_escaped(out, value);
  out += '"';
}

void logfmt_number(std::string& out, std::string_view key, std::uint64_t value) {
  out.append(" ").append(key).append("=");
  append_number(out, value);
}

void logfmt(std::string& out, const Record& r) {
  out += "time=";
  append_time(out, r.began);
  logfmt_text(out, "request_id", r.request_id);
  logfmt_text(out, "trace_id", r.trace.id);
  out += " client=";
  append_ip(out, r.client.ip);
  if (r.proxied) {
    out += " peer=";
    append_ip(out, r.peer.ip);
  }
  logfmt_text(out, "listener", r.listener);
  logfmt_text(out, "method", r.method);
  logfmt_text(out, "host", r.host);
  logfmt_text(out, "target", r.target);
  logfmt_text(out, "version", r.version);
  logfmt_number(out, "status", r.status);
  logfmt_text(out, "route", r.route);
  logfmt_text(out, "consumer", r.consumer);
  logfmt_text(out, "by", r.ended.by);
  logfmt_text(out, "phase", name(r.ended.phase));
  logfmt_text(out, "reason", r.ended.reason);
  logfmt_text(out, "policy_id", r.ended.id);
  logfmt_text(out, "upstream", last_upstream(r));
  logfmt_text(out, "upstream_target", last_target(r));
  logfmt_number(out, "attempts", r.attempts.size());
  if (lists_tries(r)) logfmt_text(out, "tries", tries_of(r));
  if (r.parts.size() != 0) logfmt_text(out, "parts", parts_of(r));
  logfmt_number(out, "request_bytes", r.request_octets);
  logfmt_number(out, "response_bytes", r.response_octets);
  out += " duration_ms=";
  append_ms(out, r.total);
  out += " upstream_ms=";
  append_ms(out, r.upstream);
  if (r.truncated) out += " truncated=true";
  logfmt_text(out, "cache", r.cache);
  logfmt_text(out, "variant", r.variant);
  logfmt_text(out, "injected", r.injected);
  logfmt_text(out, "mirrored_to", r.mirrored_to);
  logfmt_text(out, "tls_version", r.tls.version);
  logfmt_text(out, "tls_cipher", r.tls.cipher);
  logfmt_text(out, "tls_sni", r.tls.sni);
  if (r.tls.resumed) out += " tls_resumed=true";
  logfmt_text(out, "tls_client", r.tls.client);
  logfmt_text(out, "tls_client_fingerprint", r.tls.client_fingerprint);
  logfmt_text(out, "tls_error", r.tls.error);
  logfmt_text(out, "user_agent", r.user_agent);
  logfmt_text(out, "referer", r.referer);
  out += '\n';
}

// Apache's combined format; controls and quotes as \xHH.
void combined_text(std::string& out, std::string_view value) {
  constexpr char kHex[] = "0123456789abcdef";
  if (value.empty()) out += '-';
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet < 0x7f && c != '"' && c != '\\') {
      out += c;
      continue;
    }
    out += "\\x";
    out += kHex[octet >> 4];
    out += kHex[octet & 15];
  }
}

void combined(std::string& out, const Record& r, std::string_view client) {
  out.append(client).append(" - ");
  combined_text(out, r.consumer);
  out += " [";
  append_common_time(out, r.began);
  out += "] \"";
  // Without a request: as Apache has it for connections that sent none.
  if (r.method.empty()) {
    out += '-';
  } else {
    combined_text(out, r.method);
    out += ' ';
    combined_text(out, r.target);
    out.append(" HTTP/").append(r.version);
  }
  out += "\" ";
  append_number(out, r.status);
  out += ' ';
  append_number(out, r.response_octets);
  out += " \"";
  combined_text(out, r.referer);
  out += "\" \"";
  combined_text(out, r.user_agent);
  out += "\"\n";
}

void pretty(std::string& out, const Record& r, std::string_view client, bool colour) {
  const std::string t = format(r.began);
  const char* tint = r.status == 0 || r.status >= 500 ? "\x1b[31m" : r.status >= 400 ? "\x1b[33m" : "\x1b[32m";
  out.append(t, 11, 12).append(" ");
  if (colour) out += tint;
  if (r.status == 0) out += "---";
  else append_number(out, r.status);
  if (colour) out += "\x1b[0m";
  out += ' ';
  const bool asked = !r.method.empty();
  if (asked) {
    combined_text(out, r.method);
    out += ' ';
    combined_text(out, r.target);
  }
  // Names of the configuration keep their letters, whatever the language.
  const auto named = [&out](std::string_view before, std::string_view name) {
    out += before;
    append_json_escaped(out, name);
  };
  if (asked) named("  ", r.route);
  else {
    named("", name(r.ended.phase));
    named(" on ", r.listener);
    out.append(" of ").append(client);
  }
  const std::string_view upstream = last_upstream(r);
  if (!upstream.empty()) named(" → ", upstream);
  if (!last_target(r).empty()) named("/", last_target(r));
  if (lists_tries(r)) {
    out += " (";
    append_number(out, r.attempts.size());
    out += " tries)";
  }
  if (r.parts.size() != 0) {
    out += "  parts: ";
    out += parts_of(r);
  }
  if (!r.consumer.empty()) {
    out += "  as ";
    combined_text(out, r.consumer);
  }
  if (r.ended.reason != reason::kCompleted.word) {
    named("  ", r.ended.by);
    named(": ", r.ended.reason);
  }
  if (!r.cache.empty()) named("  cache: ", r.cache);
  if (!r.injected.empty()) named("  injected: ", r.injected);
  if (!r.tls.error.empty()) named("  ", r.tls.error);
  out += "  ";
  append_ms(out, r.total);
  out += "ms\n";
}

}  // namespace

void append_line(std::string& out, const Record& r, LogFormat format, bool colour) {
  switch (format) {
    case LogFormat::Json: return json(out, r);
    case LogFormat::Logfmt: return logfmt(out, r);
    case LogFormat::Combined: {
      char client[46];
      return combined(out, r, {client, format_to(r.client.ip, client)});
    }
    case LogFormat::Pretty: {
      char client[46];
      return pretty(out, r, {client, format_to(r.client.ip, client)}, colour);
    }
    case LogFormat::Template: return;  // it is part of a shape
  }
}

void append_line(std::string& out, const Record& r, const LogShape& shape, bool colour) {
  switch (shape.format) {
    case LogFormat::Template: return shape.line.render(out, r, shape.redaction);
    case LogFormat::Json:
    case LogFormat::Logfmt: return shape.redaction.is_on() ? append_redacted(out, r, shape) : append_line(out, r, shape.format, colour);
    case LogFormat::Combined:
    case LogFormat::Pretty: break;
  }
  if (!shape.redaction.is_on()) return append_line(out, r, shape.format, colour);
  HiddenTexts hidden(r, shape.redaction);
  shape.format == LogFormat::Combined ? combined(out, hidden.record, hidden.client) : pretty(out, hidden.record, hidden.client, colour);
}

}  // namespace gatelab::observe
