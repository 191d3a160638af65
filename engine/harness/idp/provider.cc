// SPDX-License-Identifier: Apache-2.0
#include "harness/idp/provider.h"

#include <algorithm>
#include <utility>

#include "crypto/jws_generate.h"

namespace gatelab::harness {
namespace {

// Making an RSA key takes a tenth of a second: each is made once a process, for all cases.
Result<crypto::SigningKeyPtr> key_of(const std::string& issuer, const std::string& kid, crypto::Algorithm algorithm) {
  static std::mutex mutex;
  static std::map<std::string, crypto::SigningKeyPtr> made;
  const std::lock_guard lock(mutex);
  crypto::SigningKeyPtr& key = made[issuer + "\n" + kid + "\n" + std::string(crypto::name(algorithm))];
  if (key) return key;
  auto fresh = crypto::generate_signing_key(algorithm, kid);
  if (!fresh) return Failure<Error>{fresh.error()};
  key = std::move(*fresh);
  return key;
}

std::optional<crypto::Algorithm> algorithm_of(config::Reader& r, diag::Sink& sink) {
  const std::string text = r.text("alg", "RS256");
  const auto known = crypto::parse_algorithm(text);
  if (!known) sink.error("unknown-algorithm", r.span_of("alg"), "`" + text + "` is no signature algorithm", "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, HS256, HS384, HS512");
  return known;
}

void one_key(IssuerSpec& spec, config::Reader& r, diag::Sink& sink) {
  IssuerSpec::Key key;
  key.kid = r.text("kid", "k" + std::to_string(spec.keys.size() + 1));
  key.algorithm = algorithm_of(r, sink).value_or(crypto::Algorithm::RS256);
  if (spec.has_key(key.kid)) return sink.error("duplicate-name", r.span_of("kid"), "there is a key `" + key.kid + "` already", "give each a `kid` of its own");
  spec.keys.push_back(std::move(key));
}

}  // namespace

bool IssuerSpec::has_key(const std::string& kid) const {
  return std::any_of(keys.begin(), keys.end(), [&kid](const Key& key) { return key.kid == kid; });
}

IssuerSpec parse_issuer(const std::string& name, const config::Node& node, diag::Sink& sink) {
  IssuerSpec spec;
  config::Reader r(node, sink, "issuer `" + name + "`");
  spec.span = node.span;
  spec.url = r.text("issuer", "");
  const config::Node* keys = r.get("keys");
  if (keys == nullptr) {
    one_key(spec, r, sink);
  } else if (keys->kind != config::Kind::List || keys->items.empty()) {
    sink.error("wrong-type", keys->span, "`keys` of issuer `" + name + "` must be a list of keys", "keys: [ { kid: k1, alg: RS256 }, { kid: k2, alg: ES256 } ]");
  } else {
    for (const config::Node& item : keys->items) {
      config::Reader each(item, sink, "a key of issuer `" + name + "`");
      one_key(spec, each, sink);
      each.finish();
    }
    for (const std::string_view key : {"alg", "kid"})
      if (r.get(key) != nullptr) sink.error("two-places", r.key_span(key), "`" + std::string(key) + "` stands in each of `keys`");
  }
  for (const auto& kid : r.texts("published")) {
    if (!spec.has_key(kid.value)) sink.error("unknown-key-id", kid.span, "issuer `" + name + "` has no key `" + kid.value + "`", "list it under its `keys`");
    spec.published.push_back(kid.value);
  }
  if (r.get("published") == nullptr)
    for (const auto& key : spec.keys) spec.published.push_back(key.kid);
  r.finish();
  return spec;
}

Result<std::shared_ptr<TestIssuer>> TestIssuer::make(const std::string& name, const IssuerSpec& spec) {
  std::shared_ptr<TestIssuer> issuer(new TestIssuer);
  issuer->name_ = name;
  issuer->url_ = spec.url;
  for (const IssuerSpec::Key& key : spec.keys) {
    auto made = key_of(name, key.kid, key.algorithm);
    if (!made) return Failure<Error>{made.error()};
    issuer->keys_.push_back({key.kid, key.algorithm, std::move(*made)});
  }
  issuer->published_ = spec.published;
  issuer->signs_ = spec.keys.front().kid;
  return issuer;
}

const TestIssuer::Key* TestIssuer::find(const std::string& kid) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&kid](const Key& key) { return key.kid == kid; });
  return found == keys_.end() ? nullptr : &*found;
}

Result<std::string> TestIssuer::mint(const TokenSpec& spec, Instant now) const {
  const std::lock_guard lock(mutex_);
  const Key* key = find(spec.kid.value_or(signs_));
  if (key == nullptr) return fail("unknown-key", "issuer `" + name_ + "` has no key `" + *spec.kid + "`");
  Signer signer{url_, key->key, key->algorithm, nullptr};
  if (spec.forge.key == Forge::Key::Other || spec.forge.embed || spec.forge.alg) {
    const auto wanted = crypto::parse_algorithm(spec.forge.alg.value_or(""));
    auto other = key_of("(other)", "other", wanted.value_or(key->algorithm));
    if (!other) return Failure<Error>{other.error()};
    signer.other = std::move(*other);
  }
  return make_token(spec, signer, now);
}

std::vector<crypto::JwkPtr> TestIssuer::verifiers() const {
  std::vector<crypto::JwkPtr> out;
  for (const std::string& kid : published_)
    if (const Key* key = find(kid); key != nullptr && key->key->verifier()) out.push_back(key->key->verifier());
  return out;
}

crypto::JwkSet TestIssuer::keys() const {
  const std::lock_guard lock(mutex_);
  crypto::JwkSet set;
  set.keys = verifiers();
  return set;
}

std::string TestIssuer::key_set() const {
  const std::lock_guard lock(mutex_);
  return crypto::to_json(verifiers());
}

void TestIssuer::publish(std::vector<std::string> kids) {
  const std::lock_guard lock(mutex_);
  published_ = std::move(kids);
}

void TestIssuer::sign_with(std::string kid) {
  const std::lock_guard lock(mutex_);
  signs_ = std::move(kid);
}

void TestIssuer::answer(std::optional<Reply> reply) {
  const std::lock_guard lock(mutex_);
  instead_ = reply ? std::make_shared<const Reply>(std::move(*reply)) : nullptr;
}

std::shared_ptr<const Reply> TestIssuer::reply() const {
  {
    const std::lock_guard lock(mutex_);
    if (instead_) return instead_;
  }
  auto reply = std::make_shared<Reply>();
  reply->headers.emplace_back("Content-Type", "application/jwk-set+json");
  reply->body = key_set();
  return reply;
}

Stub stub_of(std::shared_ptr<const TestIssuer> issuer, const diag::Span& span) {
  Stub stub;
  stub.span = span;
  stub.reply.make = [issuer = std::move(issuer)](const SeenRequest&) { return issuer->reply(); };
  return stub;
}

}  // namespace gatelab::harness
