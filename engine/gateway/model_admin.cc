// SPDX-License-Identifier: Apache-2.0
// `admin:` of a configuration.
#include "gateway/model_parts.h"

namespace gatelab::gateway {
namespace {

}  // namespace

AdminConfig parse_admin(const config::Node& node, diag::Sink& sink) {
  AdminConfig out;
  config::Reader r(node, sink, "`admin`");
  out.address = parse_required_address(r, sink);
  if (auto token = r.secret("token")) {
    if (token->reveal().size() < 8) sink.error("bad-token", r.span_of("token"), "the token is shorter than 8 octets");
    out.token = std::move(*token);
  }
  r.finish();
  if (r.get("address") != nullptr && out.address.ip.family != IpAddress::Family::None && !is_loopback(out.address.ip))
    sink.error("not-loopback", r.span_of("address"), "the admin API must be on loopback, not on " + format(out.address), "write 127.0.0.1 or [::1]");
  return out;
}

}  // namespace gatelab::gateway
