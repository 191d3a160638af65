// SPDX-License-Identifier: Apache-2.0
// Why a token or a key is refused, in words that stay: logs, `explain`, metrics and scenarios show them. Plain values.
#pragma once

#include <cstdint>
#include <string_view>

namespace gatelab::crypto {

enum class JoseReason : std::uint8_t {
  // of tokens
  Malformed,   // malformed: not three parts of strict base64url, not strict JSON, a wrong type, too deep or too large
  Algorithm,   // algorithm: no alg that is known here, `none` in any spelling, or one that the key does not allow
  Crit,        // crit: the header says that something must be understood, and nothing of that kind is
  UnknownKey,  // unknown-key: no key of the set fits the token's kid and alg
  Signature,   // signature: it does not belong to this token and this key
  // of keys
  KeyMalformed,  // key-malformed: a member is missing, of a wrong type or value; a point that is not on its curve
  KeyType,       // key-type: a kty or crv that is not known here
  KeyUse,        // key-use: `use`, `key_ops` or `alg` say that it is for something else than verifying signatures
  KeyTooWeak,    // key-too-weak: RSA below 2048 bits, or a secret shorter than its hash
  KeyPrivate,    // key-private: private members where public ones belong; told, not refused
  KeyDuplicate,  // key-duplicate: an earlier key has the same kid and a common algorithm
};
std::string_view word(JoseReason reason) noexcept;

struct JoseFault {
  JoseReason reason = JoseReason::Malformed;
  std::string_view detail;  // what exactly, for `explain` and logs, never for the client. A literal: it lives for ever
};

}  // namespace gatelab::crypto
