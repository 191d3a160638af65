// SPDX-License-Identifier: Apache-2.0
#include "policy/access_rule.h"

#include <algorithm>

namespace gatelab::policy {
namespace {

template <class F>
bool one_of(const std::vector<std::string>& list, F&& fits) {
  return list.empty() || std::any_of(list.begin(), list.end(), fits);
}

}  // namespace

const char* AccessRule::misfit(const Input& in) const noexcept {
  if (!one_of(methods_, [&in](const std::string& m) { return m == in.request.method_text; })) return "method";
  if (!any_address_ && !addresses_.contains(in.client.ip)) return "address";
  if (!one_of(consumers_, [&in](const std::string& c) { return in.consumer != nullptr && in.consumer->name == c; })) return "consumer";
  if (!one_of(groups_, [&in](const std::string& g) { return in.consumer != nullptr && in.consumer->in_group(g); })) return "group";
  if (!one_of(scopes_, [&in](const std::string& s) { return in.claims != nullptr && in.claims->has_scope(s); })) return "scope";
  for (const ClaimRule& rule : claims_)
    if (in.claims == nullptr || !rule.holds(*in.claims)) return "claim";
  return nullptr;
}

void AccessRule::check_names(config::Reader& r, const Context& context) {
  for (auto& name : r.texts("consumers")) {
    if (context.consumers.find(name.value) == nullptr) context.sink.error("unknown-consumer", name.span, "there is no consumer `" + name.value + "`", "consumers are listed under `consumers`");
    consumers_.push_back(std::move(name.value));
  }
  for (auto& group : r.texts("groups")) {
    const bool known = std::any_of(context.consumers.all.begin(), context.consumers.all.end(), [&group](const auto& c) { return c->in_group(group.value); });
    if (!known) context.sink.error("unknown-group", group.span, "no consumer is in a group `" + group.value + "`", "groups are given to consumers under `consumers`");
    groups_.push_back(std::move(group.value));
  }
}

void AccessRule::read_who(config::Reader& r, const Context& context) {
  check_names(r, context);
  for (auto& scope : r.texts("scopes")) scopes_.push_back(std::move(scope.value));
  for (const auto& address : r.texts("addresses")) {
    any_address_ = false;
    if (const Status added = addresses_.add(address.value); !added) context.sink.error(added.error().id, address.span, added.error().message);
  }
  claims_ = ClaimRule::parse_all(r.get("claims"), context.sink);
  r.elsewhere("ips", "write addresses: [ 10.0.0.0/8 ]");
}

bool AccessRule::parse(const config::Node& node, const Context& context, std::string_view kind) {
  config::Reader r(node, context.sink, "policy `" + std::string(kind) + "`");
  read_who(r, context);
  for (auto& method : r.texts("methods")) {
    if (!http::is_token(method.value)) context.sink.error("bad-method", method.span, "`" + method.value + "` is not a method");
    methods_.push_back(std::move(method.value));
  }
  r.finish();
  if (!r.valid()) return false;
  if (node.entries.empty()) {
    context.sink.error("missing-key", node.span, "`" + std::string(kind) + "` speaks of nobody", "consumers, groups, scopes, claims, methods, addresses");
    return false;
  }
  for (const config::Entry& e : node.entries) text_ += (text_.empty() ? "" : ", ") + e.key;
  return true;
}

}  // namespace gatelab::policy
