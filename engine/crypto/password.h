// SPDX-License-Identifier: Apache-2.0
// Passwords as htpasswd files keep them: bcrypt, SHA-256 crypt and SHA-512 crypt, by the system's crypt(3). Any thread.
#pragma once

#include <string>
#include <string_view>

namespace gatelab::crypto {

// A hash of one of these kinds, with a cost that this gateway is ready to pay (bcrypt up to 15, 500,000 rounds).
bool is_password_hash(std::string_view text) noexcept;
// Takes as long as the hash wants: tens of milliseconds. A password that holds an octet 0 matches nothing.
bool password_matches(const std::string& password, const std::string& hash) noexcept;

}  // namespace gatelab::crypto
