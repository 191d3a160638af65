// SPDX-License-Identifier: Apache-2.0
// Keys of message signatures: each has a name, one algorithm and perhaps a consumer. Immutable once parsed; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/jwk.h"
#include "policy/catalog.h"

namespace gatelab::policy {

struct SignatureKey {
  std::string id;
  crypto::Algorithm algorithm = crypto::Algorithm::HS256;
  crypto::JwkPtr key;
  const Consumer* consumer = nullptr;  // null: of nobody that is configured
};

// `keys:` of the policy. Reports.
std::vector<SignatureKey> parse_signature_keys(const config::Node& list, Context& context);

}  // namespace gatelab::policy
