// SPDX-License-Identifier: Apache-2.0
#include "harness/idp/token.h"

#include <utility>

#include "base/base64.h"
#include "base/text.h"
#include "config/json.h"

namespace gatelab::harness {
namespace {

using Json = nlohmann::ordered_json;

Json object_of(const config::Node& node, diag::Sink& sink, const std::string& what) {
  if (node.kind == config::Kind::Map) return Json::parse(config::to_json(node), nullptr, false);
  sink.error("wrong-type", node.span, what + " must be a map, not " + std::string(config::kind_name(node.kind)));
  return Json::object();
}

void over(Json& base, const Json& members) {
  for (const auto& [name, value] : members.items()) {
    if (value.is_null()) base.erase(name);
    else base[name] = value;
  }
}

void parse_key(Forge& forge, const config::Node& node, diag::Sink& sink) {
  if (node.kind == config::Kind::Map) {
    config::Reader r(node, sink, "`key` of `forge`");
    r.require("secret");
    forge.key = Forge::Key::Secret;
    forge.secret = r.text("secret", "");
    return r.finish();
  }
  constexpr Forge::Key kKeys[] = {Forge::Key::Public, Forge::Key::PublicDer, Forge::Key::PublicJwk, Forge::Key::Other, Forge::Key::Empty};
  if (const auto choice = config::as_choice(node, sink, "`key` of `forge`", {"public", "public-der", "public-jwk", "other", "empty"})) forge.key = kKeys[*choice];
}

void parse_duplicate(Forge& forge, const config::Node& node, diag::Sink& sink) {
  config::Reader r(node, sink, "`duplicate` of `forge`");
  forge.duplicate_header = r.text("header");
  forge.duplicate_claim = r.text("claim");
  r.finish();
}

// -1m: what no other duration may be.
std::optional<Duration> parse_ttl(const config::Node& node, diag::Sink& sink, const std::string& what) {
  config::Node positive;
  positive.kind = node.kind;
  positive.span = node.span;
  const bool negative = node.text.starts_with("-");
  positive.text = negative ? node.text.substr(1) : node.text;
  const auto ttl = config::as_duration(positive, sink, "`ttl` of " + what);
  return ttl && negative ? std::optional(-*ttl) : ttl;
}

// `{"a":1,"b":2}` → `{"a":1,"a":1,"b":2}`: JSON that no writer makes.
std::string twice(const Json& object, const std::string& name) {
  const std::string text = object.dump();
  const std::string member = Json(name).dump() + ":" + (object.contains(name) ? object[name].dump() : "null");
  return "{" + member + (text == "{}" ? "," + member + "}" : "," + text.substr(1));
}

// Another way to write the same octets, which no strict reader takes.
std::string respelt(std::string token, Forge::Encoding how) {
  switch (how) {
    case Forge::Encoding::Good: break;
    case Forge::Encoding::Padding: token += "="; break;
    case Forge::Encoding::Standard:
      for (char& c : token) c = c == '-' ? '+' : c == '_' ? '/' : c;
      if (token.find_first_of("+/") == std::string::npos) token += '+';
      break;
    case Forge::Encoding::Space: token.insert(token.rfind('.') + 1, " "); break;
    case Forge::Encoding::Tab: token.insert(token.rfind('.') + 1, "\t"); break;
    case Forge::Encoding::TrailingBits: token.back() = static_cast<char>(token.back() + 1); break;
  }
  return token;
}

std::string with_parts(std::string token, std::int64_t parts) {
  for (; parts > 3; --parts) token += ".AA";
  for (; parts < 3; ++parts) token.resize(token.rfind('.'));
  return token;
}

std::string der_of(const std::string& pem) {
  std::string text;
  for (std::size_t at = 0; at < pem.size();) {
    const std::size_t end = std::min(pem.find('\n', at), pem.size());
    if (pem[at] != '-') text.append(pem, at, end - at);
    at = end + 1;
  }
  return base64_decode(text).value_or("");
}

Result<crypto::SigningKeyPtr> key_of(const Forge& forge, const Signer& signer, const std::optional<crypto::Algorithm>& algorithm) {
  const crypto::JwkPtr& verifier = signer.key->verifier();
  const bool wants_public = forge.key == Forge::Key::Public || forge.key == Forge::Key::PublicDer || forge.key == Forge::Key::PublicJwk;
  if (wants_public && (!verifier || crypto::public_pem(*verifier).empty())) return fail("bad-forge", "the issuer's key is a secret: it has no public part");
  switch (forge.key) {
    case Forge::Key::Public: return crypto::SigningKey::from_secret(crypto::public_pem(*verifier));
    case Forge::Key::PublicDer: return crypto::SigningKey::from_secret(der_of(crypto::public_pem(*verifier)));
    case Forge::Key::PublicJwk: return crypto::SigningKey::from_secret(crypto::to_json(*verifier));
    case Forge::Key::Empty: return crypto::SigningKey::from_secret("");
    case Forge::Key::Secret: return crypto::SigningKey::from_secret(forge.secret);
    case Forge::Key::Other: return signer.other;
    case Forge::Key::Own: break;
  }
  if (forge.embed) return signer.other;
  return algorithm && !signer.key->algorithms().contains(*algorithm) ? signer.other : signer.key;
}

// What signs with it, where `alg` does not say, or says what nothing can sign with.
crypto::Algorithm fitting(const crypto::SigningKey& key, const std::optional<crypto::Algorithm>& said, crypto::Algorithm own) {
  if (said && key.algorithms().contains(*said)) return *said;
  if (key.algorithms().contains(own)) return own;
  return key.type() == crypto::KeyType::Oct ? crypto::Algorithm::HS256 : own;
}

}  // namespace

std::string spoilt(std::string signature, Forge::Signature how) {
  switch (how) {
    case Forge::Signature::Good: break;
    case Forge::Signature::Empty: signature.clear(); break;
    case Forge::Signature::Truncate: signature.pop_back(); break;
    case Forge::Signature::Extend: signature.push_back('\0'); break;
    case Forge::Signature::Flip: signature[signature.size() / 2] = static_cast<char>(signature[signature.size() / 2] ^ 1); break;
    case Forge::Signature::Zero: signature.assign(signature.size(), '\0'); break;
  }
  return signature;
}

Forge parse_forge(const config::Node& node, diag::Sink& sink, const std::string& what) {
  Forge forge;
  config::Reader r(node, sink, "`forge` of " + what);
  forge.alg = r.text("alg");
  if (const config::Node* key = r.get("key")) parse_key(forge, *key, sink);
  if (const config::Node* header = r.get("header")) forge.header = object_of(*header, sink, "`header` of `forge`");
  for (const std::string_view member : {"kid", "typ", "crit", "jku", "x5u", "x5c"})
    if (const config::Node* value = r.get(member)) forge.header[std::string(member)] = Json::parse(config::to_json(*value), nullptr, false);
  if (r.get("jwk") != nullptr) forge.embed = r.choice("jwk", 0, {"embedded"}) == 0;
  forge.signature = static_cast<Forge::Signature>(r.choice("signature", 0, {"good", "empty", "truncate", "extend", "flip", "zero"}));
  forge.encoding = static_cast<Forge::Encoding>(r.choice("encoding", 0, {"good", "padding", "standard", "space", "tab", "trailing-bits"}));
  if (const config::Node* duplicate = r.get("duplicate")) parse_duplicate(forge, *duplicate, sink);
  forge.protected_text = r.text("protected");
  forge.payload = r.text("payload");
  if (r.get("parts") != nullptr) forge.parts = r.integer("parts", 3, 1, 9);
  r.elsewhere("claims", "they stand beside `forge`: jwt: { claims: { … } }");
  r.finish();
  return forge;
}

TokenSpec parse_token(const config::Node& node, diag::Sink& sink, const std::string& what) {
  TokenSpec spec;
  spec.span = node.span;
  config::Reader r(node, sink, "`jwt` of " + what);
  r.require("issuer");
  spec.issuer = r.text("issuer", "");
  if (const config::Node* claims = r.get("claims")) spec.claims = object_of(*claims, sink, "`claims` of " + what);
  if (const config::Node* ttl = r.get("ttl")) spec.ttl = parse_ttl(*ttl, sink, what).value_or(spec.ttl);
  spec.kid = r.text("kid");
  spec.typ = r.text("typ", spec.typ);
  if (const config::Node* forge = r.get("forge")) spec.forge = parse_forge(*forge, sink, what);
  r.elsewhere("alg", "the issuer's keys have it; to say another in the header: forge: { alg: … }");
  for (const std::string_view claim : {"sub", "aud", "scope", "iss", "exp"}) r.elsewhere(claim, "it is a claim: claims: { … }");
  r.finish();
  return spec;
}

Result<std::string> make_token(const TokenSpec& spec, const Signer& signer, Instant now) {
  const Forge& forge = spec.forge;
  Json claims = Json::object();
  if (!signer.url.empty()) claims["iss"] = signer.url;
  claims["iat"] = now.seconds();
  claims["exp"] = (now + spec.ttl).seconds();
  over(claims, spec.claims);
  const auto algorithm = crypto::parse_algorithm(forge.alg.value_or(""));
  auto key = key_of(forge, signer, algorithm);
  if (!key) return Failure<Error>{key.error()};
  const crypto::Algorithm signs = fitting(**key, algorithm, signer.algorithm);
  Json header{{"alg", forge.alg.value_or(std::string(crypto::name(signs)))}, {"typ", spec.typ}};
  if (spec.typ.empty()) header.erase("typ");
  if (signer.key->kid()) header["kid"] = *signer.key->kid();
  if (forge.embed && (*key)->verifier()) header["jwk"] = Json::parse(crypto::to_json(*(*key)->verifier()), nullptr, false);
  over(header, forge.header);
  const std::string protected_text = forge.protected_text ? *forge.protected_text : forge.duplicate_header ? twice(header, *forge.duplicate_header) : header.dump();
  const std::string payload = forge.payload ? *forge.payload : forge.duplicate_claim ? twice(claims, *forge.duplicate_claim) : claims.dump();
  std::string signature;
  // Of `none`, in whatever spelling, the signature is empty.
  if (!forge.alg || to_lower(*forge.alg) != "none") {
    auto made = crypto::sign(base64url_encode(protected_text) + "." + base64url_encode(payload), **key, signs);
    if (!made) return fail("bad-forge", made.error().message);
    signature = spoilt(std::move(*made), forge.signature);
  }
  std::string token = respelt(crypto::compact(protected_text, payload, signature), forge.encoding);
  return forge.parts ? with_parts(std::move(token), *forge.parts) : std::move(token);
}

}  // namespace gatelab::harness
