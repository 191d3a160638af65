// SPDX-License-Identifier: Apache-2.0
// JWK and JWK sets. Every entry of a set is a key or has a note, never both for being left out; a key that is taken is strong
// enough, says nothing private, and is the same after a way through JSON and through PEM; what is selected is fit for it.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "crypto/jwk.h"
#include "crypto/jws_sign.h"

using namespace gatelab;
using namespace gatelab::crypto;

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void check_key(const JwkPtr& key) {
  check(key != nullptr && !key->algorithms().empty());
  const std::string json = to_json(*key), pem = public_pem(*key);
  if (key->type() == KeyType::Oct) {
    check(json.empty() && pem.empty() && key->bits() >= 256);
    for (const Algorithm one : {Algorithm::HS256, Algorithm::HS384, Algorithm::HS512})
      if (key->algorithms().contains(one)) check(key->bits() / 8 >= hash_size(one));
    return;
  }
  for (std::size_t i = static_cast<std::size_t>(Algorithm::HS256); i < kAlgorithms; ++i) check(!key->algorithms().contains(static_cast<Algorithm>(i)));
  if (key->type() == KeyType::Rsa) check(key->bits() >= 2048 && key->bits() <= 8192);
  const auto members = nlohmann::json::parse(json, nullptr, false);
  check(members.is_object());
  for (const char* secret : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) check(!members.contains(secret));
  const auto again = parse_jwk(json);
  check(again && (*again)->kid() == key->kid() && (*again)->bits() == key->bits());
  const auto from_pem = jwk_from_pem(pem, key->kid(), key->algorithms());
  check(from_pem && (*from_pem)->algorithms() == key->algorithms() && (*from_pem)->bits() == key->bits() && public_pem(**from_pem) == pem);
}

void check_set(const JwkSet& set, std::string_view text) {
  std::size_t left_out = 0;
  for (const JwkNote& note : set.notes) {
    check(!note.fault.detail.empty() && note.left_out == (note.fault.reason != JoseReason::KeyPrivate));
    left_out += note.left_out ? 1 : 0;
  }
  const auto theirs = nlohmann::json::parse(text, nullptr, false);
  check(theirs.is_object() && theirs["keys"].size() == set.keys.size() + left_out);
  for (const JwkPtr& key : set.keys) {
    check_key(key);
    for (std::size_t i = 0; i < kAlgorithms; ++i) {
      const auto algorithm = static_cast<Algorithm>(i);
      const JwkPtr selected = set.select(key->kid(), algorithm);
      if (selected) check(selected->algorithms().contains(algorithm) && (!selected->kid() || !key->kid() || selected->kid() == key->kid()));
      if (key->kid() && key->algorithms().contains(algorithm)) check(selected == key);
    }
  }
  const auto again = parse_jwks(to_json(set.keys));
  check(static_cast<bool>(again));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto set = parse_jwks(text)) check_set(*set, text);
  if (const auto key = parse_jwk(text)) check_key(*key);
  if (const auto signer = SigningKey::from_jwk(text); signer && (*signer)->verifier()) check_key((*signer)->verifier());
  return 0;
}
