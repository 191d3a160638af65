// SPDX-License-Identifier: Apache-2.0
// Bodies of scenarios that are long and of one kind: `{ size: 1MiB, of: "0,", text: "[", end: "0]" }`. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "config/reader.h"

namespace gatelab::harness {

// So many octets: `text`, then `of` over and over, cut where `end` begins. Reports what does not go together. `octets` are at most 64MiB.
std::string filled_body(config::Reader& r, std::uint64_t octets);

}  // namespace gatelab::harness
