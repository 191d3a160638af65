// SPDX-License-Identifier: Apache-2.0
// How the values of an access-log line are written, for all of its forms. Private to the log. Pure; one thread at a time a buffer.
#pragma once

#include <algorithm>
#include <charconv>
#include <string>

#include "base/text.h"
#include "base/units.h"
#include "observe/record.h"

namespace gatelab::observe {

inline void append_number(std::string& out, std::uint64_t n) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, n).ptr);
}

inline char* put_digits(char* at, std::uint64_t n, int digits) noexcept {
  for (int i = digits; i-- > 0; n /= 10) at[i] = static_cast<char>('0' + n % 10);
  return at + digits;
}

// Milliseconds with three decimals, in integers: floating point is slow to print.
inline char* put_ms(char* at, Duration d) noexcept {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, d.count() / 1000));
  at = std::to_chars(at, at + 20, us / 1000).ptr;
  *at++ = '.';
  return put_digits(at, us % 1000, 3);
}

inline void append_ms(std::string& out, Duration d) {
  char text[24];
  out.append(text, put_ms(text, d));
}

// "2026-01-01T00:00:00.000Z"; the part up to the second is kept from line to line.
inline char* put_time(char* at, Instant t) noexcept {
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

inline void append_time(std::string& out, Instant t) {
  char text[kInstantOctets + 1];
  out.append(text, put_time(text, t));
}

// "02/Jan/2026:03:04:05 +0000", as Apache's formats have it.
inline char* put_common_time(char* at, Instant when) noexcept {
  constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  char t[kInstantOctets + 1];  // 2026-01-02T03:04:05.000Z
  format_to(Instant::from_seconds(when.seconds()), t);
  const auto month = static_cast<std::size_t>((t[5] - '0') * 10 + (t[6] - '0') - 1);
  for (const std::string_view part : {std::string_view(t + 8, 2), std::string_view("/"), std::string_view(kMonths + 3 * month, 3), std::string_view("/"), std::string_view(t, 4), std::string_view(":"), std::string_view(t + 11, 8), std::string_view(" +0000")}) at = put(at, part);
  return at;
}

inline void append_common_time(std::string& out, Instant when) {
  char text[32];
  out.append(text, put_common_time(text, when));
}

inline void append_ip(std::string& out, const IpAddress& ip) {
  char text[46];
  out.append(text, format_to(ip, text));
}

inline std::string_view last_upstream(const Record& r) noexcept {
  std::string_view name;
  for (const Attempt& a : r.attempts) name = a.upstream;
  return name;
}

// Empty where it is the upstream's only one.
inline std::string_view last_target(const Record& r) noexcept {
  if (r.attempts.size() == 0) return {};
  const Attempt& last = *(r.attempts.end() - 1);
  return last.target == last.upstream ? std::string_view() : last.target;
}

// Of one try there would be nothing to read that the rest of the line does not say.
inline bool lists_tries(const Record& r) noexcept { return r.attempts.size() > 1; }

// "primary:upstream-reset,backup:completed"
inline std::string tries_of(const Record& r) {
  std::string out;
  for (const Attempt& a : r.attempts) out.append(out.empty() ? "" : ",").append(a.target).append(":").append(a.reason);
  return out;
}

// "user:completed,orders:response-timeout"
inline std::string parts_of(const Record& r) {
  std::string out;
  for (const PartNote& p : r.parts) out.append(out.empty() ? "" : ",").append(p.name).append(":").append(p.reason);
  return out;
}
// The parts of an aggregated answer as a JSON array.
std::string parts_json(const Record& r);

}  // namespace gatelab::observe
