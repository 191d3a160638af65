// SPDX-License-Identifier: Apache-2.0
#include "policy/catalog.h"

#include <algorithm>

#include "policy/aggregate/aggregate.h"
#include "policy/all_of/all_of.h"
#include "policy/allow/allow.h"
#include "policy/anonymous/anonymous.h"
#include "policy/any_of/any_of.h"
#include "policy/api_key/api_key.h"
#include "policy/basic/basic.h"
#include "policy/cache/cache.h"
#include "policy/compress/compress.h"
#include "policy/concurrency/concurrency.h"
#include "policy/condition.h"
#include "policy/cors/cors.h"
#include "policy/deny/deny.h"
#include "policy/fault/fault.h"
#include "policy/forward_auth/forward_auth.h"
#include "policy/headers/headers.h"
#include "policy/hmac/hmac.h"
#include "policy/ip_filter/ip_filter.h"
#include "policy/json/json.h"
#include "policy/jwt/jwt.h"
#include "policy/load_shed/load_shed.h"
#include "policy/mirror/mirror.h"
#include "policy/mtls/mtls.h"
#include "policy/openapi/openapi.h"
#include "policy/path/path.h"
#include "policy/query/query.h"
#include "policy/quota/quota.h"
#include "policy/rate_limit/rate_limit.h"
#include "policy/redirect/redirect.h"
#include "policy/respond/respond.h"
#include "policy/security_headers/security_headers.h"
#include "policy/size_limit/size_limit.h"
#include "policy/split/split.h"
#include "policy/validate/validate.h"

namespace gatelab::policy {
namespace {

constexpr Kind kCatalog[] = {
    {"cors", Phase::Access, parse_cors},
    {"ip-filter", Phase::Access, parse_ip_filter},
    {"size-limit", Phase::Access, parse_size_limit},
    {"redirect", Phase::Access, parse_redirect},
    {"rate-limit", Phase::Limit, parse_rate_limit},
    {"concurrency", Phase::Limit, parse_concurrency},
    {"load-shed", Phase::Limit, parse_load_shed},
    {"quota", Phase::Limit, parse_quota},
    {"api-key", Phase::Authenticate, parse_api_key},
    {"jwt", Phase::Authenticate, parse_jwt},
    {"basic", Phase::Authenticate, parse_basic},
    {"mtls", Phase::Authenticate, parse_mtls},
    {"hmac", Phase::Authenticate, parse_hmac},
    {"forward-auth", Phase::Authenticate, parse_forward_auth},
    {"any-of", Phase::Authenticate, parse_any_of},
    {"all-of", Phase::Authenticate, parse_all_of},
    {"anonymous", Phase::Authenticate, parse_anonymous},
    {"allow", Phase::Authorize, parse_allow},
    {"deny", Phase::Authorize, parse_deny},
    {"validate", Phase::Validate, parse_validate},
    {"openapi", Phase::Validate, parse_openapi},
    {"headers", Phase::Transform, parse_headers},
    {"query", Phase::Transform, parse_query},
    {"path", Phase::Transform, parse_path},
    {"security-headers", Phase::Transform, parse_security_headers},
    {"json", Phase::Transform, parse_json},
    {"compress", Phase::Transform, parse_compress},
    {"fault", Phase::Transform, parse_fault},
    {"split", Phase::Transform, parse_split},
    {"mirror", Phase::Transform, parse_mirror},
    {"respond", Phase::Transform, parse_respond},
    {"cache", Phase::CacheLookup, parse_cache},
    {"aggregate", Phase::Forward, parse_aggregate},
};

constexpr std::string_view kSiblings[] = {"id", "mode", "if"};

bool is_sibling(std::string_view key) noexcept { return std::find(std::begin(kSiblings), std::end(kSiblings), key) != std::end(kSiblings); }

const Kind* find_kind(std::string_view name) noexcept {
  for (const Kind& kind : kCatalog)
    if (kind.name == name) return &kind;
  return nullptr;
}

void unknown(const config::Entry& entry, diag::Sink& sink) {
  diag::Diagnostic d;
  d.id = "unknown-policy";
  d.message = "unknown policy `" + entry.key + "`";
  d.span = entry.key_span;
  std::vector<std::string_view> names;
  for (const Kind& kind : kCatalog) names.push_back(kind.name);
  const std::string_view near = diag::nearest(entry.key, names);
  if (!near.empty()) d.note = "did you mean `" + std::string(near) + "`?";
  d.hint = "known policies:";
  for (std::size_t i = 0; i < names.size(); ++i) d.hint.append(i == 0 ? " " : ", ").append(names[i]);
  sink.report(std::move(d));
}

// The entry of a policy's map that names its kind. Reports when there is none or more than one.
const config::Entry* kind_entry(const config::Node& item, diag::Sink& sink) {
  if (item.kind != config::Kind::Map) {
    sink.error("wrong-type", item.span, "a policy must be a map, not " + std::string(config::kind_name(item.kind)), "write, for example, - api-key: { header: X-Api-Key }");
    return nullptr;
  }
  const config::Entry* found = nullptr;
  for (const config::Entry& entry : item.entries) {
    if (is_sibling(entry.key)) continue;
    if (found != nullptr) {
      sink.error("two-policies", entry.key_span, "`" + entry.key + "` stands in the element of `" + found->key + "`", "begin a new element with - ; beside a policy stand only id, mode and if");
      return nullptr;
    }
    found = &entry;
  }
  if (found == nullptr) sink.error("wrong-type", item.span, "the policy's kind is missing", "write, for example, - api-key: { header: X-Api-Key }");
  return found;
}

void check_together(const std::vector<std::unique_ptr<Policy>>& policies, diag::Sink& sink) {
  const Policy* authenticator = nullptr;
  const Policy* before = nullptr;
  const Policy* cors = nullptr;
  for (const auto& policy : policies) {
    if (policy->authenticates()) {
      if (authenticator != nullptr)
        sink.error("two-authenticators", policy->span, "`" + std::string(policy->kind()) + "` is a second authenticator beside `" + std::string(authenticator->kind()) + "`", "one request has one principal: keep one of them");
      authenticator = policy.get();
    }
    if (policy->answers_preflight()) {
      if (cors != nullptr) sink.error("two-cors", policy->span, "`cors` stands there twice, and one request has one answer", "name all origins in one of them");
      cors = policy.get();
    }
    if (before != nullptr && policy->phase() < before->phase())
      sink.warning("policy-order", policy->span,
                   "`" + std::string(policy->kind()) + "` runs before `" + std::string(before->kind()) + "`, whatever the file's order: its phase is " + std::string(observe::name(policy->phase())),
                   "write them in the order in which they run");
    before = policy.get();
  }
}

}  // namespace

std::span<const Kind> catalog() noexcept { return kCatalog; }

std::unique_ptr<Policy> parse_policy(const config::Node& item, std::string_view owner, Context& context) {
  const config::Entry* entry = kind_entry(item, context.sink);
  if (entry == nullptr) return nullptr;
  const Kind* kind = find_kind(entry->key);
  if (kind == nullptr) {
    unknown(*entry, context.sink);
    return nullptr;
  }
  config::Reader r(item, context.sink, "policy `" + entry->key + "`");
  r.get(entry->key);
  const std::string fallback = owner.empty() ? entry->key : std::string(owner) + "/" + entry->key;
  context.default_id = r.text("id", fallback);
  const bool observe = r.choice("mode", 0, {"enforce", "observe"}) == 1;
  const config::Node* condition = r.get("if");
  r.finish();
  auto policy = kind->parse(*entry->value, context);
  auto holds = condition == nullptr ? nullptr : Condition::parse(*condition, entry->key, policy ? policy->phase() : kind->phase, context);
  if (!policy) return nullptr;
  policy->id = context.default_id;
  policy->place = diag::place(entry->key_span);
  policy->span = entry->key_span;
  policy->mode = observe ? Policy::Mode::Observe : Policy::Mode::Enforce;
  if (condition == nullptr) return policy;
  // It answers for the whole route, and a preflight is matched as the request that it asks for.
  if (policy->answers_preflight()) context.sink.error("no-effect", r.key_span("if"), "`cors` answers preflights for the whole route: it has no `if`", "write it on the routes that need it");
  policy->condition = std::move(holds);
  return policy->condition ? std::move(policy) : nullptr;
}

std::vector<std::unique_ptr<Policy>> parse_policies(const config::Node* list, std::string_view owner, Context& context) {
  std::vector<std::unique_ptr<Policy>> out;
  if (list == nullptr) return out;
  if (list->kind != config::Kind::List) {
    context.sink.error("wrong-type", list->span, "`policies` must be a list, not " + std::string(config::kind_name(list->kind)), "begin each policy with - ");
    return out;
  }
  for (const config::Node& item : list->items)
    if (auto policy = parse_policy(item, owner, context)) out.push_back(std::move(policy));
  check_together(out, context.sink);
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a->phase() < b->phase(); });
  return out;
}

}  // namespace gatelab::policy
