// SPDX-License-Identifier: Apache-2.0
#include "policy/issuers.h"

#include <utility>

namespace gatelab::policy {
namespace {

constexpr std::size_t kVerifiedOctets = 16 * 1024 * 1024;  // remembered tokens of one issuer
constexpr std::string_view kKinds = "write one of jwks_url, jwks_file, pem, secret, or keys: local";

class IssuerParser {
 public:
  IssuerParser(const std::string& name, const IssuerContext& context) : name_(name), context_(context), sink_(context.sink) {}

  std::unique_ptr<Issuer> parse(const config::Node& node, const diag::Span& span) {
    auto issuer = std::make_unique<Issuer>();
    issuer->name = name_;
    issuer->span = span;
    config::Reader r(node, sink_, "issuer `" + name_ + "`");
    issuer->url = r.text("issuer", "");
    for (auto& audience : r.texts("audiences")) issuer->audiences.push_back(std::move(audience.value));
    for (auto& type : r.texts("types")) issuer->types.push_back(std::move(type.value));
    issuer->leeway = leeway(r);
    issuer->expires = r.choice("exp", 0, {"required", "optional"}) == 0;
    issuer->max_age = r.duration("max_age");
    issuer->algorithms = algorithms(r);
    const config::Node* keys = r.require("keys");
    r.elsewhere("jwks_url", "it stands under `keys`");
    r.elsewhere("jwks_file", "it stands under `keys`");
    r.elsewhere("audience", "it is a list: audiences: [ orders ]");
    r.elsewhere("scopes", "a route asks for them, in its policy `jwt`");
    r.finish();
    if (keys != nullptr) this->keys(*issuer, *keys);
    if (!r.valid() || !issuer->keys) return nullptr;
    if (issuer->url.empty()) sink_.warning("issuer-not-checked", span, "issuer `" + name_ + "` has no `issuer`: tokens of anyone whose keys these are pass", "issuer: https://… as it stands in the tokens' iss");
    if (issuer->audiences.empty()) sink_.warning("audience-not-checked", span, "issuer `" + name_ + "` has no `audiences`: tokens that were made for other services pass", "audiences: [ … ] as they stand in the tokens' aud");
    return issuer;
  }

 private:
  Duration leeway(config::Reader& r) {
    const config::Node* node = r.get("leeway");
    if (node == nullptr) return {};
    const auto given = config::as_duration(*node, sink_, "`leeway` of " + r.what());
    if (given && *given > std::chrono::minutes(10)) sink_.warning("long-leeway", node->span, "tokens pass for " + node->text + " after they have expired", "clocks differ by seconds: 30s is plenty");
    return given.value_or(Duration{});
  }

  crypto::AlgorithmSet algorithms(config::Reader& r) {
    crypto::AlgorithmSet out;
    for (const auto& given : r.texts("algorithms")) {
      if (const auto known = crypto::parse_algorithm(given.value)) out.add(*known);
      else sink_.error("unknown-algorithm", given.span, "`" + given.value + "` is no signature algorithm", "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, HS256, HS384, HS512");
    }
    return out;
  }

  void keys(Issuer& issuer, const config::Node& node) {
    if (node.kind == config::Kind::Text) return local(issuer, node);
    config::Reader r(node, sink_, "`keys` of issuer `" + name_ + "`");
    const config::Node *url = r.get("jwks_url"), *file = r.get("jwks_file"), *pem = r.get("pem"), *secret = r.get("secret");
    const int kinds = (url != nullptr) + (file != nullptr) + (pem != nullptr) + (secret != nullptr);
    KeyTimes times;
    Duration timeout = std::chrono::seconds(5);
    if (url != nullptr) {
      times.refresh = r.duration("refresh", times.refresh);
      times.cooldown = r.duration("cooldown", times.cooldown);
      times.max_stale = r.duration("max_stale", times.max_stale);
      timeout = r.duration("timeout", timeout);
      r.get("tls");
    } else {
      for (const std::string_view key : {"refresh", "cooldown", "max_stale", "timeout", "tls"}) r.elsewhere(key, "it belongs to a jwks_url");
    }
    const auto kid = pem != nullptr || secret != nullptr ? r.text("kid") : std::nullopt;
    r.finish();
    if (!r.valid()) return;
    if (kinds != 1) return sink_.error("bad-keys", node.span, kinds == 0 ? "`keys` says nothing of where the keys are" : "the keys come from one place only", std::string(kKinds));
    if (url != nullptr) return from_url(issuer, *url, node, times, timeout);
    crypto::JwkSet set;
    if (const crypto::JwkSet* instead = stand_in(); instead != nullptr) {
      issuer.keys = std::make_shared<KeySource>(*instead);
      return remember(issuer, "fixed");
    }
    if (file != nullptr) from_file(set, *file);
    else if (pem != nullptr) from_pem(set, *pem, kid, issuer.algorithms);
    else from_secret(set, *secret, r, kid, issuer.algorithms);
    if (set.keys.empty()) return;
    fits(set, issuer, node);
    // Files are read again by each reload: the keys are the configuration's, what they verified is checked against them.
    issuer.keys = std::make_shared<KeySource>(std::move(set));
    remember(issuer, "fixed");
  }

  const crypto::JwkSet* stand_in() const {
    if (context_.instead == nullptr) return nullptr;
    const auto found = context_.instead->find(name_);
    return found == context_.instead->end() ? nullptr : &found->second;
  }

  // Keys that none of the issuer's algorithms is for would refuse every token.
  void fits(const crypto::JwkSet& set, const Issuer& issuer, const config::Node& node) {
    if (issuer.algorithms.empty()) return;
    for (const auto& key : set.keys)
      if (!(key->algorithms() & issuer.algorithms).empty()) return;
    sink_.error("key-mismatch", node.span, "no key of issuer `" + name_ + "` is for one of its `algorithms`");
  }

  // Like `tls: local`: keys that this user's gatelab made and keeps.
  void local(Issuer& issuer, const config::Node& node) {
    if (node.text != "local") return sink_.error("bad-choice", node.span, "`keys` of issuer `" + name_ + "` is `local` or a map, not `" + node.text + "`", std::string(kKinds));
    issuer.local = true;
    crypto::JwkSet set;
    if (const crypto::JwkSet* instead = stand_in(); instead != nullptr) {
      set = *instead;
    } else if (context_.local) {
      auto key = context_.local(local_algorithm(issuer));
      if (!key) return sink_.error("no-local-key", node.span, "the local key can't be used: " + key.error().message);
      set.keys.push_back(std::move(*key));
    }
    issuer.keys = std::make_shared<KeySource>(std::move(set));
    remember(issuer, "fixed");
  }

  void remember(Issuer& issuer, const std::string& shape) {
    issuer.verified = context_.states.obtain<TokenStore>("issuers/" + name_ + "/verified", shape, [] { return new TokenStore(kVerifiedOctets); });
  }

  void from_url(Issuer& issuer, const config::Node& url, const config::Node& keys, const KeyTimes& times, Duration timeout) {
    const auto text = config::as_text(url, sink_, "`jwks_url` of issuer `" + name_ + "`");
    if (!text) return;
    const auto upstream = context_.upstream(name_, url, keys, timeout);
    if (!upstream) return;
    issuer.upstream = *upstream;
    const std::size_t authority = text->find("://") + 3, path = text->find('/', authority);
    const std::string target = path == std::string::npos ? "/" : text->substr(path);
    issuer.times = times;
    issuer.keys = context_.states.obtain<KeySource>("issuers/" + name_ + "/keys", *text, [&target] { return new KeySource(target); });
    remember(issuer, *text);
  }

  void notes(const crypto::JwkSet& set, const config::Node& node) {
    for (const auto& note : set.notes) {
      const std::string which = "key " + std::to_string(note.index + 1) + (note.kid.empty() ? "" : " (`" + note.kid + "`)");
      if (note.left_out) sink_.warning("key-left-out", node.span, which + " of `" + node.text + "` is left out: " + std::string(note.fault.detail));
      else sink_.warning("private-key", node.span, which + " of `" + node.text + "` holds its private part, which verifying needs nothing of", "give the gateway the public part only");
    }
  }

  void from_file(crypto::JwkSet& set, const config::Node& node) {
    const auto text = context_.read(node, "`jwks_file` of issuer `" + name_ + "`");
    if (!text) return;
    auto parsed = crypto::parse_jwks(*text);
    if (!parsed) return sink_.error("bad-jwks", node.span, "`" + node.text + "` is no JWK set: " + std::string(parsed.error().detail));
    notes(*parsed, node);
    if (parsed->keys.empty()) return sink_.error("bad-jwks", node.span, "no key of `" + node.text + "` can be used");
    set = std::move(*parsed);
  }

  void from_pem(crypto::JwkSet& set, const config::Node& node, const std::optional<std::string>& kid, crypto::AlgorithmSet algorithms) {
    const auto text = context_.read(node, "`pem` of issuer `" + name_ + "`");
    if (!text) return;
    auto key = crypto::jwk_from_pem(*text, kid, algorithms);
    if (!key) return sink_.error("bad-key", node.span, "`" + node.text + "` can't be used: " + std::string(key.error().detail));
    set.keys.push_back(std::move(*key));
  }

  void from_secret(crypto::JwkSet& set, const config::Node& node, config::Reader& r, const std::optional<std::string>& kid, crypto::AlgorithmSet algorithms) {
    const auto secret = r.secret("secret");
    if (!secret) return;
    auto key = crypto::jwk_from_secret(secret->reveal(), kid, algorithms);
    if (!key) return sink_.error("bad-key", node.span, "the secret of issuer `" + name_ + "` can't be used: " + std::string(key.error().detail),
                                  key.error().reason == crypto::JoseReason::KeyType ? "give a public key as `pem: FILE`" : "HS256 takes at least 32 octets: openssl rand -hex 32");
    set.keys.push_back(std::move(*key));
  }

  const std::string& name_;
  const IssuerContext& context_;
  diag::Sink& sink_;
};

}  // namespace

crypto::Algorithm local_algorithm(const Issuer& issuer) noexcept {
  for (const crypto::Algorithm one : {crypto::Algorithm::ES256, crypto::Algorithm::EdDSA, crypto::Algorithm::RS256, crypto::Algorithm::PS256})
    if (issuer.algorithms.empty() || issuer.algorithms.contains(one)) return one;
  for (std::size_t i = 0; i < crypto::kAlgorithms; ++i)
    if (issuer.algorithms.contains(static_cast<crypto::Algorithm>(i))) return static_cast<crypto::Algorithm>(i);
  return crypto::Algorithm::ES256;
}

const Issuer* Issuers::find(std::string_view name) const noexcept {
  for (const auto& issuer : all)
    if (issuer->name == name) return issuer.get();
  return nullptr;
}

Issuers parse_issuers(const config::Node* node, const IssuerContext& context) {
  Issuers out;
  if (node == nullptr) return out;
  if (node->kind != config::Kind::Map) {
    context.sink.error("wrong-type", node->span, "`issuers` must be a map of names to issuers, not " + std::string(config::kind_name(node->kind)));
    return out;
  }
  for (const config::Entry& entry : node->entries) {
    auto issuer = IssuerParser(entry.key, context).parse(*entry.value, entry.key_span);
    if (issuer) out.all.push_back(std::move(issuer));
    else out.broken = true;
  }
  return out;
}

}  // namespace gatelab::policy
