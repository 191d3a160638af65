// SPDX-License-Identifier: Apache-2.0
// This user's keys for tokens of development, one for each algorithm: made once, kept beside the local CA. Whoever is
// configured with `keys: local` trusts them. Any thread, and several processes at once.
#pragma once

#include <vector>

#include "crypto/jws_sign.h"
#include "gateway/model.h"
#include "harness/idp/endpoints.h"

namespace gatelab::cli {

// Reads it, or makes it. Errors: private-file, bad-key.
Result<crypto::SigningKeyPtr> local_signing_key(crypto::Algorithm algorithm);
// The model's issuers, each with the local key that it would sign with; one without a name where there is none.
Result<std::vector<harness::ServedIssuer>> served_issuers(const gateway::Model& model);

}  // namespace gatelab::cli
