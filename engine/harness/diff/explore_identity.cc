// SPDX-License-Identifier: Apache-2.0
// Who asks: every key of both configurations, tokens that are right and tokens that lack one thing.
#include <algorithm>

#include "base/base64.h"
#include "base/text.h"
#include "base/units.h"
#include "config/node.h"
#include "harness/diff/explore.h"

namespace gatelab::harness::diff {
namespace {

using Json = nlohmann::ordered_json;

void put(const config::Node& policy, const std::string& fallback, const std::string& value, Identity& out) {
  if (const config::Node* query = policy.find("query")) out.query.emplace_back(query->text, value);
  else if (const config::Node* cookie = policy.find("cookie")) out.cookies.emplace_back(cookie->text, value);
  else if (const config::Node* header = policy.find("header")) out.headers.emplace_back(header->text, value);
  else out.headers.emplace_back(fallback, value);
}

// A claim with its value, `realm.roles` as an object in an object.
void set_claim(Json& claims, const std::string& name, const Json& value) {
  Json* at = &claims;
  std::string rest = name;
  for (std::size_t dot = rest.find('.'); dot != std::string::npos; dot = rest.find('.')) {
    at = &(*at)[rest.substr(0, dot)];
    if (!at->is_object()) *at = Json::object();
    rest = rest.substr(dot + 1);
  }
  (*at)[rest] = value;
}

Json scalar(const config::Node& node) {
  if (node.kind == config::Kind::Bool) return node.boolean;
  if (node.kind == config::Kind::Integer || node.kind == config::Kind::Float) {
    const Json number = Json::parse(node.text, nullptr, false);
    if (number.is_number()) return number;
  }
  return node.text;
}

// Values of a claim at the borders of its rule, those first that it takes.
std::vector<Json> values_for(const config::Node& rule) {
  std::vector<Json> out;
  if (rule.kind == config::Kind::List) {
    for (const config::Node& item : rule.items) out.push_back(scalar(item));
  } else if (rule.kind != config::Kind::Map) {
    out.push_back(scalar(rule));
  } else {
    for (const config::Entry& e : rule.entries) {
      if (e.key == "ge" || e.key == "le") {
        const Json edge = scalar(*e.value);
        const double number = edge.is_number() ? edge.get<double>() : 0;
        out.push_back(edge);
        out.push_back(number + 1);
        out.push_back(number - 1);
      } else if (e.key == "includes") {
        Json all = Json::array();
        for (const std::string& one : texts_of(e.value.get())) all.push_back(one);
        out.push_back(all);
        if (all.size() > 1) out.push_back(Json::array({all[0]}));
      } else if (e.key == "matches") {
        for (std::size_t i = 0; i < 3; ++i)
          if (const std::string text = sample_of(e.value->text, i); !text.empty()) out.push_back(text);
      } else if (e.key == "present") {
        out.push_back("x");
      } else {
        for (const Json& one : values_for(*e.value)) out.push_back(one);
      }
    }
  }
  out.push_back("other");
  return out;
}

std::string joined(const std::vector<std::string>& all) {
  std::string out;
  for (const std::string& one : all) out += (out.empty() ? "" : " ") + one;
  return out;
}

// Policies behind the authenticator ask for scopes and claims as well.
std::vector<const config::Node*> askers(const View& view, const config::Node& policy) {
  std::vector<const config::Node*> out{&policy};
  for (const PolicyNode& other : view.policies)
    if (other.kind == "allow" || other.kind == "deny") out.push_back(other.node);
  return out;
}

}  // namespace

void Identities::keys(const config::Node& policy, std::vector<Identity>& out) const {
  std::set<std::string> known;
  for (const gateway::Model* model : {pair_.a.get(), pair_.b.get()}) {
    const config::Node* consumers = model->tree->find("consumers");
    if (consumers == nullptr) continue;
    for (const config::Node& consumer : consumers->items) {
      const config::Node *name = consumer.find("name"), *keys = consumer.find("keys");
      if (name == nullptr || keys == nullptr) continue;
      for (const config::Node& key : keys->items) {
        const config::Node *value = key.find("value"), *expires = key.find("expires");
        if (value == nullptr || !known.insert(value->text + (expires == nullptr ? "" : expires->text)).second) continue;
        Identity one{"a key of " + name->text, {}, {}, {}, {}, {}};
        put(policy, "X-Api-Key", value->text, one);
        if (expires != nullptr)
          if (const auto until = parse_instant(expires->text); until && *until > common_.start) one.expiry = *until - common_.start;
        out.push_back(std::move(one));
      }
    }
  }
  Identity wrong{"a key of nobody", {}, {}, {}, {}, {}};
  put(policy, "X-Api-Key", "no-such-key", wrong);
  out.push_back(wrong);
  Identity twice{"two keys", {}, {}, {}, {}, {}};
  put(policy, "X-Api-Key", "one", twice);
  put(policy, "X-Api-Key", "two", twice);
  out.push_back(twice);
}

void Identities::token(const config::Node& policy, TokenSpec spec, const std::string& about, std::vector<Identity>& out, Duration expiry) {
  const auto issuer = common_.issuers.find(spec.issuer);
  if (issuer == common_.issuers.end()) return;
  // Said as instants: a scenario mints it when it is first used, which may be later.
  if (!spec.claims.contains("iat")) spec.claims["iat"] = common_.start.seconds();
  if (!spec.claims.contains("exp")) spec.claims["exp"] = (common_.start + spec.ttl).seconds();
  const std::string says = spec.issuer + "\n" + spec.claims.dump() + "\n" + format(spec.ttl) + "\n" + spec.typ + "\n" + spec.kid.value_or("") + spec.forge.alg.value_or("") + std::to_string(static_cast<int>(spec.forge.signature));
  auto& [name, text] = minted_[says];
  if (text.empty()) {
    auto minted = issuer->second->mint(spec, common_.start);
    if (!minted) return;
    name = "token-" + std::to_string(minted_.size());
    text = std::move(*minted);
    tokens_[name] = spec;
  }
  Identity one{about, {}, {}, {}, {}, expiry};
  const config::Node* header = policy.find("header");
  const bool bearer = policy.find("query") == nullptr && policy.find("cookie") == nullptr && (header == nullptr || iequals(header->text, "authorization"));
  if (bearer) one.token = name;
  put(policy, "Authorization", (bearer ? "Bearer " : "") + text, one);
  out.push_back(std::move(one));
}

void Identities::jwt(const View& view, const config::Node& policy, std::vector<Identity>& out) {
  std::vector<std::string> issuers = texts_of(policy.find("issuer"));
  for (const std::string& name : texts_of(policy.find("issuers"))) issuers.push_back(name);
  for (const std::string& name : issuers) {
    const policy::Issuer* issuer = view.model->issuers.find(name);
    if (issuer == nullptr) continue;
    TokenSpec good;
    good.issuer = name;
    good.ttl = issuer->max_age ? std::max<Duration>(*issuer->max_age + std::chrono::hours(1), std::chrono::minutes(5)) : std::chrono::minutes(5);
    good.claims["sub"] = "alice";
    if (!issuer->url.empty()) good.claims["iss"] = issuer->url;
    if (!issuer->audiences.empty()) good.claims["aud"] = issuer->audiences.front();
    if (!issuer->types.empty()) good.typ = issuer->types.front();
    std::vector<std::string> scopes, any;
    std::vector<std::pair<std::string, std::vector<Json>>> rules;
    for (const config::Node* asks : askers(view, policy)) {
      for (const std::string& scope : texts_of(asks->find("scopes"))) scopes.push_back(scope);
      for (const std::string& scope : texts_of(asks->find("any_scope"))) any.push_back(scope);
      if (const config::Node* claims = asks->find("claims"))
        for (const config::Entry& e : claims->entries) rules.emplace_back(e.key, values_for(*e.value));
    }
    std::vector<std::string> enough = scopes;
    if (!any.empty()) enough.push_back(any.front());
    if (!enough.empty()) good.claims["scope"] = joined(enough);
    for (const auto& [claim, values] : rules) set_claim(good.claims, claim, values.front());
    if (const config::Node* forward = policy.find("forward"))
      for (const config::Entry& e : forward->entries)
        if (!good.claims.contains(e.key)) set_claim(good.claims, e.key, "of-the-token");
    const config::Node* consumer = policy.find("consumer");
    if (consumer != nullptr && !view.model->consumers.all.empty()) set_claim(good.claims, consumer->text, view.model->consumers.all.front()->name);

    const Duration end = (issuer->max_age ? std::min(*issuer->max_age, good.ttl) : good.ttl) + issuer->leeway;
    token(policy, good, "a good token of " + name, out, end);
    const auto other = [&](const std::string& about, auto&& change) {
      TokenSpec spec = good;
      change(spec);
      token(policy, std::move(spec), "a token " + about, out);
    };
    const auto claim = [&](const std::string& about, const std::string& key, const Json& value) { other(about, [&](TokenSpec& s) { set_claim(s.claims, key, value); }); };
    if (consumer != nullptr) {
      for (const gateway::Model* model : {pair_.a.get(), pair_.b.get()})
        for (const auto& who : model->consumers.all) claim("of consumer " + who->name, consumer->text, who->name);
      claim("of no consumer", consumer->text, "nobody-here");
    }
    for (const std::string& audience : issuer->audiences) claim("for " + audience, "aud", audience);
    claim("for somebody else", "aud", "somebody-else");
    other("without aud", [](TokenSpec& s) { s.claims.erase("aud"); });
    claim("of another issuer", "iss", "https://other.example");
    for (const std::string& type : issuer->types) other("of type " + type, [&](TokenSpec& s) { s.typ = type; });
    other("of another type", [](TokenSpec& s) { s.typ = "other"; });
    other("without sub", [](TokenSpec& s) { s.claims.erase("sub"); });
    for (const std::string& scope : enough) {
      std::vector<std::string> rest = enough;
      std::erase(rest, scope);
      claim("without scope " + scope, "scope", joined(rest));
    }
    for (const std::string& scope : any) {
      std::vector<std::string> rest = scopes;
      rest.push_back(scope);
      claim("with scope " + scope, "scope", joined(rest));
    }
    for (const auto& [key, values] : rules) {
      for (const Json& value : values) claim("whose " + key + " is " + value.dump(), key, value);
      other("without " + key, [&](TokenSpec& s) { s.claims.erase(key.substr(0, key.find('.'))); });
    }
    other("without exp", [](TokenSpec& s) { s.claims["exp"] = Json(); });
    other("without iat", [](TokenSpec& s) { s.claims["iat"] = Json(); });
    const std::int64_t now = common_.start.seconds(), leeway = issuer->leeway.count() / 1'000'000'000;
    for (const std::int64_t edge : {leeway - 1, leeway, leeway + 1}) {
      claim("that begins in " + std::to_string(edge) + "s", "nbf", now + edge);
      claim("that was made in " + std::to_string(edge) + "s", "iat", now + edge);
      claim("that ended " + std::to_string(edge) + "s ago", "exp", now - edge);
    }
    other("whose signature is wrong", [](TokenSpec& s) { s.forge.signature = Forge::Signature::Flip; });
    other("without a signature", [](TokenSpec& s) { s.forge.alg = "none"; });
  }
}

std::vector<Identity> Identities::of(const View& view, std::set<std::string>& notes) {
  std::vector<Identity> out{{"nobody", {}, {}, {}, {}, {}}};
  for (const PolicyNode& policy : view.policies) {
    if (policy.kind == "api-key") keys(*policy.node, out);
    else if (policy.kind == "jwt") jwt(view, *policy.node, out);
    else if (policy.kind == "basic") {
      out.push_back({"a password of nobody", {{"Authorization", "Basic " + base64_encode("nobody:wrong")}}, {}, {}, {}, {}});
      notes.insert("passwords behind `basic` are known by their hashes only: nobody gets past it here");
    } else if (policy.kind == "hmac" || policy.kind == "mtls") {
      notes.insert("`" + policy.kind + "` is asked without a credential only");
    }
  }
  return out;
}

void probe_identities(const View& view, Probes& probes) {
  const Duration ns{1};
  for (const Identity& identity : view.identities) {
    add(probes, view, identity.about).send(with(view.bare, identity));
    if (identity.expiry > ns)
      add(probes, view, identity.about + ", just before, when and just after it expires").advance(identity.expiry - ns).send(with(view.bare, identity)).advance(ns).send(with(view.bare, identity)).advance(ns).send(with(view.bare, identity));
  }
}

}  // namespace gatelab::harness::diff
