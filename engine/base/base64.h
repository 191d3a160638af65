// SPDX-License-Identifier: Apache-2.0
// Base64 with padding (RFC 4648 §4), and base64url without (§5, as RFC 7515 §2 has it). Pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gatelab {

std::string base64_encode(std::string_view octets);
// Strict: no line breaks, padding where it belongs, unused bits zero.
std::optional<std::string> base64_decode(std::string_view text);

std::string base64url_encode(std::string_view octets);
// Strict: the 64 digits only, so no padding and no white space; unused bits zero. What is decoded has one spelling.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace gatelab
