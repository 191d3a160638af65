// SPDX-License-Identifier: Apache-2.0
#include "harness/idp/endpoints.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/base64.h"
#include "base/text.h"
#include "harness/idp/token.h"
#include "harness/match/json_text.h"
#include "http/uri.h"

namespace gatelab::harness {
namespace {

using Json = nlohmann::ordered_json;
using ReplyPtr = std::shared_ptr<const Reply>;

constexpr std::int64_t kLife = 300;  // seconds

ReplyPtr json(std::uint16_t status, const Json& body, const char* type = "application/json") {
  auto reply = std::make_shared<Reply>();
  reply->status = status;
  reply->headers = {{"Content-Type", type}, {"Cache-Control", "no-store"}};
  reply->body = body.dump() + "\n";
  return reply;
}

// RFC 6749 §5.2.
ReplyPtr refusal(std::uint16_t status, const char* error, const std::string& description) { return json(status, {{"error", error}, {"error_description", description}}); }

using Form = std::map<std::string, std::string, std::less<>>;

Form form_of(std::string_view body) {
  Arena arena;
  Form out;
  std::string_view key, value;
  while (http::next_query_pair(body, key, value)) out[std::string(http::decode_query(key, arena))] = http::decode_query(value, arena);
  return out;
}

// Of the Authorization field or the form; the secret may be anything.
std::string client_of(const SeenRequest& request, const Form& form) {
  for (const auto& [name, value] : request.headers) {
    if (!iequals(name, "authorization") || value.size() < 6 || !iequals(std::string_view(value).substr(0, 6), "Basic ")) continue;
    const std::string pair = base64_decode(trim_ows(std::string_view(value).substr(6))).value_or("");
    Arena arena;
    return std::string(http::decode_query(std::string_view(pair).substr(0, pair.find(':')), arena));
  }
  const auto client = form.find("client_id");
  return client == form.end() ? "" : client->second;
}

Json claims_of(const ServedIssuer& issuer, const std::string& client, const Form& form) {
  Json claims{{"sub", client}, {"client_id", client}};
  const auto audience = form.find("audience"), scope = form.find("scope");
  if (audience != form.end()) claims["aud"] = audience->second;
  else if (issuer.audiences.size() == 1) claims["aud"] = issuer.audiences.front();
  else if (!issuer.audiences.empty()) claims["aud"] = issuer.audiences;
  if (scope != form.end()) claims["scope"] = scope->second;
  return claims;
}

Stub stub(const char* method, const char* path, std::function<ReplyPtr(const SeenRequest&)> make) {
  Stub out;
  out.when.method = method;
  out.when.path = path;
  out.reply.make = std::move(make);
  return out;
}

}  // namespace

void IdentityService::set_issuers(std::vector<ServedIssuer> issuers) {
  auto fresh = std::make_shared<const std::vector<ServedIssuer>>(std::move(issuers));
  const std::lock_guard lock(mutex_);
  issuers_ = std::move(fresh);
}

std::shared_ptr<const std::vector<ServedIssuer>> IdentityService::issuers() const {
  const std::lock_guard lock(mutex_);
  return issuers_;
}

ReplyPtr IdentityService::discovery() const {
  const auto all = issuers();
  Json algorithms = Json::array();
  for (const ServedIssuer& issuer : *all) algorithms.push_back(crypto::name(issuer.algorithm));
  return json(200, {{"issuer", url_of(all->front())},
                    {"jwks_uri", base_ + "/jwks.json"},
                    {"token_endpoint", base_ + "/token"},
                    {"grant_types_supported", {"client_credentials"}},
                    {"response_types_supported", {"token"}},
                    {"subject_types_supported", {"public"}},
                    {"token_endpoint_auth_methods_supported", {"client_secret_basic", "client_secret_post"}},
                    {"id_token_signing_alg_values_supported", algorithms}});
}

ReplyPtr IdentityService::key_set() const {
  const auto all = issuers();
  std::vector<crypto::JwkPtr> keys;
  for (const ServedIssuer& issuer : *all) {
    const bool known = std::any_of(keys.begin(), keys.end(), [&issuer](const crypto::JwkPtr& k) { return k->kid() == issuer.key->kid(); });
    if (!known && issuer.key->verifier()) keys.push_back(issuer.key->verifier());
  }
  return json(200, Json::parse(crypto::to_json(keys)), "application/jwk-set+json");
}

ReplyPtr IdentityService::token(const SeenRequest& request) const {
  const auto all = issuers();
  const Form form = form_of(request.body);
  const auto grant = form.find("grant_type"), named = form.find("issuer"), more = form.find("claims");
  if (grant == form.end()) return refusal(400, "invalid_request", "grant_type is missing");
  if (grant->second != "client_credentials") return refusal(400, "unsupported_grant_type", "this provider knows client_credentials");
  const std::string client = client_of(request, form);
  if (client.empty()) return refusal(401, "invalid_client", "say who you are: curl -u NAME:anything, or client_id");
  auto issuer = all->begin();
  if (named != form.end()) issuer = std::find_if(all->begin(), all->end(), [&named](const ServedIssuer& i) { return i.name == named->second; });
  if (issuer == all->end()) return refusal(400, "invalid_request", "there is no issuer " + named->second);
  TokenSpec spec;
  spec.issuer = issuer->name;
  spec.ttl = std::chrono::seconds(kLife);
  spec.claims = claims_of(*issuer, client, form);
  if (more != form.end()) {
    const Json given = parse_json_text<Json>(more->second);
    if (!given.is_object()) return refusal(400, "invalid_request", "claims is no JSON object");
    spec.claims.update(given);
  }
  const auto made = make_token(spec, {url_of(*issuer), issuer->key, issuer->algorithm, nullptr}, now_());
  if (!made) return refusal(400, "invalid_request", made.error().message);
  Json answer{{"access_token", *made}, {"token_type", "Bearer"}, {"expires_in", kLife}};
  if (spec.claims.contains("scope")) answer["scope"] = spec.claims["scope"];
  return json(200, answer);
}

std::vector<Stub> identity_endpoints(const std::shared_ptr<const IdentityService>& service) {
  return {stub("GET", "/.well-known/openid-configuration", [service](const SeenRequest&) { return service->discovery(); }),
          stub("GET", "/jwks.json", [service](const SeenRequest&) { return service->key_set(); }),
          stub("POST", "/token", [service](const SeenRequest& request) { return service->token(request); })};
}

}  // namespace gatelab::harness
