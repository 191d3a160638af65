// SPDX-License-Identifier: Apache-2.0
#include "policy/api_key/api_key.h"

#include "policy/consumers.h"
#include "policy/credential.h"

namespace gatelab::policy {
namespace {

constexpr std::size_t kMaxKey = 4096;
class ApiKey final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "api-key"; }
  Phase phase() const noexcept override { return Phase::Authenticate; }
  bool authenticates() const noexcept override { return true; }
  bool admits(const Consumer& consumer) const noexcept override { return groups.empty() || consumer.in_any_of(groups); }
  void secret_query(std::vector<std::string_view>& out) const override {
    if (place.where == CredentialPlace::Where::Query) out.push_back(place.name);
  }

  void untell(Input& in) const noexcept override {
    if (!forward_key) strip_credential(place, in);
  }

  Step step(Input& in) const noexcept override {
    const FoundCredential found = find_credential(place, in);
    if (found.count == 0 || found.value.empty()) return challenge(in, observe::reason::kMissingKey, "no key in " + place.text() + "; would pass with a consumer's");
    if (found.count > 1) return challenge(in, observe::reason::kDuplicateKey, "more than one key in " + place.text() + "; would pass with one");
    const OwnedKey* key = found.value.size() > kMaxKey ? nullptr : keys->find(found.value);
    if (key == nullptr) return challenge(in, observe::reason::kUnknownKey, "a key of nobody; would pass with a consumer's");
    const Consumer* consumer = key->consumer;
    if (key->expires && in.now >= *key->expires) return challenge(in, observe::reason::kExpired, "a key of consumer " + consumer->name + "; would pass with one that has not expired");
    in.consumer = consumer;
    in.principal_by = kind();
    if (!forward_key) strip_credential(place, in);
    if (!groups.empty() && !consumer->in_any_of(groups))
      return deny(in, observe::reason::kNotInGroup, misses_groups(in, "consumer", consumer->name, groups));
    return Step::go_on(in.detailed ? in.arena.concat("consumer ", consumer->name, key->id.empty() ? "" : ", key ", key->id) : std::string_view());
  }

  CredentialPlace place{CredentialPlace::Where::Header, "X-Api-Key", {}};
  std::vector<std::string> groups;  // empty: any consumer
  bool forward_key = false;
  std::shared_ptr<const KeyStore> keys;
  std::string www_authenticate;

 private:
  Step challenge(Input& in, const observe::Reason& reason, const std::string& detail) const noexcept {
    Step step = deny(in, reason, in.detailed ? in.arena.copy(detail) : std::string_view());
    step.answer->fields.add(http::FieldId::WwwAuthenticate, "WWW-Authenticate", www_authenticate);
    return step;
  }
};

}  // namespace

std::unique_ptr<Policy> parse_api_key(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `api-key`");
  auto policy = std::make_unique<ApiKey>();
  parse_place(policy->place, r, "key");
  policy->groups = parse_groups(r, context);
  policy->forward_key = r.boolean("forward_key", false);
  r.finish();
  if (!r.valid()) return nullptr;
  if (context.consumers.all.empty()) context.sink.warning("no-consumers", r.span(), "no consumer is configured: every request will be refused", "add `consumers`");
  policy->keys = context.consumers.keys;
  // The scheme has no registered name; naming the place helps people and gives nothing away.
  policy->www_authenticate = "ApiKey realm=\"gatelab\", " + std::string(policy->place.where_word()) + "=\"" + policy->place.name + "\"";
  return policy;
}

}  // namespace gatelab::policy
