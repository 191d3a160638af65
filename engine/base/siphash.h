// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of short texts. Who does not know the key learns nothing of a text from
// its hash, even where the texts could all be tried: addresses, names. Pure, allocates nothing, any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace gatelab {

struct SipKey {
  std::uint64_t low = 0, high = 0;
};

std::uint64_t siphash(std::string_view text, const SipKey& key) noexcept;

}  // namespace gatelab
