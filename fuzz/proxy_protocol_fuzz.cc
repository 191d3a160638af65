// SPDX-License-Identifier: Apache-2.0
// PROXY headers: how they arrive changes nothing, and what was read is written and read again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "http/proxy_protocol.h"

using namespace gatelab;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using State = http::ProxyHeader::State;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const http::ProxyHeader whole = http::parse_proxy_header(octets);
  if (whole.state != State::Done) {
    if (whole.state == State::NeedMore && size >= http::kMaxProxyHeader) std::abort();
    return 0;
  }
  if (whole.size == 0 || whole.size > size || whole.size > http::kMaxProxyHeader) std::abort();
  for (std::size_t n = 0; n < whole.size; ++n)
    if (http::parse_proxy_header(octets.substr(0, n)).state != State::NeedMore) std::abort();
  if (!whole.known) return 0;
  for (const auto version : {http::ProxyProtocol::V1, http::ProxyProtocol::V2}) {
    const http::ProxyHeader again = http::parse_proxy_header(http::write_proxy_header(version, whole.source, whole.destination));
    if (again.state != State::Done || !again.known || again.source != whole.source || again.destination != whole.destination) std::abort();
  }
  return 0;
}
