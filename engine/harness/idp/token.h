// SPDX-License-Identifier: Apache-2.0
// Tokens as scenarios and `gatelab mint jwt` describe them: what they say, and in which way they are wrong. Immutable once
// parsed; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/reader.h"
#include "crypto/jws_sign.h"

namespace gatelab::harness {

// How a token is made wrong. Each says one thing; they may be combined.
struct Forge {
  enum class Key : std::uint8_t {
    Own,        // the issuer's
    Public,     // the issuer's public key, in PEM, as an HMAC secret
    PublicDer,  // the same in DER
    PublicJwk,  // the same as a JWK
    Other,      // a good key that the issuer does not have
    Empty,      // an HMAC secret of no octets
    Secret,     // an HMAC secret of the scenario's
  };
  enum class Signature : std::uint8_t { Good, Empty, Truncate, Extend, Flip, Zero };
  enum class Encoding : std::uint8_t { Good, Padding, Standard, Space, Tab, TrailingBits };
  std::optional<std::string> alg;  // what the header says
  Key key = Key::Own;
  std::string secret;
  nlohmann::ordered_json header = nlohmann::ordered_json::object();  // members over the header's; null: left out
  bool embed = false;              // the key that signs stands in the header, as `jwk`
  Signature signature = Signature::Good;
  Encoding encoding = Encoding::Good;
  std::optional<std::string> duplicate_header, duplicate_claim;  // a member that stands there twice
  std::optional<std::string> protected_text, payload;            // instead of header and claims
  std::optional<std::int64_t> parts;                             // how many there are between dots
};

struct TokenSpec {
  std::string issuer;  // the scenario's
  nlohmann::ordered_json claims = nlohmann::ordered_json::object();  // over iss, iat and exp; null: left out
  Duration ttl = std::chrono::minutes(5);                            // may be negative: expired that long
  std::optional<std::string> kid;                                    // which of the issuer's keys signs
  std::string typ = "JWT";
  Forge forge;
  diag::Span span;
};
// A signature made wrong.
std::string spoilt(std::string signature, Forge::Signature how);
// The map under `jwt:`. Reports.
TokenSpec parse_token(const config::Node& node, diag::Sink& sink, const std::string& what);
Forge parse_forge(const config::Node& node, diag::Sink& sink, const std::string& what);

// Whose token it is to be.
struct Signer {
  std::string url;  // iss; empty: none
  crypto::SigningKeyPtr key;
  crypto::Algorithm algorithm = crypto::Algorithm::RS256;
  crypto::SigningKeyPtr other;  // of Forge::Key::Other
};
// The token's text. Errors: bad-forge.
Result<std::string> make_token(const TokenSpec& spec, const Signer& signer, Instant now);

}  // namespace gatelab::harness
