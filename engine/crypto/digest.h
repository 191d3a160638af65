// SPDX-License-Identifier: Apache-2.0
// SHA-256 and SHA-1 (FIPS 180-4), by OpenSSL. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gatelab::crypto {

using Sha256 = std::array<std::uint8_t, 32>;

// Ends the process if OpenSSL can't (out of memory).
Sha256 sha256(std::string_view octets) noexcept;
// Only where a protocol asks for it and no secret hangs on it: the handshake of WebSocket (RFC 6455 §1.3).
using Sha1 = std::array<std::uint8_t, 20>;
Sha1 sha1(std::string_view octets) noexcept;
// Exactly 64 hexadecimal digits, any case.
std::optional<Sha256> parse_sha256(std::string_view hex) noexcept;

}  // namespace gatelab::crypto
