// SPDX-License-Identifier: Apache-2.0
#include "policy/hmac/signature_key.h"

#include <algorithm>
#include <utility>

#include "base/base64.h"

namespace gatelab::policy {
namespace {

using crypto::Algorithm;

class KeyParser {
 public:
  KeyParser(const config::Node& node, Context& context) : node_(node), context_(context), r_(node, context.sink, "key of policy `hmac`") {}

  std::optional<SignatureKey> parse() {
    r_.require("id");
    r_.require("algorithm");
    out_.id = r_.text("id", "");
    const bool known = algorithm();
    const auto secret = r_.secret("secret"), base64 = r_.secret("secret_base64");
    const config::Node* file = r_.get("public_key");
    const bool fine = consumer();
    r_.elsewhere("key", "write `secret`, or `public_key` with the name of a PEM file");
    r_.elsewhere("alg", "write `algorithm`");
    r_.elsewhere("keyid", "write `id`: it is the keyid of signatures");
    r_.finish();
    if (!r_.valid() || !known || !fine || node_.find("id") == nullptr) return std::nullopt;
    if (out_.id.empty()) return error("bad-name", "id", "a key's `id` is not empty", "it is the keyid of signatures"), std::nullopt;
    if (static_cast<int>(secret.has_value()) + static_cast<int>(base64.has_value()) + (file != nullptr ? 1 : 0) != 1)
      return context_.sink.error("bad-key", node_.span, "a key is one of `secret`, `secret_base64` and `public_key`"), std::nullopt;
    if (out_.algorithm == Algorithm::HS256 ? file != nullptr : file == nullptr)
      return error("bad-key", "algorithm", std::string(crypto::signature_name(out_.algorithm)) + (file != nullptr ? " takes a secret and no public key" : " takes a public key and no secret"),
                   file != nullptr ? "secret: $(env.SECRET)" : "public_key: partner.pem"),
             std::nullopt;
    if (file != nullptr) from_pem(*file);
    else if (secret) from_secret(secret->reveal(), "secret");
    else from_base64(base64->reveal());
    return out_.key ? std::optional(std::move(out_)) : std::nullopt;
  }

 private:
  bool algorithm() {
    const auto text = r_.text("algorithm");
    if (!text) return false;
    const auto known = crypto::parse_signature_name(*text);
    if (known) out_.algorithm = *known;
    else error("unknown-algorithm", "algorithm", "`" + *text + "` is no algorithm of message signatures that is known here", "hmac-sha256, ed25519, ecdsa-p256-sha256 or rsa-pss-sha512");
    return known.has_value();
  }

  bool consumer() {
    const auto name = r_.text("consumer");
    if (!name) return true;
    out_.consumer = context_.consumers.find(*name);
    if (out_.consumer != nullptr) return true;
    std::vector<std::string_view> names;
    for (const auto& one : context_.consumers.all) names.push_back(one->name);
    context_.sink.no_such("consumer", *name, r_.span_of("consumer"), names);
    return false;
  }

  void from_pem(const config::Node& file) {
    const auto text = context_.read(file, "`public_key` of policy `hmac`");
    if (!text) return;
    auto key = crypto::jwk_from_pem(*text, out_.id, {out_.algorithm});
    if (key) {
      out_.key = std::move(*key);
      return;
    }
    std::string why(key.error().detail);
    if (key.error().reason == crypto::JoseReason::KeyUse) why = "it is of another kind";
    error("bad-key", "public_key", "`" + file.text + "` is no key for " + std::string(crypto::signature_name(out_.algorithm)) + ": " + why, "openssl pkey -pubout writes a public key");
  }

  void from_secret(std::string_view octets, std::string_view place) {
    auto key = crypto::jwk_from_secret(octets, out_.id, {out_.algorithm});
    if (key) out_.key = std::move(*key);
    else error("bad-key", place, "the secret of key `" + out_.id + "` can't be used: " + std::string(key.error().detail),
               key.error().reason == crypto::JoseReason::KeyType ? "give a public key as `public_key: FILE`, with its algorithm" : "openssl rand -hex 32");
  }

  void from_base64(std::string_view text) {
    const auto octets = base64_decode(text);
    if (octets) from_secret(*octets, "secret_base64");
    else error("bad-key", "secret_base64", "the secret of key `" + out_.id + "` is no Base64", "openssl rand -base64 32; a text is written as `secret`");
  }

  void error(std::string id, std::string_view key, std::string message, std::string hint = {}) { context_.sink.error(std::move(id), r_.span_of(key), std::move(message), std::move(hint)); }

  const config::Node& node_;
  Context& context_;
  config::Reader r_;
  SignatureKey out_;
};

}  // namespace

std::vector<SignatureKey> parse_signature_keys(const config::Node& list, Context& context) {
  std::vector<SignatureKey> out;
  if (list.kind != config::Kind::List || list.items.empty()) {
    context.sink.error("wrong-type", list.span, "`keys` of policy `hmac` must be a list of keys", "keys: [ { id: shop, algorithm: hmac-sha256, secret: $(env.SECRET) } ]");
    return out;
  }
  for (const config::Node& node : list.items) {
    auto key = KeyParser(node, context).parse();
    if (!key) continue;
    const bool taken = std::any_of(out.begin(), out.end(), [&key](const SignatureKey& other) { return other.id == key->id; });
    if (taken) context.sink.error("duplicate-name", node.find("id")->span, "there is a key `" + key->id + "` already", "a keyid names one key");
    else out.push_back(std::move(*key));
  }
  return out;
}

}  // namespace gatelab::policy
