// SPDX-License-Identifier: Apache-2.0
// How long something takes: always the same, or log-normal as latencies mostly are, given by median and 99th percentile.
// Immutable; any thread.
#pragma once

#include "base/random.h"
#include "base/time.h"

namespace gatelab {

struct Spread {
  Duration p50{};
  Duration p99{};  // zero: it is always p50
  // Two draws, whatever comes out.
  Duration draw(Dice& dice) const noexcept;
};

}  // namespace gatelab
