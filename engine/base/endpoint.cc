// SPDX-License-Identifier: Apache-2.0
#include "base/endpoint.h"

namespace gatelab {

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto bad = [text](const char* what) { return fail("bad-address", "`" + std::string(text) + "` " + what); };
  Endpoint out;
  if (text.starts_with("unix:")) {
    out.kind = Endpoint::Kind::Unix;
    out.name = text.substr(5);
    if (!out.name.starts_with('/')) return bad("needs an absolute path: unix:/run/gatelab.sock");
    if (out.name.size() > kMaxUnixPath || out.name.find('\0') != std::string::npos) return bad("has a path that is longer than the 107 octets of a socket's name");
    return out;
  }
  if (text.starts_with("systemd:")) {
    out.kind = Endpoint::Kind::Inherited;
    out.name = text.substr(8);
    if (out.name.empty() || out.name.find(':') != std::string::npos) return bad("needs the name of a socket: systemd:web");
    return out;
  }
  std::string whole(text);
  out.both = text.starts_with(':') && text.find(':', 1) == std::string_view::npos;
  if (out.both) whole = "[::]" + whole;
  if (text.starts_with("localhost:")) whole = "127.0.0.1" + whole.substr(9);
  const auto address = parse_address(whole);
  if (!address) return whole == text ? Result<Endpoint>(Failure<Error>{address.error()}) : bad("has a port that is not a number from 0 to 65535");
  out.address = *address;
  return out;
}

std::string format(const Endpoint& endpoint) {
  switch (endpoint.kind) {
    case Endpoint::Kind::Unix: return "unix:" + endpoint.name;
    case Endpoint::Kind::Inherited: return "systemd:" + endpoint.name;
    case Endpoint::Kind::Ip: break;
  }
  return endpoint.both ? ":" + std::to_string(endpoint.address.port) : format(endpoint.address);
}

bool same_place(const Endpoint& a, const Endpoint& b) noexcept {
  return a.kind == b.kind && a.name == b.name && a.address == b.address && a.both == b.both;
}

}  // namespace gatelab
