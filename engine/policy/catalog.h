// SPDX-License-Identifier: Apache-2.0
// Every kind of policy there is: one line each in catalog.cc, no registry filled by static initialisers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "config/reader.h"
#include "policy/policy.h"
#include "policy/state.h"

namespace gatelab::policy {

// API keys of all consumers: built by the gateway from `consumers:`, used by api-key.
class KeyStore;
class CertificateStore;
struct Issuers;
struct Caches;

struct Consumers {
  std::vector<std::unique_ptr<Consumer>> all;  // in file order; pointers are stable
  const Consumer* find(std::string_view name) const noexcept;
  std::shared_ptr<const KeyStore> keys;
  std::shared_ptr<const CertificateStore> certificates;
};

// What a policy's parser is given besides its own node.
struct Context {
  std::string default_id;              // route/kind
  std::string route;                   // empty for top-level policies
  const Consumers& consumers;
  const Issuers& issuers;
  StateStore& states;
  Random random;                       // hash seeds
  // The index of an upstream that a policy calls; nullopt after a report.
  std::function<std::optional<std::int32_t>(const std::string& name, const diag::Span& span)> upstream;
  // The text of a file that the configuration names; nullopt after a report.
  std::function<std::optional<std::string>(const config::Node& path, const std::string& what)> read;
  diag::Sink& sink;
  const Caches* caches = nullptr;      // that the configuration names; null: none
  // What has been made of files that several policies name, by what it is. Null: each makes its own.
  std::map<std::string, std::shared_ptr<const void>>* loaded = nullptr;
};

struct Kind {
  std::string_view name;
  Phase phase;            // default phase; the instance says the true one
  // Null if the node was wrong (diagnostics are in context.sink). Sets nothing but its own fields; id, place, span, mode
  // are set by parse_policies.
  std::unique_ptr<Policy> (*parse)(const config::Node& node, Context& context);
};
std::span<const Kind> catalog() noexcept;

// Parses `policies:` (a list of single-key maps with siblings id, mode). Checks kinds, duplicate ids, two
// authenticators; warns where the file's order differs from the phases'. Result is sorted by phase, stable.
std::vector<std::unique_ptr<Policy>> parse_policies(const config::Node* list, std::string_view owner, Context& context);

// One element of such a list, or of a policy that is made of policies. `owner` is what ids begin with. Null: reported.
std::unique_ptr<Policy> parse_policy(const config::Node& item, std::string_view owner, Context& context);

// `consumers:`: names, groups, keys (value or sha256). Reports duplicates of names and of keys.
Consumers parse_consumers(const config::Node* list, diag::Sink& sink);

}  // namespace gatelab::policy
