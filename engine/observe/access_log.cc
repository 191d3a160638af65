// SPDX-License-Identifier: Apache-2.0
#include "observe/access_log.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "base/units.h"

namespace gatelab::observe {
namespace {

void append_number(std::string& out, std::uint64_t n) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, n).ptr);
}

// Milliseconds with three decimals, in integers: floating point is slow to print.
void append_ms(std::string& out, Duration d) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, d.count() / 1000));
  append_number(out, us / 1000);
  char rest[4] = {'.', static_cast<char>('0' + us / 100 % 10), static_cast<char>('0' + us / 10 % 10), static_cast<char>('0' + us % 10)};
  out.append(rest, 4);
}

void two(std::string& out, std::int64_t n) {
  out += static_cast<char>('0' + n / 10 % 10);
  out += static_cast<char>('0' + n % 10);
}

// "2026-01-01T00:00:00.000Z"; the part up to the second is kept from line to line.
void append_time(std::string& out, Instant t) {
  thread_local std::int64_t second = -1;
  thread_local char text[kInstantOctets + 1];
  if (t.seconds() != second) {
    second = t.seconds();
    format_to(Instant::from_seconds(second), text);
  }
  out.append(text, 19);
  const std::int64_t ms = t.ns / 1'000'000 % 1000;
  out += '.';
  out += static_cast<char>('0' + ms / 100);
  two(out, ms % 100);
  out += 'Z';
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

// Members of a JSON object, written behind each other. The line grows once a member: this runs once a request, and
// appending octet by octet showed in profiles.
class JsonLine {
 public:
  explicit JsonLine(std::string& out) : out_(out) {}

  // `key` is a literal with its punctuation, such as ,"host":" (the closing quote is added here). Empty values are left out.
  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    if (!is_plain_json(value)) {
      out_ += key;
      append_json_escaped(out_, value);
      out_ += '"';
      return;
    }
    char* at = grow(key.size() + value.size() + 1);
    at = copy(at, key);
    at = copy(at, value);
    *at = '"';
  }
  void flag(std::string_view member, bool is_set) {
    if (is_set) out_ += member;
  }
  void number(std::string_view key, std::uint64_t value) {
    char digits[20];
    const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    const std::string_view text(digits, static_cast<std::size_t>(end - digits));
    copy(copy(grow(key.size() + text.size()), key), text);
  }

 private:
  char* grow(std::size_t n) {
    const std::size_t size = out_.size();
    out_.resize(size + n);
    return out_.data() + size;
  }
  static char* copy(char* at, std::string_view text) noexcept {
    std::memcpy(at, text.data(), text.size());
    return at + text.size();
  }
  std::string& out_;
};

void json_tls(JsonLine& line, const TlsNote& tls) {
  line.text(",\"tls_version\":\"", tls.version);
  line.text(",\"tls_cipher\":\"", tls.cipher);
  line.text(",\"tls_sni\":\"", tls.sni);
  line.flag(",\"tls_resumed\":true", tls.resumed);
  line.text(",\"tls_client\":\"", tls.client);
  line.text(",\"tls_client_fingerprint\":\"", tls.client_fingerprint);
  line.text(",\"tls_error\":\"", tls.error);
}

void json(std::string& out, const Record& r) {
  JsonLine line(out);
  out += "{\"time\":\"";
  append_time(out, r.began);
  out += '"';
  line.text(",\"request_id\":\"", r.request_id);
  out += ",\"client\":\"";
  append_ip(out, r.client.ip);
  if (r.proxied) {
    out += "\",\"peer\":\"";
    append_ip(out, r.peer.ip);
  }
  out += '"';
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
  line.number(",\"attempts\":", r.attempts.size());
  line.number(",\"request_bytes\":", r.request_octets);
  line.number(",\"response_bytes\":", r.response_octets);
  out += ",\"duration_ms\":";
  append_ms(out, r.total);
  out += ",\"upstream_ms\":";
  append_ms(out, r.upstream);
  line.flag(",\"truncated\":true", r.truncated);
  json_tls(line, r.tls);
  line.text(",\"user_agent\":\"", r.user_agent);
  line.text(",\"referer\":\"", r.referer);
  out += "}\n";
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
  logfmt_number(out, "attempts", r.attempts.size());
  logfmt_number(out, "request_bytes", r.request_octets);
  logfmt_number(out, "response_bytes", r.response_octets);
  out += " duration_ms=";
  append_ms(out, r.total);
  out += " upstream_ms=";
  append_ms(out, r.upstream);
  if (r.truncated) out += " truncated=true";
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
  combined_text(out, r.method);
  out += ' ';
  combined_text(out, r.target);
  out.append(" HTTP/").append(r.version).append("\" ");
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
  combined_text(out, r.method);
  out += ' ';
  combined_text(out, r.target);
  // Names of the configuration keep their letters, whatever the language.
  const auto named = [&out](std::string_view before, std::string_view name) {
    out += before;
    append_json_escaped(out, name);
  };
  named("  ", r.route);
  const std::string_view upstream = last_upstream(r);
  if (!upstream.empty()) named(" → ", upstream);
  if (!r.consumer.empty()) {
    out += "  as ";
    combined_text(out, r.consumer);
  }
  if (r.ended.reason != reason::kCompleted.word) {
    named("  ", r.ended.by);
    named(": ", r.ended.reason);
  }
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
