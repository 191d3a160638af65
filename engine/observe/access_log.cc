// SPDX-License-Identifier: Apache-2.0
#include "observe/access_log.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "base/units.h"

namespace gatelab::observe {
namespace {

void append_number(std::string& out, std::uint64_t n) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, n).ptr);
}

char* put_digits(char* at, std::uint64_t n, int digits) noexcept {
  for (int i = digits; i-- > 0; n /= 10) at[i] = static_cast<char>('0' + n % 10);
  return at + digits;
}

// Milliseconds with three decimals, in integers: floating point is slow to print.
char* put_ms(char* at, Duration d) noexcept {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, d.count() / 1000));
  at = std::to_chars(at, at + 20, us / 1000).ptr;
  *at++ = '.';
  return put_digits(at, us % 1000, 3);
}

void append_ms(std::string& out, Duration d) {
  char text[24];
  out.append(text, put_ms(text, d));
}

// "2026-01-01T00:00:00.000Z"; the part up to the second is kept from line to line.
char* put_time(char* at, Instant t) noexcept {
  thread_local std::int64_t second = -1;
  thread_local char text[kInstantOctets + 1];
  if (t.seconds() != second) {
    second = t.seconds();
    format_to(Instant::from_seconds(second), text);
  }
  at = put(at, {text, 19});
  *at++ = '.';
  at = put_digits(at, static_cast<std::uint64_t>(t.ns / 1'000'000 % 1000), 3);
  *at++ = 'Z';
  return at;
}

void append_time(std::string& out, Instant t) {
  char text[kInstantOctets + 1];
  out.append(text, put_time(text, t));
}

void append_ip(std::string& out, const IpAddress& ip) {
  char text[46];
  out.append(text, format_to(ip, text));
}

std::string_view last_upstream(const Record& r) noexcept {
  std::string_view name;
  for (const Attempt& a : r.attempts) name = a.upstream;
  return name;
}

// Empty where it is the upstream's only one.
std::string_view last_target(const Record& r) noexcept {
  if (r.attempts.size() == 0) return {};
  const Attempt& last = *(r.attempts.end() - 1);
  return last.target == last.upstream ? std::string_view() : last.target;
}

// Of one try there would be nothing to read that the rest of the line does not say.
bool lists_tries(const Record& r) noexcept { return r.attempts.size() > 1; }

constexpr std::size_t kTryOctets = 54;  // of one: a sixth of its keys and numbers

// "primary:upstream-reset,backup:completed"
std::string tries_of(const Record& r) {
  std::string out;
  for (const Attempt& a : r.attempts) out.append(out.empty() ? "" : ",").append(a.target).append(":").append(a.reason);
  return out;
}

// "user:completed,orders:response-timeout"
std::string parts_of(const Record& r) {
  std::string out;
  for (const PartNote& p : r.parts) out.append(out.empty() ? "" : ",").append(p.name).append(":").append(p.reason);
  return out;
}

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
  static constexpr std::size_t kOwnOctets = 1280;  // keys, numbers, addresses, the instant

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
  for (const PartNote& p : r.parts) tries += p.name.size() + p.upstream.size() + p.target.size() + p.reason.size() + p.cache.size() + kTryOctets;
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

void json_parts(JsonLine& line, const Record& r) {
  line.raw(",\"parts\":[");
  bool first = true;
  for (const PartNote& p : r.parts) {
    if (!std::exchange(first, false)) line.raw(",");
    line.text("{\"part\":\"", p.name);
    line.text(",\"upstream\":\"", p.upstream);
    line.text(",\"target\":\"", p.target);
    line.text(",\"reason\":\"", p.reason);
    line.number(",\"status\":", p.status);
    line.number(",\"tries\":", p.tries);
    line.text(",\"cache\":\"", p.cache);
    line.ms(",\"after_ms\":", p.started);
    line.ms(",\"duration_ms\":", p.took);
    line.raw("}");
  }
  line.raw("]");
}

void json(std::string& out, const Record& r) {
  const std::string_view target = last_target(r);
  JsonLine line(out, octets_of(r, target));
  line.raw("{\"time\":\"");
  line.instant(r.began);
  line.raw("\"");
  line.text(",\"request_id\":\"", r.request_id);
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
  if (r.parts.size() != 0) json_parts(line, r);
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

void combined(std::string& out, const Record& r) {
  constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::string t = format(Instant::from_seconds(r.began.seconds()));  // 2026-01-02T03:04:05.000Z
  append_ip(out, r.client.ip);
  out += " - ";
  combined_text(out, r.consumer);
  const auto month = static_cast<std::size_t>((t[5] - '0') * 10 + (t[6] - '0') - 1);
  out.append(" [").append(t, 8, 2).append("/").append(kMonths + 3 * month, 3).append("/").append(t, 0, 4).append(":").append(t, 11, 8).append(" +0000] \"");
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

void pretty(std::string& out, const Record& r, bool colour) {
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
    out += " of ";
    append_ip(out, r.client.ip);
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
    case LogFormat::Combined: return combined(out, r);
    case LogFormat::Pretty: return pretty(out, r, colour);
  }
}

}  // namespace gatelab::observe
