// SPDX-License-Identifier: Apache-2.0
// gatelab mint jwt, gatelab mint key: tokens and API keys for development.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/base64.h"
#include "cli/cli.h"
#include "cli/local_ca.h"
#include "cli/local_keys.h"
#include "crypto/digest.h"
#include "crypto/jws_generate.h"
#include "harness/idp/provider.h"
#include "io/disk.h"

namespace gatelab::cli {
namespace {

struct JwtOptions {
  std::string config = "gateway.yaml", issuer, key, secret, alg, kid, typ = "JWT", ttl = "5m", forge;
  std::vector<std::string> claims;
  std::string subject, audience, scope;
  int count = 1;
};

// NAME=VALUE: the value is JSON where it reads as such, else a text.
bool add_claim(nlohmann::ordered_json& claims, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return false;
  const std::string value = text.substr(equals + 1);
  auto parsed = nlohmann::ordered_json::parse(value, nullptr, false);
  claims[text.substr(0, equals)] = parsed.is_discarded() ? nlohmann::ordered_json(value) : std::move(parsed);
  return true;
}

// The options as the map that a scenario's credential would have, so that both know the same words.
std::optional<harness::TokenSpec> spec_of(const JwtOptions& options) {
  nlohmann::ordered_json claims = nlohmann::ordered_json::object();
  if (!options.subject.empty()) claims["sub"] = options.subject;
  if (!options.audience.empty()) claims["aud"] = options.audience;
  if (!options.scope.empty()) claims["scope"] = options.scope;
  for (const std::string& claim : options.claims)
    if (!add_claim(claims, claim)) return complain("--claim: write NAME=VALUE, not `" + claim + "`"), std::nullopt;
  auto source = std::make_shared<diag::SourceFile>();
  source->name = "(command line)";
  source->text = "jwt:\n  issuer: " + nlohmann::json(options.issuer.empty() ? "(none)" : options.issuer).dump() + "\n  ttl: " + nlohmann::json(options.ttl).dump() + "\n  typ: " + nlohmann::json(options.typ).dump() +
                 "\n  claims: " + claims.dump() + "\n" + (options.forge.empty() ? "" : "  forge: " + options.forge + "\n");
  diag::Sink sink;
  const auto tree = config::parse(source, {}, sink);
  std::optional<harness::TokenSpec> out;
  if (tree && tree->find("jwt") != nullptr) out = harness::parse_token(*tree->find("jwt"), sink, "the token");
  if (!sink.has_errors()) return out;
  fmt::print(stderr, "{}\n", diag::render_all(sink, colour_of(Stream::Err)));
  return std::nullopt;
}

// What the configuration says of an issuer; null after a complaint.
const policy::Issuer* find_issuer(const JwtOptions& options, const gateway::Model& model) {
  const policy::Issuer* found = model.issuers.find(options.issuer);
  if (found != nullptr) return found;
  std::string known;
  for (const auto& issuer : model.issuers.all) known += (known.empty() ? "" : ", ") + issuer->name;
  complain("--issuer: `" + options.config + "` has no issuer `" + options.issuer + "`" + (known.empty() ? "" : "; it has: " + known));
  return nullptr;
}

Result<crypto::SigningKeyPtr> read_key(const JwtOptions& options) {
  const std::optional<std::string> kid = options.kid.empty() ? std::nullopt : std::optional(options.kid);
  if (!options.secret.empty()) return crypto::SigningKey::from_secret(options.secret, kid);
  const auto text = io::DiskFiles().read(options.key);
  if (!text) return fail("not-found", "--key: " + text.error().message);
  const bool json = text->find_first_not_of(" \t\r\n") != std::string::npos && (*text)[text->find_first_not_of(" \t\r\n")] == '{';
  auto key = json ? crypto::SigningKey::from_jwk(*text) : crypto::SigningKey::from_pem(*text, kid);
  if (!key) return fail("bad-key", "--key: `" + options.key + "` " + key.error().message);
  return key;
}

// The quickest that the key can sign with.
crypto::Algorithm algorithm_of(const crypto::SigningKey& key) {
  for (const crypto::Algorithm one : {crypto::Algorithm::ES256, crypto::Algorithm::EdDSA, crypto::Algorithm::RS256, crypto::Algorithm::HS256})
    if (key.algorithms().contains(one)) return one;
  for (std::size_t i = 0; i < crypto::kAlgorithms; ++i)
    if (key.algorithms().contains(static_cast<crypto::Algorithm>(i))) return static_cast<crypto::Algorithm>(i);
  return crypto::Algorithm::HS256;
}

// Takes what the token does not say from the issuer; an exit code, kOk: done.
int take_issuer(const JwtOptions& options, harness::TokenSpec& spec, harness::Signer& signer) {
  policy::StateStore states;
  const Loaded loaded = load(options.config, states, Random(1), {nullptr, true});
  if (!loaded.model) return loaded.exit;
  const policy::Issuer* issuer = find_issuer(options, *loaded.model);
  if (issuer == nullptr) return kUsage;
  signer.url = issuer->url;
  signer.algorithm = policy::local_algorithm(*issuer);
  if (!spec.claims.contains("aud") && !issuer->audiences.empty()) spec.claims["aud"] = issuer->audiences.front();
  return kOk;
}

// The key, and the algorithm that it signs with; an exit code.
int take_key(const JwtOptions& options, harness::Signer& signer) {
  const auto asked = crypto::parse_algorithm(options.alg);
  if (!options.alg.empty() && !asked) {
    complain("--alg: `" + options.alg + "` is no signature algorithm; to write any text into the header: --forge '{ alg: … }'");
    return kUsage;
  }
  if (asked) signer.algorithm = *asked;
  const bool own = !options.key.empty() || !options.secret.empty();
  auto key = own ? read_key(options) : local_signing_key(signer.algorithm);
  if (!key) {
    complain(key.error().message);
    return key.error().id == "bad-key" ? kUsage : kEnvironment;
  }
  signer.key = std::move(*key);
  if (own && !asked) signer.algorithm = algorithm_of(*signer.key);
  return kOk;
}

std::string token_id() {
  const auto octets = crypto::generate_key_text(crypto::Algorithm::HS256);
  return octets ? base64url_encode(std::string_view(*octets).substr(0, 16)) : std::string();
}

int mint_jwt(const JwtOptions& options) {
  auto spec = spec_of(options);
  if (!spec) return kUsage;
  harness::Signer signer;
  signer.algorithm = crypto::Algorithm::ES256;
  int exit = options.issuer.empty() ? kOk : take_issuer(options, *spec, signer);
  if (exit == kOk) exit = take_key(options, signer);
  if (exit != kOk) return exit;
  const auto forged = crypto::parse_algorithm(spec->forge.alg.value_or(""));
  if (auto other = crypto::generate_signing_key(forged.value_or(signer.algorithm), "other")) signer.other = std::move(*other);
  const bool given = spec->claims.contains("jti");
  for (int i = 0; i < options.count; ++i) {
    if (options.count > 1 && !given) spec->claims["jti"] = token_id();
    const auto token = harness::make_token(*spec, signer, system_time());
    if (!token) {
      complain(token.error().message);
      return kUsage;
    }
    if (!print(*token + "\n")) return kEnvironment;
  }
  return kOk;
}

// 32 octets behind a name by which scanners and people know what they have found.
int mint_key(const std::string& prefix) {
  const auto octets = crypto::generate_key_text(crypto::Algorithm::HS256);
  if (!octets) {
    complain(octets.error().message);
    return kEnvironment;
  }
  const std::string key = prefix + base64url_encode(*octets);
  const crypto::Sha256 digest = crypto::sha256(key);
  std::string hex;
  for (const auto octet : digest) hex += fmt::format("{:02x}", octet);
  complain("the key is shown this once; the configuration keeps its digest:");
  fmt::print(stderr, "  keys: [ {{ sha256: {} }} ]\n", hex);
  return print(key + "\n") ? kOk : kEnvironment;
}

}  // namespace

void add_mint_tokens(CLI::App& mint, Chosen& chosen) {
  auto options = std::make_shared<JwtOptions>();
  CLI::App* jwt = mint.add_subcommand("jwt", "a JSON Web Token; by this user's local key, which issuers with `keys: local` trust");
  jwt->add_option("--issuer", options->issuer, "an issuer of the configuration: its iss, audience and algorithm");
  jwt->add_option("-c,--config", options->config, "the configuration")->capture_default_str();
  jwt->add_option("--key", options->key, "a private key to sign with instead: PEM or JWK");
  jwt->add_option("--secret", options->secret, "a shared secret to sign with instead");
  jwt->add_option("--alg", options->alg, "RS256, ES256, …; default: what the key or the issuer is for");
  jwt->add_option("--kid", options->kid, "names the key of --key or --secret in the header");
  jwt->add_option("--typ", options->typ, "the header's typ; empty: none")->capture_default_str();
  jwt->add_option("--sub", options->subject, "who it is about");
  jwt->add_option("--aud", options->audience, "whom it is for; default: the issuer's first audience");
  jwt->add_option("--scope", options->scope, "what it allows: 'orders:read orders:write'");
  jwt->add_option("--claim", options->claims, "NAME=VALUE; JSON where it reads as such; again for more. null takes one away");
  jwt->add_option("--ttl", options->ttl, "how long it lasts; -1m: it has expired")->capture_default_str();
  jwt->add_option("--count", options->count, "as many, one a line, each with a `jti` of its own (unless --claim gives one): for load tests")->capture_default_str()->check(CLI::Range(1, 1'000'000));
  jwt->add_option("--forge", options->forge, "makes it wrong, in a scenario's words: '{ alg: none }'");
  jwt->callback([options, &chosen] { chosen = [options] { return mint_jwt(*options); }; });
  auto prefix = std::make_shared<std::string>("gl_");
  CLI::App* key = mint.add_subcommand("key", "an API key, and the digest of it for the configuration");
  key->add_option("--prefix", *prefix, "what it begins with")->capture_default_str();
  key->callback([prefix, &chosen] { chosen = [prefix] { return mint_key(*prefix); }; });
}

}  // namespace gatelab::cli
