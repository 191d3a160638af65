// SPDX-License-Identifier: Apache-2.0
// The identity provider of one case: its issuers' keys, and the tokens that were made. One thread, but for what the mocks ask.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "gateway/model.h"
#include "harness/mock/mock.h"
#include "harness/scenario/run_case.h"

namespace gatelab::harness {

class Identities {
 public:
  Identities(const World& world, CaseResult& result) : world_(world), result_(result) {}

  // Makes the keys. Errors: bad-key.
  Status make();
  // For issuers whose keys the gateway would read from a file or has in its configuration.
  const std::map<std::string, crypto::JwkSet>& keys() const noexcept { return keys_; }
  // What `iss` is where the scenario does not say; key sets that are fetched are served beside the mocks.
  // In TLS where the gateway fetches by https.
  Status meet(const gateway::Model& model, MockServers& mocks, const crypto::LocalAuthority& authority, Instant start);

  // The credential as it is sent at `now`; it counts as used, and a token is made when it is used first.
  Result<Credential> use(const std::string& name, Instant now);
  // What a credential that signs adds to this request. Errors: bad-signature, bad-key, or why its key can't be read.
  Status sign(Credential& credential, const Send& send, const Address& to, std::string_view scheme, Instant now, const io::Files& files, const std::string& directory);
  // A token of one of the scenario's issuers.
  Result<std::string> mint(const std::string& issuer, const TokenSpec& spec, Instant now) const { return issuers_.at(issuer)->mint(spec, now); }
  void change(const IssuerStep& step);
  // With names for tokens, which no two runs have in common.
  std::string masked(std::string_view text) const;
  bool has_tokens() const noexcept { return !tokens_.empty(); }

 private:
  const World& world_;
  CaseResult& result_;
  std::map<std::string, std::shared_ptr<TestIssuer>> issuers_;
  std::map<std::string, crypto::JwkSet> keys_;
  std::map<std::string, std::string> tokens_;  // by credential
  std::map<std::string, crypto::SigningKeyPtr> signers_;  // by file
  std::size_t signatures_ = 0;
};

}  // namespace gatelab::harness
