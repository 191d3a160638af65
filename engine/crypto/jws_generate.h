// SPDX-License-Identifier: Apache-2.0
// Fresh keys to sign with: for the identity provider in the box and `gatelab mint jwt`. Any thread.
#pragma once

#include "crypto/jws_sign.h"

namespace gatelab::crypto {

// Of the size that the algorithm asks for; RSA has 2048 bits. Errors: bad-key.
Result<SigningKeyPtr> generate_signing_key(Algorithm algorithm, std::optional<std::string> kid = {});
// The same in PEM (PKCS #8); for HMAC the secret's octets.
Result<std::string> generate_key_text(Algorithm algorithm);

}  // namespace gatelab::crypto
