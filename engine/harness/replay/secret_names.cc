// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/secret_names.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/text.h"

namespace gatelab::harness {
namespace {

constexpr std::string_view kParts[] = {"password", "passwd", "passphrase", "passcode", "secret", "token", "apikey", "accesskey", "privatekey",
                                       "authkey", "subscriptionkey", "credential", "authorization", "cookie", "session", "signature", "assertion",
                                       "csrf", "xsrf", "codeverifier", "cardnumber", "securitycode", "connectionstring"};
constexpr std::string_view kWhole[] = {"pwd", "pass", "pin", "otp", "totp", "cvv", "cvc", "ssn", "sid", "sig", "jwt", "auth", "key", "code", "pan", "iban", "samlresponse", "mfa"};
constexpr std::string_view kHarmless[] = {"tokentype", "maxtokens", "tokencount", "sessionstate", "passwordpolicy", "tokenendpoint", "granttype"};
constexpr std::string_view kSecretHeaders[] = {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-forwarded-client-cert", "client-cert", "x-client-cert", "x-hub-signature", "x-hub-signature-256"};
constexpr std::string_view kPlainHeaders[] = {"etag", "if-none-match", "if-match", "if-range", "traceparent", "tracestate", "x-request-id", "x-correlation-id", "date", "host",
                                              "user-agent", "via", "accept", "accept-encoding", "accept-language", "content-type", "sec-websocket-key", "sec-websocket-accept",
                                              "content-digest", "repr-digest", "content-length", "last-modified", "content-security-policy", "permissions-policy", "sec-ch-ua", "sec-websocket-version"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&names)[N]) {
  return std::any_of(std::begin(names), std::end(names), [name](std::string_view n) { return iequals(n, name); });
}

bool is_uuid(std::string_view word) {
  if (word.size() != 36) return false;
  for (const std::size_t at : {8U, 13U, 18U, 23U})
    if (word[at] != '-') return false;
  return true;
}

double entropy(std::string_view word) {
  std::array<double, 256> count{};
  for (const char c : word) count[static_cast<unsigned char>(c)] += 1;
  double bits = 0;
  const auto n = static_cast<double>(word.size());
  for (const double k : count)
    if (k > 0) bits -= k / n * std::log2(k / n);
  return bits;
}

// Of several: X-Auth, user_pass, app-pw.
bool has_secret_word(std::string_view name) {
  constexpr std::string_view kWords[] = {"pass", "pw", "pwd", "auth", "pin", "pins", "otp", "totp", "cvv", "cvc", "ssn", "jwt", "mfa"};
  while (!name.empty()) {
    const std::size_t end = std::min(name.find_first_of("-_. []"), name.size());
    if (is_one_of(name.substr(0, end), kWords)) return true;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return false;
}

}  // namespace

bool is_secret_name(std::string_view name) {
  std::string plain;
  for (const char c : name)
    if (c != '-' && c != '_' && c != '.' && c != ' ' && c != '[' && c != ']') plain += ascii_lower(c);
  if (is_one_of(plain, kHarmless)) return false;
  return is_one_of(plain, kWhole) || has_secret_word(name) || std::any_of(std::begin(kParts), std::end(kParts), [&plain](std::string_view part) { return plain.find(part) != std::string::npos; });
}

bool is_secret_header(std::string_view name) {
  if (is_one_of(name, kSecretHeaders)) return true;
  return !is_one_of(name, kPlainHeaders) && !iequals(name, "signature-input") && is_secret_name(name);
}

bool is_plain_header(std::string_view name) { return is_one_of(name, kPlainHeaders); }

bool is_random(std::string_view word) {
  if (word.size() < 20 || is_uuid(word)) return false;
  std::size_t upper = 0, lower = 0, digits = 0, hex = 0, joints = 0;
  for (const char c : word) {
    upper += c >= 'A' && c <= 'Z';
    lower += c >= 'a' && c <= 'z';
    digits += c >= '0' && c <= '9';
    joints += c == '-' || c == '_';
    hex += (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
  }
  const double bits = entropy(word);
  if (hex == word.size()) return word.size() >= 32 && digits < word.size() && bits >= 3.0;
  if (upper > 0 && lower > 0 && digits > 0) return bits >= 3.5;
  return joints == 0 && (upper == 0 || lower == 0) && digits >= 4 && word.size() >= 24 && bits >= 3.5;
}

}  // namespace gatelab::harness
