// SPDX-License-Identifier: Apache-2.0
#include "schema/format.h"

#include <re2/re2.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/address.h"
#include "base/base64.h"
#include "json/pointer.h"
#include "json/text.h"

namespace gatelab::schema {
namespace {

constexpr std::size_t kMostRegex = 500;  // octets

bool digits(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Of two digits, at most.
int two(std::string_view text) noexcept { return text.size() == 2 && digits(text) ? (text[0] - '0') * 10 + (text[1] - '0') : 99; }

// RFC 3339 §5.6, full-date.
bool is_date(std::string_view text) noexcept {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-' || !digits(text.substr(0, 4))) return false;
  const int year = two(text.substr(0, 2)) * 100 + two(text.substr(2, 2)), month = two(text.substr(5, 2)), day = two(text.substr(8));
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= kDays[month - 1] + (leap ? 1 : 0);
}

// RFC 3339 §5.6, full-time. A leap second is one at the end of a day in UTC.
bool is_time(std::string_view text) noexcept {
  if (text.size() < 9 || text[2] != ':' || text[5] != ':') return false;
  const int hour = two(text.substr(0, 2)), minute = two(text.substr(3, 2)), second = two(text.substr(6, 2));
  if (hour > 23 || minute > 59 || second > 60) return false;
  std::string_view rest = text.substr(8);
  if (rest[0] == '.') {
    const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    if (end == 1) return false;
    rest.remove_prefix(end);
  }
  int offset = 0;
  if (rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':') {
    const int hours = two(rest.substr(1, 2)), minutes = two(rest.substr(4));
    if (hours > 23 || minutes > 59) return false;
    offset = (hours * 60 + minutes) * (rest[0] == '-' ? -1 : 1);
  } else if (rest != "Z" && rest != "z") {
    return false;
  }
  return second < 60 || ((hour * 60 + minute - offset) % 1440 + 1440) % 1440 == 23 * 60 + 59;
}

bool is_date_time(std::string_view text) noexcept {
  return text.size() > 11 && (text[10] == 'T' || text[10] == 't') && is_date(text.substr(0, 10)) && is_time(text.substr(11));
}

// RFC 1123 §2.1.
bool is_hostname(std::string_view text) noexcept {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    for (const char c : label)
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-')) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// RFC 5321 §4.1.2 without quoted local parts.
bool is_email(std::string_view text) noexcept {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64) return false;
  const std::string_view local = text.substr(0, at);
  if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos) return false;
  for (const char c : local)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || std::string_view("()<>[]:;@\\,\"").find(c) != std::string_view::npos) return false;
  return is_hostname(text.substr(at + 1));
}

// RFC 3986: its octets, its percent-encoding, and of a URI its scheme.
bool is_uri(std::string_view text, bool absolute) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c <= 0x20 || c >= 0x7f || std::string_view("\"<>\\^`{|}").find(text[i]) != std::string_view::npos) return false;
    if (c == '%' && (i + 2 >= text.size() || std::string_view("0123456789abcdefABCDEF").find(text[i + 1]) == std::string_view::npos || std::string_view("0123456789abcdefABCDEF").find(text[i + 2]) == std::string_view::npos)) return false;
  }
  if (!absolute) return true;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  for (std::size_t i = 0; i < colon; ++i) {
    const char c = static_cast<char>(text[i] | 0x20);
    if (!((c >= 'a' && c <= 'z') || (i > 0 && ((text[i] >= '0' && text[i] <= '9') || text[i] == '+' || text[i] == '-' || text[i] == '.')))) return false;
  }
  return true;
}

bool is_uuid(std::string_view text) noexcept {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < 36; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::string_view("0123456789abcdefABCDEF").find(text[i]) == std::string_view::npos) return false;
  }
  return true;
}

// Of strangers: short, and with little memory. One may still take a millisecond to compile.
bool is_regex(std::string_view text) {
  if (text.size() > kMostRegex) return false;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 16);
  return re2::RE2({text.data(), text.size()}, options).ok();
}

constexpr std::pair<std::string_view, Format> kFormats[] = {
    {"date-time", Format::DateTime}, {"date", Format::Date}, {"time", Format::Time}, {"email", Format::Email}, {"hostname", Format::Hostname}, {"ipv4", Format::Ipv4}, {"ipv6", Format::Ipv6},
    {"uri", Format::Uri}, {"uri-reference", Format::UriReference}, {"uuid", Format::Uuid}, {"json-pointer", Format::JsonPointer}, {"regex", Format::Regex}, {"byte", Format::Byte},
    {"int32", Format::Int32}, {"int64", Format::Int64}, {"float", Format::None}, {"double", Format::None}, {"password", Format::None}, {"binary", Format::None},
};

}  // namespace

std::optional<Format> parse_format(std::string_view name) noexcept {
  for (const auto& [known, format] : kFormats)
    if (known == name) return format;
  return std::nullopt;
}

bool has_format(Format format, std::string_view text) {
  switch (format) {
    case Format::None:
    case Format::Int32:
    case Format::Int64: return true;
    case Format::DateTime: return is_date_time(text);
    case Format::Date: return is_date(text);
    case Format::Time: return is_time(text);
    case Format::Email: return is_email(text);
    case Format::Hostname: return is_hostname(text);
    case Format::Ipv4: {
      const auto ip = parse_ip(text);
      return ip && ip->family == IpAddress::Family::V4;
    }
    case Format::Ipv6: {
      const auto ip = parse_ip(text);
      return ip && ip->family == IpAddress::Family::V6;
    }
    case Format::Uri: return is_uri(text, true);
    case Format::UriReference: return is_uri(text, false);
    case Format::Uuid: return is_uuid(text);
    case Format::JsonPointer: return json::Pointer::parse(text).ok();
    case Format::Regex: return is_regex(text);
    case Format::Byte: return base64_decode(text).has_value();
  }
  return true;
}

bool has_number_format(Format format, std::string_view number) noexcept {
  const auto within = [number](std::string_view least, std::string_view most) { return json::is_integer(number) && json::compare_numbers(number, least) >= 0 && json::compare_numbers(number, most) <= 0; };
  if (format == Format::Int32) return within("-2147483648", "2147483647");
  return format != Format::Int64 || within("-9223372036854775808", "9223372036854775807");
}

}  // namespace gatelab::schema
