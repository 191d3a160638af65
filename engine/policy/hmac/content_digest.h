// SPDX-License-Identifier: Apache-2.0
// Content-Digest of a request (RFC 9530 §2): what its body has to hash to. Pure.
#pragma once

#include "policy/policy.h"

namespace gatelab::policy {

// Makes the body's digests those that the field promises: a body that is not there is compared at once, another one by the
// proxy while it streams. Null: nothing is wrong with it, perhaps since there is no such field (`found`).
const observe::Reason* expect_digests(Input& in, const Policy& by, bool& found) noexcept;

}  // namespace gatelab::policy
