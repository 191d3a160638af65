// SPDX-License-Identifier: Apache-2.0
// Base64 with padding (RFC 4648 §4). Pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gatelab {

std::string base64_encode(std::string_view octets);
// Strict: no line breaks, padding where it belongs, unused bits zero.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace gatelab
