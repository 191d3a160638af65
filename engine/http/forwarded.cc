// SPDX-License-Identifier: Apache-2.0
#include "http/forwarded.h"

#include <algorithm>

#include "base/text.h"
#include "http/uri.h"

namespace gatelab::http {
namespace {

// One hop as a list says it, outermost first.
struct Said {
  std::string_view node, scheme, authority;
};

std::string_view known_scheme(std::string_view text) noexcept {
  if (iequals(text, "https") || iequals(text, "wss")) return "https";
  if (iequals(text, "http") || iequals(text, "ws")) return "http";
  return {};
}

std::string_view known_authority(std::string_view text) noexcept { return parse_authority(text) ? text : std::string_view(); }

std::string_view without_quotes(std::string_view text) noexcept {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

// What a proxy appends must be an element of its own, whatever the client wrote before it: an open quote of the client's would
// swallow it, and with it the client's address. So quotes count only in Forwarded, which has them (RFC 7239 §4), and only in
// a line in which they are closed.
bool quotes_count(const Field& field) noexcept {
  if (field.id != FieldId::Forwarded) return false;
  bool open = false;
  for (std::size_t i = 0; i < field.value.size(); ++i) {
    if (field.value[i] == '"') open = !open;
    else if (open && field.value[i] == '\\') ++i;
  }
  return !open;
}

bool next_element(std::string_view& rest, std::string_view& element, bool quotes) noexcept {
  if (quotes) return next_list_element(rest, element);
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    element = trim_ows(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (!element.empty()) return true;
  }
  return false;
}

std::size_t count_elements(const Fields& fields, FieldId id) noexcept {
  std::size_t n = 0;
  for (const Field& f : fields) {
    if (f.id != id) continue;
    const bool quotes = quotes_count(f);
    std::string_view rest = f.value, element;
    while (next_element(rest, element, quotes)) ++n;
  }
  return n;
}

// The element that stands `from_right` places from the end of all lines together, or the first if there are fewer.
std::string_view element_at(const Fields& fields, FieldId id, std::size_t from_right) noexcept {
  const std::size_t count = count_elements(fields, id);
  if (count == 0) return {};
  const std::size_t wanted = count - 1 - std::min(from_right, count - 1);
  std::size_t n = 0;
  for (const Field& f : fields) {
    if (f.id != id) continue;
    const bool quotes = quotes_count(f);
    std::string_view rest = f.value, element;
    while (next_element(rest, element, quotes))
      if (n++ == wanted) return trim_ows(element);
  }
  return {};
}

Said parse_element(std::string_view element) noexcept {
  Said said;
  std::string_view name, value;
  bool broken = false, seen_for = false;
  while (next_forwarded_pair(element, name, value, broken)) {
    if (iequals(name, "for")) {
      if (seen_for) return {};
      seen_for = true;
      said.node = value;
    } else if (iequals(name, "proto")) {
      said.scheme = value;
    } else if (iequals(name, "host")) {
      said.authority = value;
    }
  }
  return broken ? Said{} : said;
}

std::span<Said> all_said(const Fields& fields, ForwardedStyle style) noexcept {
  const FieldId id = style == ForwardedStyle::XForwarded ? FieldId::XForwardedFor : FieldId::Forwarded;
  const std::span<Said> out = fields.arena().array<Said>(count_elements(fields, id));
  std::size_t n = 0;
  for (const Field& f : fields) {
    if (f.id != id) continue;
    const bool quotes = quotes_count(f);
    std::string_view rest = f.value, element;
    while (next_element(rest, element, quotes)) {
      if (style == ForwardedStyle::Rfc7239) out[n++] = parse_element(trim_ows(element));
      else out[n++].node = without_quotes(trim_ows(element));
    }
  }
  return out;
}

}  // namespace

std::optional<Address> parse_node(std::string_view text) noexcept {
  std::string_view host = text, port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (host.find(':') == std::string_view::npos || (!port.empty() && port.front() != ':')) return std::nullopt;
    if (!port.empty() && port.size() == 1) return std::nullopt;
    if (!port.empty()) port.remove_prefix(1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.empty()) return std::nullopt;
  }
  if (host.empty() || host.find_first_not_of("0123456789abcdefABCDEF.:") != std::string_view::npos) return std::nullopt;
  const auto ip = parse_ip(host);
  if (!ip) return std::nullopt;
  std::uint64_t number = 0;
  if (!port.empty() && (port.size() > 5 || !parse_decimal(port, number) || number > 65'535)) return std::nullopt;
  return Address{without_mapping(*ip), static_cast<std::uint16_t>(number)};
}

// Forwarded-element of RFC 7239 §4: name "=" ( token / quoted-string ) *( ";" … ).
bool next_forwarded_pair(std::string_view& rest, std::string_view& name, std::string_view& value, bool& broken) noexcept {
  while (!rest.empty() && (rest.front() == ';' || rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
  if (rest.empty()) return false;
  const std::size_t equals = rest.find('=');
  broken = equals == std::string_view::npos || equals == 0;
  if (broken) return false;
  name = rest.substr(0, equals);
  rest.remove_prefix(equals + 1);
  const bool quoted = rest.starts_with('"');
  const std::size_t end = quoted ? rest.find('"', 1) : rest.find(';');
  broken = quoted && end == std::string_view::npos;
  if (broken) return false;
  value = quoted ? rest.substr(1, end - 1) : trim_ows(rest.substr(0, end));
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + (quoted ? 1 : 0));
  rest = trim_ows(rest);
  broken = value.find('\\') != std::string_view::npos || !is_token(name) || (!rest.empty() && rest.front() != ';');
  return !broken;
}

Origin find_origin(const Fields& fields, const Address& peer, const AddressSet& trusted, ForwardedStyle style) noexcept {
  Origin origin;
  origin.client = peer;
  if (trusted.empty() || !trusted.contains(peer.ip)) return origin;
  const std::span<Said> said = all_said(fields, style);
  const std::span<Address> hops = fields.arena().array<Address>(said.size());
  std::size_t known = 0;
  while (known < said.size()) {
    const auto node = parse_node(said[said.size() - 1 - known].node);
    if (!node) break;
    ++known;
    hops[said.size() - known] = *node;
    if (!trusted.contains(node->ip)) break;
  }
  origin.hops = std::span<const Address>(hops).subspan(said.size() - known);
  if (known > 0) origin.client = origin.hops.front();
  const std::size_t place = known == 0 ? 0 : known - 1;  // of the client, from the right
  if (style == ForwardedStyle::Rfc7239) {
    if (said.empty()) return origin;
    const Said& by = said[said.size() - 1 - place];
    origin.scheme = known_scheme(by.scheme);
    origin.authority = known_authority(by.authority);
    return origin;
  }
  origin.scheme = known_scheme(element_at(fields, FieldId::XForwardedProto, place));
  origin.authority = known_authority(element_at(fields, FieldId::XForwardedHost, place));
  std::uint64_t port = 0;
  const std::string_view digits = element_at(fields, FieldId::XForwardedPort, place);
  if (digits.size() <= 5 && parse_decimal(digits, port) && port > 0 && port <= 65'535) origin.port = static_cast<std::uint16_t>(port);
  return origin;
}

bool is_forwarding_field(std::string_view name) noexcept {
  constexpr std::string_view kNames[] = {"forwarded", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "x-original-url", "x-original-host", "x-rewrite-url", "client-cert", "client-cert-chain"};
  constexpr std::string_view kPrefix = "x-forwarded";
  const auto like = [](std::string_view a, std::string_view b) noexcept {
    for (std::size_t i = 0; i < b.size(); ++i)
      if ((a[i] == '_' ? '-' : ascii_lower(a[i])) != b[i]) return false;
    return true;
  };
  if (name.empty()) return false;
  const char first = ascii_lower(name.front());
  if (first != 'x' && first != 'f' && first != 't' && first != 'c') return false;
  if (name.size() >= kPrefix.size() && like(name, kPrefix)) return true;
  for (const std::string_view known : kNames)
    if (name.size() == known.size() && like(name, known)) return true;
  return false;
}

}  // namespace gatelab::http
