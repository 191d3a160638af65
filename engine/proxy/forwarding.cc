// SPDX-License-Identifier: Apache-2.0
#include "proxy/forwarding.h"

#include "proxy/head_writer.h"

namespace gatelab::proxy {
namespace {

using Family = IpAddress::Family;

void ip_text(HeadText& out, const IpAddress& ip) noexcept {
  char text[46];
  out.text({text, format_to(ip, text)});
}

// A peer without an address (a unix socket) is `unknown` (RFC 7239 §6.2).
void x_forwarded_node(HeadText& out, const IpAddress& ip) noexcept {
  if (ip.family == Family::None) return out.text("unknown");
  ip_text(out, ip);
}

void node(HeadText& out, const IpAddress& ip) noexcept {
  if (ip.family == Family::V6) out.text("\"[");
  x_forwarded_node(out, ip);
  if (ip.family == Family::V6) out.text("]\"");
}

void write_x_forwarded(HeadText& out, const Told& told) noexcept {
  out.text("X-Forwarded-For: ");
  for (const Address& hop : told.origin->hops) {
    ip_text(out, hop.ip);
    out.text(", ");
  }
  x_forwarded_node(out, told.peer.ip);
  out.text("\r\n");
  out.field("X-Forwarded-Host", told.authority);
  out.field("X-Forwarded-Proto", told.scheme);
  if (told.port != 0) {
    out.text("X-Forwarded-Port: ");
    out.number(told.port);
    out.text("\r\n");
  }
  if (!told.prefix.empty()) out.field("X-Forwarded-Prefix", told.prefix);
  if (!told.asked_method.empty()) out.field("X-Forwarded-Method", told.asked_method);
  if (!told.asked_uri.empty()) out.field("X-Forwarded-Uri", told.asked_uri);
}

// The first element is the client's and says what it asked for; those after it are proxies.
void write_forwarded(HeadText& out, const Told& told) noexcept {
  out.text("Forwarded: for=");
  const bool direct = told.origin->hops.empty();
  node(out, direct ? told.peer.ip : told.origin->hops.front().ip);
  out.text(";host=\"");
  out.text(told.authority);
  out.text("\";proto=");
  out.text(told.scheme);
  if (!direct) {
    for (const Address& hop : told.origin->hops.subspan(1)) {
      out.text(", for=");
      node(out, hop.ip);
    }
    out.text(", for=");
    node(out, told.peer.ip);
    out.text(";proto=");
    out.text(told.peer_scheme);
  }
  out.text("\r\n");
}

}  // namespace

bool has_prefix(std::string_view path, std::string_view prefix) noexcept {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

std::string_view rewrite_path(std::string_view path, const PrefixRewrite& rewrite, Arena& arena) noexcept {
  if (!rewrite.on || !path.starts_with('/') || !has_prefix(path, rewrite.from)) return path;
  std::string_view rest = path.substr(rewrite.from.size());
  // "//host/x" would be read as another host by whoever makes a URL of it.
  while (rewrite.to.empty() && rest.starts_with("//")) rest.remove_prefix(1);
  if (rest.empty() && rewrite.to.empty()) return "/";
  return rewrite.to.empty() ? rest : arena.concat(rewrite.to, rest);
}

std::string_view choose_host(const upstream::HostPolicy& policy, std::string_view client, std::string_view target) noexcept {
  switch (policy.kind) {
    case upstream::HostPolicy::Kind::Preserve: break;
    case upstream::HostPolicy::Kind::Target: return target.empty() ? client : target;
    case upstream::HostPolicy::Kind::Fixed: return policy.fixed;
  }
  return client.empty() ? target : client;
}

std::size_t told_octets(const Told& told) noexcept {
  constexpr std::size_t kNode = 64;  // an address with what stands around it
  return 512 + told.host.size() + told.via.size() + 2 * told.authority.size() + told.request_id.size() + told.request_id_name.size() + told.prefix.size() + told.client_certificate.size() +
         2 * kNode * (told.origin->hops.size() + 1) + told.asked_method.size() + told.asked_uri.size() + told.timeout_name.size() + told.traceparent.size() + told.tracestate.size() + 96;
}

void write_told(HeadText& out, const Told& told) noexcept {
  const bool both = told.forwarded == upstream::Forwarded::Both;
  if (both || told.forwarded == upstream::Forwarded::XForwarded) write_x_forwarded(out, told);
  if (both || told.forwarded == upstream::Forwarded::Rfc7239) write_forwarded(out, told);
  out.field(told.request_id_name, told.request_id);
  if (!told.timeout_name.empty()) {
    out.text(told.timeout_name);
    out.text(": ");
    out.number(static_cast<std::uint64_t>(std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(told.timeout).count())));
    out.text("\r\n");
  }
  if (!told.traceparent.empty()) out.field("traceparent", told.traceparent);
  if (!told.tracestate.empty()) out.field("tracestate", told.tracestate);
  // A structured field of one byte sequence (RFC 9440 §2.2).
  if (told.client_certificate.empty()) return;
  out.text("Client-Cert: :");
  out.text(told.client_certificate);
  out.text(":\r\n");
}

}  // namespace gatelab::proxy
