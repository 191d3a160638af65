// SPDX-License-Identifier: Apache-2.0
// JSON Web Signatures in compact form (RFC 7515): read strictly, verified with a key that was chosen before. Pure, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/algorithm.h"
#include "crypto/jose_reason.h"
#include "crypto/jwk.h"

namespace gatelab::crypto {

struct JoseLimits {
  std::size_t token = 16 * 1024;  // octets of the compact form
  std::size_t header = 8 * 1024;  // octets of the decoded header
  std::size_t depth = 16;         // lists and objects in each other, of header and payload
  std::size_t values = 2'000;     // in one of them
};

// A token that is well-formed and names a known algorithm. Nothing in it is true before verify() said so.
struct CompactJws {
  std::string token;            // as received
  std::size_t signed_size = 0;  // octets of `token` that are signed: header.payload
  std::string payload;          // decoded
  std::string signature;        // decoded
  Algorithm algorithm = Algorithm::RS256;
  std::optional<std::string> kid, typ, cty;
  // The header carries or points to a key or certificate: told by `explain`, never followed.
  bool has_jku = false, has_jwk = false, has_x5u = false, has_x5c = false;

  std::string_view signed_part() const noexcept { return std::string_view(token).substr(0, signed_size); }
};

// Faults: malformed, algorithm, crit.
Result<CompactJws, JoseFault> parse_compact(std::string_view token, const JoseLimits& limits = {});

// Faults: algorithm (the key does not allow the token's), signature. kid is not looked at: JwkSet::select did.
using Verdict = Result<Unit, JoseFault>;
Verdict verify(const CompactJws& jws, const Jwk& key) noexcept;
// The bare signature, in JOSE's form, over any octets: what jws_sign.h's sign() makes.
Verdict verify(std::string_view octets, std::string_view signature, Algorithm algorithm, const Jwk& key) noexcept;

// True if the header's typ is this media type: "at+jwt" and "application/at+jwt" in any case are the same (RFC 7515 §4.1.9).
bool has_type(const CompactJws& jws, std::string_view type) noexcept;

}  // namespace gatelab::crypto
