// SPDX-License-Identifier: Apache-2.0
// The identity provider in the box as a service, beside `gatelab run --idp`: discovery (OpenID Connect Discovery 1.0), a
// key set, and tokens for client credentials (RFC 6749 §4.4). It believes everyone: it is for development. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "crypto/jws_sign.h"
#include "harness/mock/stub.h"

namespace gatelab::harness {

struct ServedIssuer {
  std::string name, url;               // `url`: iss; empty: the service's own address
  std::vector<std::string> audiences;  // of tokens that ask for none
  crypto::SigningKeyPtr key;
  crypto::Algorithm algorithm = crypto::Algorithm::ES256;
};

class IdentityService {
 public:
  // `now`: policy_now.
  explicit IdentityService(std::function<Instant()> now) : now_(std::move(now)) {}
  // At least one: the first signs what asks for none (`issuer`). A reload may change them.
  void set_issuers(std::vector<ServedIssuer> issuers);
  // Where it is: http://127.0.0.1:9100. Before anybody asks.
  void set_base(std::string base) { base_ = std::move(base); }

  // One answer each.
  std::shared_ptr<const Reply> discovery() const;
  std::shared_ptr<const Reply> key_set() const;
  std::shared_ptr<const Reply> token(const SeenRequest& request) const;

 private:
  std::shared_ptr<const std::vector<ServedIssuer>> issuers() const;
  const std::string& url_of(const ServedIssuer& issuer) const { return issuer.url.empty() ? base_ : issuer.url; }

  std::function<Instant()> now_;
  std::string base_;
  mutable std::mutex mutex_;
  std::shared_ptr<const std::vector<ServedIssuer>> issuers_;
};

// GET /.well-known/openid-configuration, GET /jwks.json, POST /token.
std::vector<Stub> identity_endpoints(const std::shared_ptr<const IdentityService>& service);

}  // namespace gatelab::harness
