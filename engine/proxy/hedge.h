// SPDX-License-Identifier: Apache-2.0
// Two tries beside each other, until one of them has an answer. Private to the exchange.
#pragma once

#include "proxy/attempt.h"
#include "proxy/waking.h"

namespace gatelab::proxy {

struct Exchange::Hedge {
  Hedge(io::Loop& loop, Duration p) noexcept : patience(p), racing(loop) {}

  const Duration patience;  // with the first try alone
  upstream::Upstream::Choice choice;
  std::optional<Attempt> another;
  io::CancelToken own_cancel, another_cancel;
  std::size_t over = 0;             // tries that have an answer, or none
  std::shared_ptr<Waking> waking;   // whoever waits for one more to be over
  io::Scope racing;
};

}  // namespace gatelab::proxy
