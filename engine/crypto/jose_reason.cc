// SPDX-License-Identifier: Apache-2.0
#include "crypto/jose_reason.h"

namespace gatelab::crypto {

std::string_view word(JoseReason reason) noexcept {
  switch (reason) {
    case JoseReason::Malformed: return "malformed";
    case JoseReason::Algorithm: return "algorithm";
    case JoseReason::Crit: return "crit";
    case JoseReason::UnknownKey: return "unknown-key";
    case JoseReason::Signature: return "signature";
    case JoseReason::KeyMalformed: return "key-malformed";
    case JoseReason::KeyType: return "key-type";
    case JoseReason::KeyUse: return "key-use";
    case JoseReason::KeyTooWeak: return "key-too-weak";
    case JoseReason::KeyPrivate: return "key-private";
    case JoseReason::KeyDuplicate: return "key-duplicate";
  }
  return {};
}

}  // namespace gatelab::crypto
