// SPDX-License-Identifier: Apache-2.0
// Who a scenario's requests are from: issuers of tokens, and credentials.
#include <algorithm>
#include <set>

#include "base/base64.h"
#include "config/copy.h"
#include "harness/scenario/file.h"

namespace gatelab::harness {
namespace {

// header, query or cookie: where the credential stands in a request.
void parse_place(Credential& out, config::Reader& r) {
  constexpr std::pair<std::string_view, Credential::Where> kPlaces[] = {{"header", Credential::Where::Header}, {"query", Credential::Where::Query}, {"cookie", Credential::Where::Cookie}};
  for (const auto& [place, where] : kPlaces)
    if (auto text = r.text(place)) {
      out.where = where;
      out.name = std::move(*text);
      out.scheme.clear();
    }
}

void parse_api_key(Credential& out, const config::Node& node, const std::string& what, diag::Sink& sink) {
  if (node.kind != config::Kind::Map) {
    node.secret = true;
    out.key = Secret(config::as_text(node, sink, "`api_key` of " + what).value_or(""));
    return;
  }
  config::Reader r(node, sink, "`api_key` of " + what);
  r.require("value");
  out.key = r.secret("value").value_or(Secret());
  parse_place(out, r);
  r.finish();
}

// RFC 7617.
void parse_basic(Credential& out, const config::Node& node, const std::string& what, diag::Sink& sink) {
  config::Reader r(node, sink, "`basic` of " + what);
  r.require("user");
  r.require("password");
  const std::string user = r.text("user", "");
  const auto password = r.secret("password");
  r.finish();
  out.name = "Authorization";
  out.scheme = "Basic";
  out.key = Secret(base64_encode(user + ":" + std::string(password ? password->reveal() : std::string_view())));
}

void parse_certificate(Credential& out, const config::Node& node, const std::string& what, diag::Sink& sink) {
  config::Reader r(node, sink, "`client_certificate` of " + what);
  r.require("certificate");
  r.require("key");
  out.certificate = r.text("certificate", "");
  out.certificate_key = r.text("key", "");
  r.finish();
}

void parse_jwt(Credential& out, const config::Node& node, const std::string& what, const World& world, diag::Sink& sink) {
  out.name = "Authorization";
  out.scheme = "Bearer";
  out.token = parse_token(node, sink, what);
  const auto issuer = world.issuers.find(out.token->issuer);
  const config::Node* named = node.find("issuer");
  if (named == nullptr || out.token->issuer.empty()) return;
  if (issuer == world.issuers.end()) return sink.error("unknown-issuer", named->span, "the scenario has no issuer `" + out.token->issuer + "`", "issuers: { " + out.token->issuer + ": { alg: RS256, kid: k1 } }");
  if (out.token->kid && !issuer->second.has_key(*out.token->kid))
    sink.error("unknown-key-id", node.find("kid")->span, "issuer `" + issuer->first + "` has no key `" + *out.token->kid + "`", "list it under its `keys`, or make it up: forge: { kid: … }");
}

Credential parse_credential(const std::string& name, const config::Node& node, const World& world, diag::Sink& sink) {
  Credential out;
  out.span = node.span;
  const std::string what = "credential `" + name + "`";
  config::Reader r(node, sink, what);
  out.from = r.text("from", "");
  int kinds = 0;
  if (const config::Node* key = r.get("api_key")) ++kinds, parse_api_key(out, *key, what, sink);
  if (const config::Node* basic = r.get("basic")) ++kinds, parse_basic(out, *basic, what, sink);
  if (const config::Node* token = r.get("jwt")) ++kinds, parse_jwt(out, *token, what, world, sink);
  if (const config::Node* certificate = r.get("client_certificate")) ++kinds, parse_certificate(out, *certificate, what, sink);
  if (const config::Node* signature = r.get("signature")) ++kinds, out.signature = parse_signature(*signature, sink, what);
  if (out.token) parse_place(out, r);
  r.elsewhere("forge", "it stands in `jwt` or `signature`");
  r.finish();
  const bool bare = node.entries.size() == (out.from.empty() ? 0U : 1U);
  if (r.valid() && kinds == 0 && bare) sink.error("missing-key", node.span, what + " is empty", "write { api_key: … }, { jwt: … }, { basic: … }, { signature: … } or { client_certificate: … }");
  std::string_view last;
  for (const config::Entry& e : node.entries)
    if (e.key == "api_key" || e.key == "jwt" || e.key == "basic" || e.key == "signature" || e.key == "client_certificate") last = e.key;
  if (kinds > 1) sink.error("two-places", r.key_span(last), what + " is one of api_key, jwt, basic, signature and client_certificate");
  return out;
}

// A map with `from` lies over the credential that it names.
class Derivation {
 public:
  Derivation(const config::Node& all, diag::Sink& sink) : all_(all), sink_(sink) {}

  std::optional<config::Node> whole(const config::Entry& e) {
    if (std::find(open_.begin(), open_.end(), e.key) != open_.end()) return sink_.error("circle", e.key_span, "credential `" + e.key + "` derives from itself"), std::nullopt;
    const config::Node* from = e.value->find("from");
    if (from == nullptr) return config::copy_of(*e.value);
    const config::Entry* base = all_.entry(from->text);
    if (base == nullptr) return sink_.error("unknown-credential", from->span, "there is no credential `" + from->text + "` to derive from"), std::nullopt;
    open_.push_back(e.key);
    const auto below = whole(*base);
    open_.pop_back();
    return below ? std::optional(merge(*below, *e.value)) : std::nullopt;
  }

 private:
  const config::Node& all_;
  diag::Sink& sink_;
  std::vector<std::string> open_;
};

}  // namespace

void parse_issuers(World& world, const config::Node* node, diag::Sink& sink) {
  if (node == nullptr) return;
  if (node->kind != config::Kind::Map) return sink.error("wrong-type", node->span, "`issuers` must be a map of names to issuers", "issuers: { main: { alg: RS256, kid: k1 } }");
  for (const config::Entry& e : node->entries) {
    world.issuers[e.key] = parse_issuer(e.key, *e.value, sink);
    world.issuer_spans[e.key] = e.key_span;
  }
}

void parse_credentials(World& world, const config::Node* node, diag::Sink& sink) {
  if (node == nullptr) return;
  if (node->kind != config::Kind::Map) return sink.error("wrong-type", node->span, "`credentials` must be a map of names to credentials");
  Derivation derivation(*node, sink);
  std::set<std::pair<std::uint32_t, std::string>> said;
  for (const config::Entry& e : node->entries) {
    const auto whole = derivation.whole(e);
    if (!whole) continue;
    // What is wrong with a credential is wrong with those that derive from it: it is said once.
    diag::Sink own;
    world.credentials[e.key] = parse_credential(e.key, *whole, world, own);
    for (const diag::Diagnostic& d : own.all())
      if (said.emplace(d.span.begin, d.id).second) sink.report(d);
  }
}

void parse_issuer_step(Step& step, const config::Node& value, config::Reader& r, const World& world, diag::Sink& sink) {
  step.verb = Step::Verb::Issuer;
  IssuerStep& issuer = step.issuer;
  issuer.name = config::as_text(value, sink, "`issuer`").value_or("");
  for (const std::string_view key : {"publish", "sign", "reply"}) r.get(key);
  const auto known = world.issuers.find(issuer.name);
  if (known == world.issuers.end()) return sink.error("unknown-issuer", value.span, "the scenario has no issuer `" + issuer.name + "`", "issuers: { " + issuer.name + ": { alg: RS256, kid: k1 } }");
  const auto check = [&](const std::string& kid, const diag::Span& span) {
    if (!known->second.has_key(kid)) sink.error("unknown-key-id", span, "issuer `" + issuer.name + "` has no key `" + kid + "`", "list it under its `keys`");
  };
  if (r.get("publish") != nullptr) {
    issuer.publish.emplace();
    for (const auto& kid : r.texts("publish")) {
      check(kid.value, kid.span);
      issuer.publish->push_back(kid.value);
    }
  }
  issuer.sign = r.text("sign");
  if (issuer.sign) check(*issuer.sign, r.span_of("sign"));
  if (const config::Node* reply = r.get("reply")) {
    const bool again = reply->kind == config::Kind::Text && reply->text == "keys";
    issuer.reply.emplace(again ? std::nullopt : std::optional(parse_reply(*reply, sink)));
  }
  if (!issuer.publish && !issuer.sign && !issuer.reply) sink.error("missing-key", step.span, "the step changes nothing of issuer `" + issuer.name + "`", "publish: [k1], sign: k1, reply: { status: 503 }, or reply: keys");
}

}  // namespace gatelab::harness
