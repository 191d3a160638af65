// SPDX-License-Identifier: Apache-2.0
#include "http/cors.h"

#include <algorithm>

#include "base/address.h"
#include "base/text.h"

namespace gatelab::http {
namespace {

constexpr std::string_view kAsksFor = "Access-Control-Request-Method";
constexpr std::size_t kMaxOrigin = 512;  // a name in DNS has at most 253 octets

bool is_lower_or_digit(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_scheme(std::string_view s) noexcept {
  return !s.empty() && s.front() >= 'a' && s.front() <= 'z' &&
         std::all_of(s.begin(), s.end(), [](char c) { return is_lower_or_digit(c) || c == '+' || c == '-' || c == '.'; });
}

bool is_host(std::string_view s) noexcept {
  if (s.starts_with('[')) {
    if (!s.ends_with(']')) return false;
    const std::string_view inside = s.substr(1, s.size() - 2);
    const auto ip = parse_ip(inside);
    return ip && ip->family == IpAddress::Family::V6 && format(*ip) == inside;
  }
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return is_lower_or_digit(c) || c == '-' || c == '.' || c == '_'; });
}

bool is_port(std::string_view s, std::string_view scheme) noexcept {
  std::uint64_t port = 0;
  if (s.empty() || s.size() > 5 || s.front() == '0' || !parse_decimal(s, port) || port > 65535) return false;
  return !(scheme == "https" && port == 443) && !(scheme == "http" && port == 80);
}

}  // namespace

bool is_preflight(const RequestHead& head) noexcept {
  return head.method == Method::Options && head.fields.find(FieldId::Origin) != nullptr && head.fields.find(kAsksFor) != nullptr;
}

std::string_view preflight_method(const RequestHead& head) noexcept {
  if (!is_preflight(head)) return {};
  std::string_view method;
  for (const Field& f : head.fields) {
    if (f.id != FieldId::Other || !iequals(f.name, kAsksFor)) continue;
    if (!method.empty() || !is_token(f.value)) return {};
    method = f.value;
  }
  return method;
}

bool is_origin(std::string_view text) noexcept {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || text.size() > kMaxOrigin) return false;
  const std::string_view scheme = text.substr(0, colon), authority = text.substr(colon + 3);
  const std::size_t end = authority.starts_with('[') ? std::min(authority.find(']'), authority.size() - 1) + 1 : std::min(authority.find(':'), authority.size());
  if (!is_scheme(scheme) || !is_host(authority.substr(0, end))) return false;
  return end == authority.size() || (authority[end] == ':' && is_port(authority.substr(end + 1), scheme));
}

}  // namespace gatelab::http
