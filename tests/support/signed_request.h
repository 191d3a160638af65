// SPDX-License-Identifier: Apache-2.0
// Requests with an HTTP message signature, for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/base64.h"
#include "crypto/jws_sign.h"
#include "crypto/running_digest.h"
#include "http/parser.h"
#include "http/signature_base.h"

namespace gatelab::test {

// Of a head without its last empty line, for `input`: `("@method");created=1`.
inline std::string signature_of(const std::string& head, const std::string& input, const crypto::SigningKey& key, crypto::Algorithm algorithm) {
  Arena arena;
  http::RequestHead parsed(arena);
  http::RequestParser parser(parsed, {});
  const std::string whole = head + "\r\n";
  EXPECT_EQ(parser.parse(whole), http::ParseState::Done) << head;
  const std::string text = "sig1=" + input;
  const auto member = http::structured::parse_dictionary(text, arena);
  if (!member) return ADD_FAILURE() << input << ": " << member.error().detail, "";
  const auto base = http::signature_base(parsed, "http", member->members.front(), arena);
  EXPECT_EQ(base.fault, http::SignatureBase::Fault::None) << base.component;
  const auto made = crypto::sign(base.text, key, algorithm);
  if (!made) return ADD_FAILURE() << made.error().message, "";
  return *made;
}

inline std::string signature_fields(const std::string& input, const std::string& signature, const std::string& label = "sig1") {
  return "Signature-Input: " + label + "=" + input + "\r\nSignature: " + label + "=:" + base64_encode(signature) + ":\r\n";
}

inline std::string content_digest(std::string_view body, crypto::RunningDigest::Kind kind = crypto::RunningDigest::Kind::Bits256) {
  crypto::RunningDigest digest(kind);
  digest.add(body);
  std::string octets(crypto::digest_size(kind), '\0');
  digest.end(octets);
  return "Content-Digest: " + std::string(crypto::name(kind)) + "=:" + base64_encode(octets) + ":\r\n";
}

}  // namespace gatelab::test
