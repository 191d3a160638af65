// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/signature.h"

#include <algorithm>

#include "base/base64.h"
#include "base/text.h"
#include "harness/scenario/client.h"
#include "http/parser.h"
#include "http/signature_base.h"
#include "http/structured.h"

namespace gatelab::harness {
namespace {

using Components = std::vector<std::string>;

Components texts_of(config::Reader& r, std::string_view key) {
  Components out;
  for (auto& one : r.texts(key)) out.push_back(std::move(one.value));
  return out;
}

// From now: `-10m` lies behind, and `none` is nothing.
std::optional<Duration> parse_offset(config::Reader& r, std::string_view key, std::optional<Duration> fallback) {
  const config::Node* node = r.get(key);
  if (node == nullptr) return fallback;
  if (node->text == "none") return std::nullopt;
  if (node->text == "now") return Duration{};
  config::Node positive;
  positive.kind = node->kind;
  positive.span = node->span;
  const bool negative = node->text.starts_with("-");
  positive.text = node->text.substr(negative ? 1 : 0);
  const auto by = config::as_duration(positive, r.sink(), "`" + std::string(key) + "` of " + r.what());
  return by && negative ? std::optional(-*by) : by;
}

SignatureForge parse_forge_of(const config::Node& node, diag::Sink& sink, const std::string& what) {
  SignatureForge out;
  config::Reader r(node, sink, "`forge` of " + what);
  out.method = r.text("method");
  out.target = r.text("target");
  out.body = r.text("body");
  out.keyid = r.text("keyid");
  out.alg = r.text("alg");
  if (const config::Node* headers = r.get("headers")) {
    if (headers->kind != config::Kind::Map) sink.error("wrong-type", headers->span, "`headers` of `forge` must be a map of names to values");
    for (const config::Entry& e : headers->entries) out.headers.emplace_back(e.key, e.value->text);
  }
  if (r.get("listed") != nullptr) out.listed = texts_of(r, "listed");
  if (r.get("key") != nullptr) out.public_key = r.choice("key", 0, {"public"}) == 0;
  out.signature = static_cast<Forge::Signature>(r.choice("signature", 0, {"good", "empty", "truncate", "extend", "flip", "zero"}));
  r.elsewhere("created", "it stands beside `forge`: signature: { created: -10m }");
  r.elsewhere("nonce", "it stands beside `forge`: signature: { nonce: text }");
  r.finish();
  return out;
}

// `@query-param;name="x"` is a name and its parameters.
std::string list_of(const Components& components) {
  std::string out = "(";
  for (const std::string& one : components) {
    const std::size_t end = std::min(one.find(';'), one.size());
    out.append(out.size() == 1 ? "" : " ").append(http::structured::quoted(std::string_view(one).substr(0, end))).append(one, end);
  }
  return out + ")";
}

std::string digest_of(crypto::RunningDigest::Kind kind, std::string_view body) {
  const std::size_t size = crypto::digest_size(kind);
  crypto::RunningDigest digest(kind);
  digest.add(body);
  std::string out(size, '\0');
  digest.end(out);
  return std::string(crypto::name(kind)) + "=:" + base64_encode(out) + ":";
}

crypto::Algorithm algorithm_of(const crypto::SigningKey& key) {
  switch (key.type()) {
    case crypto::KeyType::Oct: return crypto::Algorithm::HS256;
    case crypto::KeyType::Okp: return crypto::Algorithm::EdDSA;
    case crypto::KeyType::Ec: return crypto::Algorithm::ES256;
    case crypto::KeyType::Rsa: break;
  }
  return crypto::Algorithm::PS512;
}

// The request that is signed.
Send signed_request(const SignatureSpec& spec, const Send& send) {
  Send out = send;
  const SignatureForge& forge = spec.forge;
  out.method = forge.method.value_or(out.method);
  out.target = forge.target.value_or(out.target);
  if (forge.body) out.body = *forge.body;
  for (const auto& [name, value] : forge.headers) {
    std::erase_if(out.headers, [&wanted = name](const auto& h) { return iequals(h.first, wanted); });
    out.headers.emplace_back(name, value);
  }
  return out;
}

std::string parameters_of(const SignatureSpec& spec, const Signing& signing, crypto::Algorithm algorithm) {
  std::string out;
  const auto text = [&out](std::string_view name, std::string_view value) { out.append(";").append(name).append("=").append(http::structured::quoted(value)); };
  if (spec.created) out += ";created=" + std::to_string((signing.now + *spec.created).seconds());
  if (spec.expires) out += ";expires=" + std::to_string((signing.now + spec.created.value_or(Duration{}) + *spec.expires).seconds());
  text("keyid", spec.forge.keyid.value_or(spec.keyid));
  if (spec.forge.alg || spec.says_alg) text("alg", spec.forge.alg.value_or(std::string(crypto::signature_name(algorithm))));
  const std::string nonce = spec.nonce.value_or(signing.nonce);
  if (!nonce.empty()) text("nonce", nonce);
  if (!spec.tag.empty()) text("tag", spec.tag);
  return out;
}

Result<std::string> base_of(const std::string& octets, std::string_view input, std::string_view scheme) {
  Arena arena;
  http::RequestHead head(arena);
  http::RequestParser parser(head, {64 * 1024, 16 * 1024, 500});
  if (parser.parse(octets) != http::ParseState::Done) return fail("bad-signature", "what is to be signed is no request");
  const auto parsed = http::structured::parse_dictionary(input, arena);
  if (!parsed || parsed->members.empty()) return fail("bad-signature", "`" + std::string(input) + "` can't be a Signature-Input");
  const http::SignatureBase base = http::signature_base(head, scheme, parsed->members.front(), arena);
  if (base.fault != http::SignatureBase::Fault::None) return fail("bad-signature", "the request has nothing to sign as " + std::string(base.component));
  return std::string(base.text);
}

}  // namespace

SignatureSpec parse_signature(const config::Node& node, diag::Sink& sink, const std::string& what) {
  SignatureSpec out;
  const std::string who = "`signature` of " + what;
  config::Reader r(node, sink, who);
  r.require("keyid");
  out.keyid = r.text("keyid", "");
  out.secret = r.secret("secret");
  if (const auto text = r.secret("secret_base64")) {
    const auto octets = base64_decode(text->reveal());
    if (octets) out.secret = Secret(*octets);
    else sink.error("bad-key", r.span_of("secret_base64"), "`secret_base64` of " + who + " is no Base64");
  }
  out.private_key = r.text("private_key", "");
  out.label = r.text("label", "sig1");
  out.tag = r.text("tag", "");
  if (r.get("components") != nullptr) out.components = texts_of(r, "components");
  out.created = parse_offset(r, "created", Duration{});
  out.expires = parse_offset(r, "expires", std::nullopt);
  out.nonce = r.text("nonce");
  if (out.nonce == "none") out.nonce = "";
  out.says_alg = r.boolean("alg", false);
  constexpr std::optional<crypto::RunningDigest::Kind> kDigests[] = {crypto::RunningDigest::Kind::Bits256, crypto::RunningDigest::Kind::Bits512, std::nullopt};
  out.digest = kDigests[r.choice("digest", 0, {"sha-256", "sha-512", "none"})];
  if (const config::Node* forge = r.get("forge")) out.forge = parse_forge_of(*forge, sink, who);
  r.elsewhere("algorithm", "the key says it");
  r.finish();
  const int keys = (node.find("secret") != nullptr ? 1 : 0) + (node.find("secret_base64") != nullptr ? 1 : 0) + (out.private_key.empty() ? 0 : 1);
  if (r.valid() && keys != 1) sink.error("bad-key", node.span, who + " signs with one of `secret`, `secret_base64` and `private_key`");
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> sign_request(const SignatureSpec& spec, const Send& send, const Signing& signing) {
  crypto::SigningKeyPtr key = signing.key;
  if (spec.forge.public_key) {
    if (!key->verifier() || crypto::public_pem(*key->verifier()).empty()) return fail("bad-signature", "the key is a secret: it has no public part");
    key = crypto::SigningKey::from_secret(crypto::public_pem(*key->verifier()));
  }
  const crypto::Algorithm algorithm = algorithm_of(*key);
  Send whole = signed_request(spec, send);
  Components components = spec.components.value_or(Components{"@method", "@target-uri"});
  if (!spec.components && whole.has_body && spec.digest) components.emplace_back("content-digest");
  std::vector<std::pair<std::string, std::string>> out;
  if (spec.digest && (whole.has_body || std::find(components.begin(), components.end(), "content-digest") != components.end())) {
    out.emplace_back("Content-Digest", digest_of(*spec.digest, whole.body));
    whole.headers.push_back(out.back());
  }
  const std::string parameters = parameters_of(spec, signing, algorithm);
  const auto base = base_of(octets_of(whole, nullptr, signing.to), spec.label + "=" + list_of(components) + parameters, signing.scheme);
  if (!base) return Failure<Error>{base.error()};
  auto signature = crypto::sign(*base, *key, algorithm);
  if (!signature) return fail("bad-signature", signature.error().message);
  out.emplace_back("Signature-Input", spec.label + "=" + list_of(spec.forge.listed.value_or(components)) + parameters);
  out.emplace_back("Signature", spec.label + "=:" + base64_encode(spoilt(std::move(*signature), spec.forge.signature)) + ":");
  return out;
}

}  // namespace gatelab::harness
