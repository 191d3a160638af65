// SPDX-License-Identifier: Apache-2.0
// Making tokens that must be refused. All are signed over what they finally say, by a key that is in the set, unless the
// signature is what is wrong: so that only the one check that a row is about can refuse it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/base64.h"
#include "crypto/claims.h"
#include "crypto/jws.h"
#include "crypto/jws_generate.h"
#include "crypto/rfc_keys.h"

namespace gatelab::test {

using namespace std::string_literals;
using crypto::Algorithm;
using crypto::JoseReason;
using crypto::SigningKeyPtr;

inline constexpr std::string_view kClaims = R"({"iss":"joe","sub":"a","exp":1300819380})";
inline constexpr std::string_view kHeader = R"({"alg":"EdDSA","kid":"ed"})";

struct Row {
  std::string name;
  JoseReason reason;
  std::string token;
};

// The keys that sign, and the set that verifies: theirs and another RSA key.
struct Ring {
  SigningKeyPtr rsa = *crypto::SigningKey::from_jwk(kRfcRsa), ec = *crypto::SigningKey::from_jwk(kRfcP256), p521 = *crypto::SigningKey::from_jwk(kRfcP521),
                ed = *crypto::SigningKey::from_jwk(kRfcEd25519), oct = *crypto::SigningKey::from_jwk(kRfcSecret), second_rsa = *crypto::generate_signing_key(Algorithm::RS256, "rsa2");
  crypto::JwkSet set{{rsa->verifier(), ec->verifier(), p521->verifier(), ed->verifier(), oct->verifier(), second_rsa->verifier()}, {}};
};
inline const Ring& ring() {
  static const Ring one;
  return one;
}

inline std::string with_signature(std::string_view part, std::string_view signature) { return std::string(part) + "." + base64url_encode(signature); }
inline std::string signed_over(std::string_view part, const SigningKeyPtr& key, Algorithm algorithm) { return with_signature(part, *crypto::sign(part, *key, algorithm)); }
inline std::string part_of(std::string_view header, std::string_view claims = kClaims) { return base64url_encode(header) + "." + base64url_encode(claims); }
// Signed by the Ed25519 key.
inline std::string token_of(std::string_view header, std::string_view claims = kClaims) { return signed_over(part_of(header, claims), ring().ed, Algorithm::EdDSA); }

// What the policy does with a token, as far as no clock and no configuration is asked.
inline std::optional<JoseReason> judge(const std::string& token, const crypto::JwkSet& set = ring().set) {
  const auto jws = crypto::parse_compact(token);
  if (!jws) return jws.error().reason;
  if (const auto claims = crypto::Claims::parse(jws->payload); !claims) return claims.error().reason;
  const auto key = set.select(jws->kid, jws->algorithm);
  if (!key) return JoseReason::UnknownKey;
  if (const auto verdict = crypto::verify(*jws, *key); !verdict) return verdict.error().reason;
  return std::nullopt;
}

inline std::string said(const std::optional<JoseReason>& reason) { return reason ? std::string(word(*reason)) : "accepted"; }

inline void expect_all_refused(const std::vector<Row>& rows, std::size_t at_least) {
  EXPECT_GE(rows.size(), at_least);
  std::set<std::string> tokens, names;
  for (const Row& row : rows) {
    EXPECT_EQ(said(judge(row.token)), word(row.reason)) << row.name << ": " << row.token.substr(0, 400);
    EXPECT_TRUE(tokens.insert(row.token).second) << row.name << ": the token of another row";
    EXPECT_TRUE(names.insert(row.name).second) << row.name << ": the name of another row";
  }
}

inline std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (; times > 0; --times) out += text;
  return out;
}

}  // namespace gatelab::test
