// SPDX-License-Identifier: Apache-2.0
// UTF-8 (RFC 3629). Pure, any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace gatelab {

// Octets of the UTF-8 sequence at the front of `s` (RFC 3629 §4), or 0 if it is not one.
std::size_t utf8_sequence(std::string_view s) noexcept;
bool is_utf8(std::string_view s) noexcept;

}  // namespace gatelab
