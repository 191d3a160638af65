// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/identities.h"

#include <utility>

namespace gatelab::harness {

Status Identities::make() {
  for (const auto& [name, spec] : world_.issuers) {
    auto made = TestIssuer::make(name, spec);
    if (!made) return fail(made.error().id, "issuer `" + name + "`: " + made.error().message);
    keys_[name] = (*made)->keys();
    issuers_[name] = std::move(*made);
  }
  return success();
}

Status Identities::meet(const gateway::Model& model, MockServers& mocks, const crypto::LocalAuthority& authority, Instant start) {
  for (const auto& [name, issuer] : issuers_) {
    const policy::Issuer* known = model.issuers.find(name);
    if (known == nullptr) continue;
    if (world_.issuers.at(name).url.empty()) issuer->set_url(known->url);
    const std::string upstream = std::string(gateway::kIssuerUpstream) + name;
    if (known->upstream < 0 || world_.mocks.count(upstream) > 0) continue;
    const upstream::Config& config = model.upstreams[static_cast<std::size_t>(known->upstream)];
    std::shared_ptr<const crypto::TlsContext> tls;
    if (config.tls) {
      auto made = mock_context({}, config.targets.front().server_name, authority, start);
      if (!made) return fail(made.error().id, "issuer `" + name + "`: " + made.error().message);
      tls = std::move(*made);
    }
    mocks.provide(upstream, {stub_of(issuer, world_.issuers.at(name).span)}, std::move(tls));
  }
  return success();
}

Result<Credential> Identities::use(const std::string& name, Instant now) {
  Credential out = world_.credentials.at(name);
  // What others derive from is used by them.
  for (std::string used = name; !used.empty(); used = world_.credentials.at(used).from) result_.used_credentials.insert(used);
  if (!out.token) return out;
  const auto [at, fresh] = tokens_.try_emplace(name);
  if (fresh) {
    auto made = issuers_.at(out.token->issuer)->mint(*out.token, now);
    if (!made) return fail(made.error().id, "no token of credential `" + name + "` can be made: " + made.error().message);
    at->second = std::move(*made);
  }
  out.key = Secret(at->second);
  return out;
}

Status Identities::sign(Credential& credential, const Send& send, const Address& to, std::string_view scheme, Instant now, const io::Files& files, const std::string& directory) {
  const SignatureSpec& spec = *credential.signature;
  Signing signing{to, scheme, now, "nonce-" + std::to_string(++signatures_), {}};
  if (spec.secret) {
    signing.key = crypto::SigningKey::from_secret(spec.secret->reveal());
  } else if (!(signing.key = signers_[spec.private_key])) {
    const auto pem = files.read(spec.private_key.starts_with("/") ? spec.private_key : directory + spec.private_key);
    if (!pem) return gatelab::Failure<Error>{pem.error()};
    auto key = crypto::SigningKey::from_pem(*pem);
    if (!key) return fail(key.error().id, "`" + spec.private_key + "` " + key.error().message);
    signing.key = signers_[spec.private_key] = std::move(*key);
  }
  auto fields = sign_request(spec, send, signing);
  if (!fields) return gatelab::Failure<Error>{fields.error()};
  credential.headers = std::move(*fields);
  // Signatures by the same key over the same octets differ.
  tokens_["signature " + std::to_string(signatures_)] = credential.headers.back().second;
  return success();
}

void Identities::change(const IssuerStep& step) {
  TestIssuer& issuer = *issuers_.at(step.name);
  if (step.publish) issuer.publish(*step.publish);
  if (step.sign) issuer.sign_with(*step.sign);
  if (step.reply) issuer.answer(*step.reply);
}

std::string Identities::masked(std::string_view text) const {
  std::string out(text);
  for (const auto& [name, token] : tokens_)
    for (std::size_t at = out.find(token); at != std::string::npos; at = out.find(token, at)) out.replace(at, token.size(), "(" + name + ")");
  return out;
}

}  // namespace gatelab::harness
