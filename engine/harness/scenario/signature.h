// SPDX-License-Identifier: Apache-2.0
// A credential that signs the request that it goes with (RFC 9421), rightly or wrongly. Values; pure but for OpenSSL's nonces.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "config/reader.h"
#include "crypto/jws_sign.h"
#include "crypto/running_digest.h"
#include "harness/idp/token.h"

namespace gatelab::harness {

struct Send;

// How a signature is made wrong. `method`, `target`, `headers` and `body` are those of another request, which is signed in place
// of the one that is sent; so is the Content-Digest that goes with it.
struct SignatureForge {
  std::optional<std::string> method, target, body, keyid, alg;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::vector<std::string>> listed;  // components that Signature-Input names, whatever is signed
  bool public_key = false;                         // HMAC with the public key's PEM as its secret
  Forge::Signature signature = Forge::Signature::Good;
};

struct SignatureSpec {
  std::optional<Secret> secret;  // octets
  std::string private_key;       // or a file
  std::string keyid, label, tag;
  std::optional<std::vector<std::string>> components;  // as they are written without quotes: @query-param;name="x"
  std::optional<Duration> created = Duration{};        // from now; nothing: not said
  std::optional<Duration> expires;                     // from created
  std::optional<std::string> nonce;                    // empty: none; nothing: another one each time
  bool says_alg = false;
  std::optional<crypto::RunningDigest::Kind> digest = crypto::RunningDigest::Kind::Bits256;  // of Content-Digest; nothing: no such field
  SignatureForge forge;
};
// The map under `signature:`. Reports.
SignatureSpec parse_signature(const config::Node& node, diag::Sink& sink, const std::string& what);

// What a signature is made with.
struct Signing {
  const Address& to;
  std::string_view scheme;
  Instant now;
  std::string nonce;  // where the spec says none
  crypto::SigningKeyPtr key;
};
// The fields that go with the request. Errors: bad-signature.
Result<std::vector<std::pair<std::string, std::string>>> sign_request(const SignatureSpec& spec, const Send& send, const Signing& signing);

}  // namespace gatelab::harness
