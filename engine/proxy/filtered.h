// SPDX-License-Identifier: Apache-2.0
// One body on its way through a policy's filter. Private to the exchange.
#pragma once

#include "policy/body_filter.h"
#include "proxy/buffers.h"
#include "proxy/exchange.h"

namespace gatelab::proxy {

struct Exchange::Filtering {
  std::string_view rest;  // of what was read, still to be handed to the filter
  const http::Fields* trailers = nullptr;
  policy::Behind behind = policy::Behind::More;
  bool more = false;      // the filter wants to be called again
  Buffer room;            // what came out last
  std::uint64_t octets = 0;  // that came out
};

}  // namespace gatelab::proxy
