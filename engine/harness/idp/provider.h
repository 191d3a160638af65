// SPDX-License-Identifier: Apache-2.0
// The identity provider in the box: keys of its own for each issuer, the key set that it serves, and tokens. Keys are made
// once a process. Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crypto/jwk.h"
#include "harness/idp/token.h"
#include "harness/mock/stub.h"

namespace gatelab::harness {

struct IssuerSpec {
  struct Key {
    std::string kid;
    crypto::Algorithm algorithm = crypto::Algorithm::RS256;
  };
  std::vector<Key> keys;               // all that it will ever have; the first signs
  std::vector<std::string> published;  // kids in its key set at first
  std::string url;                     // iss of its tokens; empty: what the gateway expects
  diag::Span span;
  bool has_key(const std::string& kid) const;
};
// One entry of `issuers:`. Reports.
IssuerSpec parse_issuer(const std::string& name, const config::Node& node, diag::Sink& sink);

class TestIssuer {
 public:
  // Makes the keys. Errors: bad-key.
  static Result<std::shared_ptr<TestIssuer>> make(const std::string& name, const IssuerSpec& spec);

  void set_url(std::string url) { url_ = std::move(url); }  // before it is used
  // The token's text. Errors: bad-forge, unknown-key.
  Result<std::string> mint(const TokenSpec& spec, Instant now) const;
  // Keys that verify what it signs, those that are published.
  crypto::JwkSet keys() const;
  // {"keys":[…]}
  std::string key_set() const;

  // From now on.
  void publish(std::vector<std::string> kids);
  void sign_with(std::string kid);
  // Instead of the key set; nullopt: the key set again.
  void answer(std::optional<Reply> reply);
  // What is answered to whoever asks for the keys.
  std::shared_ptr<const Reply> reply() const;

 private:
  TestIssuer() = default;
  struct Key {
    std::string kid;
    crypto::Algorithm algorithm;
    crypto::SigningKeyPtr key;
  };
  const Key* find(const std::string& kid) const;
  std::vector<crypto::JwkPtr> verifiers() const;

  std::string name_, url_;
  std::vector<Key> keys_;
  mutable std::mutex mutex_;
  std::vector<std::string> published_;
  std::string signs_;
  std::shared_ptr<const Reply> instead_;
};

// A stub that answers every request with what the issuer has to say.
Stub stub_of(std::shared_ptr<const TestIssuer> issuer, const diag::Span& span);

}  // namespace gatelab::harness
