// SPDX-License-Identifier: Apache-2.0
// A request's body taken out of its content coding as it streams, and no further than it may grow.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "policy/body_filter.h"
#include "policy/policy.h"

namespace gatelab::policy {

struct Growth {
  // A body that repeats itself may well begin with a high ratio: up to here it is not looked at.
  static constexpr std::uint64_t kFree = 64 * 1024;
  std::uint64_t max_size = 0;   // octets that may come out
  std::uint64_t max_ratio = 0;  // octets that may come out of one
};

// What a request says of its body's coding (RFC 9110 §8.4).
struct RequestCoding {
  bool coded = false;  // there is another one than identity
  std::optional<coding::Coding> coding;  // none: several, or one that nobody here knows
};
RequestCoding request_coding(const http::Fields& fields) noexcept;

class Tally;
// `growth` and `tally` outlive it.
BodyFilterPtr make_decompression(const Policy& by, coding::Coding coding, const Growth& growth, Tally& tally);

}  // namespace gatelab::policy
