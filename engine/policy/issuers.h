// SPDX-License-Identifier: Apache-2.0
// `issuers:`: who signs tokens, with which keys, and what their tokens must say. Immutable once parsed; what changes (keys
// that were fetched, tokens that were verified) is state that outlives the configuration. Any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/reader.h"
#include "crypto/algorithm.h"
#include "policy/jwt/key_source.h"
#include "policy/jwt/token_store.h"
#include "policy/state.h"

namespace gatelab::policy {

struct Issuer {
  std::string name;
  std::string url;                      // the `iss` of its tokens; empty: not checked
  std::vector<std::string> audiences;   // one of these; empty: not checked
  std::vector<std::string> types;       // of the header's typ; empty: not checked
  crypto::AlgorithmSet algorithms;      // empty: those that its keys are for
  Duration leeway{};
  bool expires = true;                  // a token without `exp` is refused
  std::optional<Duration> max_age;      // since `iat`, which is then required
  std::shared_ptr<KeySource> keys;
  KeyTimes times;
  std::shared_ptr<TokenStore> verified; // tokens whose signature was checked
  bool local = false;                   // its keys are this user's own: tokens are made by `gatelab mint jwt`
  std::int32_t upstream = -1;           // where its key set is fetched from; -1: nowhere
  diag::Span span;
};

struct Issuers {
  std::vector<std::unique_ptr<Issuer>> all;  // in file order; pointers are stable
  bool broken = false;                       // some could not be read: a name that is missing was reported already
  const Issuer* find(std::string_view name) const noexcept;
};

// What the local key of that issuer signs with: the quickest that it allows.
crypto::Algorithm local_algorithm(const Issuer& issuer) noexcept;

// What parsing needs of the outside.
struct IssuerContext {
  StateStore& states;
  // The text of a file that the configuration names; reports why it can't be read.
  std::function<std::optional<std::string>(const config::Node& path, const std::string& what)> read;
  // Makes the upstream that a key set is fetched from, at the URL without its path; its index, or nullopt after a report.
  std::function<std::optional<std::int32_t>(const std::string& issuer, const config::Node& url, const config::Node& keys, Duration timeout)> upstream;
  // Instead of keys that the file has or names; null: none.
  const std::map<std::string, crypto::JwkSet>* instead = nullptr;
  // The key of `keys: local`; null where nothing will be served.
  std::function<Result<crypto::JwkPtr>(crypto::Algorithm)> local;
  diag::Sink& sink;
};
Issuers parse_issuers(const config::Node* node, const IssuerContext& context);

}  // namespace gatelab::policy
