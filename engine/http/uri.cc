// SPDX-License-Identifier: Apache-2.0
#include "http/uri.h"

#include "base/address.h"
#include "base/endpoint.h"
#include "base/text.h"
#include "base/userinfo.h"
#include "http/chars.h"

namespace gatelab::http {
namespace {

// What a raw path shows at a glance: is it canonical already?
bool is_canonical(std::string_view raw, bool& double_slash) noexcept {
  double_slash = false;
  if (raw.empty() || raw.front() != '/') return false;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (!is(raw[i], kPath) || raw[i] == '%') return false;
    if (raw[i] != '/' || i + 1 == raw.size()) continue;
    if (raw[i + 1] == '/') double_slash = true;
    if (raw[i + 1] == '.') return false;  // perhaps a dot segment: looked at in full
  }
  return true;
}

// Decodes what may be decoded; upper-cases the rest. Returns the length, or a rule.
Rule normalise(std::string_view raw, const PathOptions& options, char* out, std::size_t& size) noexcept {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::size_t n = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char c = raw[i];
    if (c != '%') {
      if (!is(c, kPath)) return Rule::BadPath;
      out[n++] = c;
      continue;
    }
    const int high = i + 2 < raw.size() ? hex_value(raw[i + 1]) : -1;
    const int low = i + 2 < raw.size() ? hex_value(raw[i + 2]) : -1;
    if (high < 0 || low < 0) return Rule::BadPath;
    const int octet = high * 16 + low;
    i += 2;
    if (octet < 0x20 || octet == 0x7f || octet == '\\') return Rule::BadPath;
    if (octet == '/' && options.encoded_slash == EncodedSlash::Reject) return Rule::EncodedSlash;
    if (is(static_cast<char>(octet), kUnreserved)) {
      out[n++] = static_cast<char>(octet);
      continue;
    }
    out[n++] = '%';
    out[n++] = kHex[high];
    out[n++] = kHex[low];
  }
  size = n;
  return Rule::Ok;
}

// RFC 3986 §5.2.4, in place; ".." at the root stays there.
std::size_t remove_dots(char* path, std::size_t size, bool merge) noexcept {
  std::size_t out = 0, in = 0;
  while (in < size) {
    std::size_t end = in + 1;  // path[in] is '/'
    while (end < size && path[end] != '/') ++end;
    const std::string_view segment(path + in + 1, end - in - 1);
    const bool last = end == size;
    if (segment == "." || segment == "..") {
      if (segment == "..")
        while (out > 0 && path[--out] != '/') {
        }
      if (last) path[out++] = '/';
    } else if (merge && segment.empty() && !last) {
      // another slash follows: this one goes
    } else if (merge && segment.empty() && out > 0 && path[out - 1] == '/') {
      // "/a//": the slash is there already
    } else {
      for (std::size_t i = in; i < end; ++i) path[out++] = path[i];
    }
    in = end;
  }
  if (out == 0) path[out++] = '/';
  return out;
}

// With encoded slashes kept: "..%2Fadmin" is one segment here and two for a target that decodes it.
bool hides_dots(std::string_view path) noexcept {
  const auto ends = [path](std::size_t at) { return at == path.size() || path[at] == '/' || path.substr(at, 3) == "%2F"; };
  std::size_t at = path.find("%2F");
  if (at == std::string_view::npos) return false;
  for (std::size_t begin = 0; begin < path.size();) {
    std::size_t end = begin;
    while (!ends(end)) ++end;
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment == "." || segment == "..") return true;
    begin = end + (end < path.size() && path[end] == '%' ? 3 : 1);
  }
  return false;
}

bool has_double_slash(std::string_view path) noexcept { return path.find("//") != std::string_view::npos; }

}  // namespace

CanonicalPath canonical_path(std::string_view raw, const PathOptions& options, Arena& arena) noexcept {
  bool double_slash = false;
  if (is_canonical(raw, double_slash)) {
    if (!double_slash || options.duplicate_slash == DuplicateSlash::Keep) return {Rule::Ok, raw};
    if (options.duplicate_slash == DuplicateSlash::Reject) return {Rule::DuplicateSlash, {}};
  }
  if (raw.empty() || raw.front() != '/') return {Rule::BadPath, {}};
  char* out = static_cast<char*>(arena.allocate(raw.size() + 1, 1));
  std::size_t size = 0;
  const Rule rule = normalise(raw, options, out, size);
  if (rule != Rule::Ok) return {rule, {}};
  if (options.duplicate_slash == DuplicateSlash::Reject && has_double_slash({out, size})) return {Rule::DuplicateSlash, {}};
  size = remove_dots(out, size, options.duplicate_slash == DuplicateSlash::Merge);
  if (options.encoded_slash == EncodedSlash::Keep && hides_dots({out, size})) return {Rule::EncodedSlash, {}};
  return {Rule::Ok, {out, size}};
}

bool next_query_pair(std::string_view& rest, std::string_view& name, std::string_view& value) noexcept {
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    name = pair.substr(0, equals);
    value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    return true;
  }
  return false;
}

std::string_view decode_query(std::string_view raw, Arena& arena) noexcept {
  if (raw.find_first_of("%+") == std::string_view::npos) return raw;
  char* out = static_cast<char*>(arena.allocate(raw.size(), 1));
  std::size_t n = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const int high = raw[i] == '%' && i + 2 < raw.size() ? hex_value(raw[i + 1]) : -1;
    const int low = raw[i] == '%' && i + 2 < raw.size() ? hex_value(raw[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      out[n++] = static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out[n++] = raw[i] == '+' ? ' ' : raw[i];
    }
  }
  return {out, n};
}

std::optional<std::string_view> query_value(std::string_view query, std::string_view name, Arena& arena) noexcept {
  std::string_view key, value;
  while (next_query_pair(query, key, value))
    if (decode_query(key, arena) == name) return decode_query(value, arena);
  return std::nullopt;
}

bool next_cookie(std::string_view& rest, std::string_view& pair) noexcept {
  while (!rest.empty()) {
    const std::size_t end = rest.find(';');
    pair = trim_ows(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!pair.empty()) return true;
  }
  return false;
}

std::optional<std::string_view> cookie_value(std::string_view cookie, std::string_view name) noexcept {
  std::string_view pair;
  while (next_cookie(cookie, pair)) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    std::string_view value = pair.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return std::nullopt;
}

std::optional<Authority> parse_authority(std::string_view text) noexcept {
  Authority out;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with("[")) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const auto ip = parse_ip(text.substr(1, close - 1));
    if (!ip || ip->family != IpAddress::Family::V6) return std::nullopt;
    out.host = text.substr(0, close + 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else {
    const std::size_t colon = text.find(':');
    out.host = text.substr(0, colon);
    has_port = colon != std::string_view::npos;
    if (has_port) port = text.substr(colon + 1);
    if (!all(out.host, kHost)) return std::nullopt;
  }
  if (out.host.empty()) return std::nullopt;
  if (!has_port || port.empty()) return out;
  std::uint64_t number = 0;
  if (port.size() > 5 || !parse_decimal(port, number) || number == 0 || number > 65'535) return std::nullopt;
  out.port = static_cast<std::uint16_t>(number);
  return out;
}

Result<BaseUrl> parse_base_url(std::string_view text) {
  const auto bad = [text](const char* what) { return fail("bad-url", "`" + without_userinfo(text) + "` " + what); };
  BaseUrl url;
  if (text.starts_with("unix:")) {
    url.scheme = "http";
    url.host = url.authority = "localhost";
    url.socket = text.substr(5);
    if (!url.socket.starts_with('/') || url.socket.size() > kMaxUnixPath || url.socket.find('\0') != std::string::npos)
      return bad("has no path of a socket: write unix:/run/app.sock, absolute and of at most 107 octets");
    return url;
  }
  const std::size_t scheme = text.find("://");
  if (find_userinfo(text)) return bad("has user or password, which an upstream's URL must not hold");
  if (scheme == std::string_view::npos) return bad("has no scheme: write http://host:port, or unix:/path");
  url.scheme = to_lower(text.substr(0, scheme));
  if (url.scheme != "http" && url.scheme != "https") return bad("has an unknown scheme: write http://host:port");
  std::string_view rest = text.substr(scheme + 3);
  if (rest.find('@') != std::string_view::npos) return fail("bad-url", "the URL has an @: an upstream's URL must not hold user or password");
  if (rest.ends_with("/")) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) return bad("has a path, query or fragment: an upstream is a host and a port");
  const auto authority = parse_authority(rest);
  if (!authority) return bad("has no valid host and port: write http://127.0.0.1:9001 or http://[::1]:9001");
  url.host = to_lower(authority->host);
  if (url.host.front() == '[') url.host = url.host.substr(1, url.host.size() - 2);
  url.port = authority->port.value_or(url.scheme == "https" ? 443 : 80);
  url.authority = rest;
  return url;
}

}  // namespace gatelab::http
