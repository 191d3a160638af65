// SPDX-License-Identifier: Apache-2.0
// What a gateway that is not ours is told of its surroundings: $(gateway.port), $(mocks.orders.port), … in its arguments, its
// environment and its templates. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "harness/scenario/file.h"

namespace gatelab::harness {

using Places = std::map<std::string, std::string, std::less<>>;  // "gateway.port" to "43127"

// Names that a world gives, without values yet.
Places place_names(const World& world);
void set_mock_place(Places& places, const std::string& upstream, const std::string& target, const Address& at);
// $(gateway.…) and $(mocks.…) are replaced, everything else stays: `$` is a letter in many languages. Id unknown-place; the
// message says what there is.
Result<std::string> fill(std::string_view text, const Places& places);

// http://host:port or https://host.
struct GatewayUrl {
  bool tls = false;
  std::string host;       // without brackets
  std::uint16_t port = 0;
  std::string authority;  // for Host
  std::string path;       // what stands behind it
};
Result<GatewayUrl> parse_gateway_url(std::string_view text);

}  // namespace gatelab::harness
