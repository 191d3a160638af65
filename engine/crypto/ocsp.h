// SPDX-License-Identifier: Apache-2.0
// A stapled OCSP response (RFC 6960): for which certificate, saying what, and from when until when it may be shown. Its
// signature is the client's to check.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"

namespace gatelab::crypto {

class Identity;

struct OcspStaple {
  std::string der;                        // empty: there is none
  Instant this_update, next_update;       // without a next update: Instant::max()
  std::string_view status = "good";       // or "revoked", "unknown"

  bool is_fresh(Instant now) const noexcept { return !der.empty() && now >= this_update && now <= next_update; }
};

// Ids of errors: bad-ocsp-staple (no successful response in DER form), ocsp-mismatch (it is for other certificates).
// `identity`: whose certificate it must speak of; null: whatever comes first.
Result<OcspStaple> read_ocsp_staple(std::string der, const Identity* identity);

}  // namespace gatelab::crypto
