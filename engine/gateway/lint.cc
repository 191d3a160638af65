// SPDX-License-Identifier: Apache-2.0
#include "gateway/lint.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>

#include "policy/cache/plan.h"
#include "policy/condition.h"

namespace gatelab::gateway {
namespace {

const policy::Policy* authenticator_of(const RouteConfig& route) {
  for (const policy::Policy* p : route.policies)
    if (p->authenticates()) return p;
  return nullptr;
}

// Where its requests may go, but for what policies ask on their behalf.
std::vector<std::int32_t> upstreams_of(const RouteConfig& route) {
  std::vector<std::int32_t> out;
  if (route.upstream >= 0) out.push_back(route.upstream);
  for (const policy::Policy* p : route.policies) p->sends_to(out);
  return out;
}

bool uses(const Model& model, std::string_view kind) {
  return std::any_of(model.policies.begin(), model.policies.end(), [kind](const auto& p) { return p->kind() == kind; });
}

// Routes to one upstream are siblings: what one of them protects another must not give away.
void unauthenticated_routes(const Model& model, diag::Sink& sink) {
  std::map<std::int32_t, const RouteConfig*> guarded;
  for (const RouteConfig& route : model.routes)
    if (authenticator_of(route) != nullptr)
      for (const std::int32_t upstream : upstreams_of(route)) guarded.emplace(upstream, &route);
  for (const RouteConfig& route : model.routes) {
    const std::vector<std::int32_t> upstreams = upstreams_of(route);
    const auto known = std::find_if(upstreams.begin(), upstreams.end(), [&guarded](std::int32_t u) { return guarded.count(u) > 0; });
    const auto sibling = known == upstreams.end() ? guarded.end() : guarded.find(*known);
    // Of a skipped authenticator `skips-authentication` speaks.
    if (sibling == guarded.end() || authenticator_of(route) != nullptr || !route.skipped.empty()) continue;
    diag::Diagnostic d;
    d.severity = diag::Severity::Warning;
    d.id = "unauthenticated-route";
    d.message = "route `" + route.name + "` lets everyone reach `" + model.upstreams[static_cast<std::size_t>(sibling->first)].name + "`, and another route there does not";
    d.span = route.span;
    d.related.push_back({sibling->second->span, "this one says who may"});
    d.hint = "give it an authenticator, or say that it is meant so: anonymous: {}";
    sink.report(std::move(d));
  }
}

bool is_limit(const policy::Policy& p) { return p.phase() == policy::Phase::Limit || p.phase() == policy::Phase::PreLimit; }

// Of each route's limits one must count by what a client can't choose.
void limits_by_choice(const Model& model, diag::Sink& sink) {
  std::set<const policy::Policy*> told;
  for (const RouteConfig& route : model.routes) {
    const bool another = std::any_of(route.policies.begin(), route.policies.end(), [](const policy::Policy* p) { return is_limit(*p) && p->key_field().empty() && p->is_certain(); });
    if (another) continue;
    for (const policy::Policy* p : route.policies) {
      const std::string_view field = p->key_field();
      if (field.empty() || !told.insert(p).second) continue;
      sink.warning("limit-by-choice", p->span, "`" + std::string(p->kind()) + "` counts by the header " + std::string(field) + ", which a client chooses: with another value for each request it has no limit",
                   "key: consumer, or key: ip; or a second limit by one of them");
    }
  }
}

bool takes(const Model& model, std::size_t route, std::initializer_list<std::string_view> methods) {
  const auto& own = model.table->spec(static_cast<std::int32_t>(route)).match.methods;
  return own.empty() || std::any_of(own.begin(), own.end(), [methods](const std::string& m) { return std::find(methods.begin(), methods.end(), m) != methods.end(); });
}

bool names_people(const RouteConfig& route) {
  const policy::Policy* authenticator = authenticator_of(route);
  return authenticator != nullptr && authenticator->kind() != "anonymous";
}

constexpr const char* kWhose = "shared: false says that it is meant so; by-origin obeys what the upstream says; true makes all answers everyone's";

void caching(const Model& model, diag::Sink& sink) {
  std::set<const policy::Policy*> told;
  for (std::size_t i = 0; i < model.routes.size(); ++i) {
    const RouteConfig& route = model.routes[i];
    for (const policy::Policy* p : route.policies) {
      const policy::CachePlan* plan = p->cache_plan();
      std::vector<const policy::CachePlan*> of_parts;
      p->part_plans(of_parts);
      const bool parts_say = std::all_of(of_parts.begin(), of_parts.end(), [](const policy::CachePlan* part) { return part->says_whose; });
      if (!parts_say && names_people(route) && told.insert(p).second)
        sink.warning("cached-for-whom", p->span, "route `" + route.name + "` asks who a client is, and a `cache` of its parts does not say whose the stored answers are: each consumer gets one of its own", kWhose);
      if (plan == nullptr) continue;
      if (!takes(model, i, {"GET", "HEAD"})) sink.warning("never-cached", p->span, "route `" + route.name + "` takes no GET and no HEAD: nothing of it is ever answered from a cache", "methods: [ GET, HEAD ], or no cache");
      else if (upstreams_of(route).empty()) sink.warning("never-cached", p->span, "route `" + route.name + "` has no upstream: there is nothing to keep");
      if (names_people(route) && !plan->says_whose && told.insert(p).second)
        sink.warning("cached-for-whom", p->span, "route `" + route.name + "` asks who a client is, and its `cache` does not say whose the stored answers are: each consumer gets one of its own",
                     kWhose);
    }
  }
}

void kept_counts(const Model& model, diag::Sink& sink) {
  for (const auto& p : model.policies) {
    if (p->kind() != "quota") continue;
    if (!model.state) sink.warning("quota-in-memory", p->span, "`" + p->id + "` counts in memory only: it begins at zero whenever gatelab starts", "state: { file: gatelab.state } at the top of the file");
    return;
  }
  if (model.state) sink.warning("no-effect", model.state->span, "there is no quota whose counts could be kept here");
}

void consumers(const Model& model, diag::Sink& sink) {
  // Users of a password file, claims of a token and a service's word name consumers too.
  if (uses(model, "basic") || uses(model, "jwt") || uses(model, "hmac") || uses(model, "forward-auth") || uses(model, "any-of") || uses(model, "all-of") || uses(model, "anonymous")) return;
  for (const auto& consumer : model.consumers.all)
    if (!consumer->has_credential) sink.warning("unreachable-consumer", consumer->span, "consumer `" + consumer->name + "` has neither keys nor certificates: nobody can be it", "keys: [ { sha256: … } ]");
}

void issuers(const Model& model, diag::Sink& sink) {
  std::set<const policy::Issuer*> used;
  for (const auto& p : model.policies) p->issuers(used);
  for (const auto& issuer : model.issuers.all)
    if (used.count(issuer.get()) == 0) sink.warning("unused-issuer", issuer->span, "no policy uses the issuer `" + issuer->name + "`");
}

bool is_reachable(const ListenerConfig& listener) {
  const Endpoint& at = listener.endpoint;
  return at.kind == Endpoint::Kind::Ip && (!is_loopback(at.address.ip) || at.both);
}

void literal_secrets(const config::Node& node, std::vector<const config::Node*>& out) {
  if (node.secret && !node.from_environment && !node.text.empty()) out.push_back(&node);
  for (const config::Node& item : node.items) literal_secrets(item, out);
  for (const config::Entry& entry : node.entries) literal_secrets(*entry.value, out);
}

// On a laptop a secret in the file is what makes an example short. A gateway that others can reach has a secret to keep.
void secrets(const Model& model, diag::Sink& sink) {
  if (std::none_of(model.listeners.begin(), model.listeners.end(), is_reachable)) return;
  std::vector<const config::Node*> all;
  literal_secrets(*model.tree, all);
  for (const config::Node* found : all)
    sink.warning("secret-in-plain-text", found->span, "a secret stands in the file, and the gateway can be reached from other machines: whoever reads the file has it",
                 "take it from the environment: $(env.NAME); of an API key the digest is enough: sha256: …");
}

void listeners(const Model& model, diag::Sink& sink) {
  const policy::Policy* wants = nullptr;
  bool authenticates = false;
  for (const auto& p : model.policies) {
    if (p->kind() == "mtls") wants = p.get();
    authenticates = authenticates || p->authenticates();
  }
  const bool asks = std::any_of(model.listeners.begin(), model.listeners.end(), [](const ListenerConfig& l) {
    return l.tls_node != nullptr && l.tls_node->find("client_certificate") != nullptr && l.tls_node->find("client_certificate")->text != "none";
  });
  if (wants != nullptr && !asks) sink.warning("no-client-certificates", wants->span, "no listener asks for client certificates: every request will be refused", "tls: { …, client_certificate: optional, client_ca: ca.pem }");
  if (!authenticates) return;
  for (const ListenerConfig& listener : model.listeners) {
    if (listener.tls_node != nullptr || !is_reachable(listener)) continue;
    sink.warning("credentials-in-plain", listener.span, "listener `" + listener.name + "` takes credentials over plain HTTP from other machines: whoever stands in between can read them",
                 "tls: local, or tls: { certificate: …, key: … }; or an address of this machine alone");
  }
}

// Whom an authenticator leaves out nobody has asked; and what asks who calls needs one that has.
void conditions(const Model& model, diag::Sink& sink) {
  std::set<std::uint32_t> places;  // routes made of an OpenAPI document have the same policies each
  for (const auto& p : model.policies)
    if (p->condition && p->authenticates() && p->kind() != "anonymous" && places.insert(p->span.begin).second)
      sink.warning("skips-authentication", p->span, "`" + std::string(p->kind()) + "` asks only those for which its `if` holds: anyone else can call without a credential",
                   "give those a route of their own; or, if it is meant so, say who they are: any-of: [ …, { anonymous: {} } ]");
  for (const RouteConfig& route : model.routes)
    for (const policy::Policy* p : route.policies)
      if (p->condition && p->condition->asks_who() && authenticator_of(route) == nullptr && places.insert(p->span.begin).second)
        sink.warning("no-authenticator", p->span, "the `if` of `" + std::string(p->kind()) + "` asks who calls, and nothing on route `" + route.name + "` says it", "add `api-key` or another authenticator");
}

// A listener that forwards what a signature covers must not forward something else.
void rewritten_paths(const Model& model, diag::Sink& sink) {
  for (const auto& p : model.policies) {
    if (!p->rewrites_path()) continue;
    for (const ListenerConfig& listener : model.listeners)
      if (listener.path.forward_path == http::ForwardPath::Original)
        sink.error("original-path", p->span, "policy `" + std::string(p->kind()) + "` rewrites the path, and the listener `" + listener.name + "` forwards it as it came", "forward_path: canonical");
  }
}

}  // namespace

void lint(const Model& model, diag::Sink& sink) {
  unauthenticated_routes(model, sink);
  limits_by_choice(model, sink);
  lint_limits(model, sink);
  lint_templates(model, sink);
  secrets(model, sink);
  caching(model, sink);
  kept_counts(model, sink);
  consumers(model, sink);
  issuers(model, sink);
  listeners(model, sink);
  conditions(model, sink);
  rewritten_paths(model, sink);
}

}  // namespace gatelab::gateway
