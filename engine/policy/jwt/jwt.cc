// SPDX-License-Identifier: Apache-2.0
#include "policy/jwt/jwt.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "policy/credential.h"
#include "policy/issuers.h"
#include "policy/jwt/claim_rule.h"
#include "policy/template.h"

namespace gatelab::policy {
namespace {

namespace reason = observe::reason;

// What is kept of a request's token until on_end, in the arena; the destructor is called by hand.
struct Memo {
  VerifiedPtr token;
};

// What was done for a request already: bits of scratch.b. Each is done once.
constexpr std::uint64_t kFetched = 1, kRenewed = 2, kSought = 4;

const observe::Reason& reason_of(crypto::JoseReason jose) noexcept {
  switch (jose) {
    case crypto::JoseReason::Algorithm: return reason::kTokenAlgorithm;
    case crypto::JoseReason::Crit: return reason::kTokenCrit;
    case crypto::JoseReason::UnknownKey: return reason::kUnknownKey;
    case crypto::JoseReason::Signature: return reason::kTokenSignature;
    default: return reason::kTokenMalformed;
  }
}

class Jwt final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "jwt"; }
  Phase phase() const noexcept override { return Phase::Authenticate; }
  bool authenticates() const noexcept override { return true; }
  void issuers(std::set<const Issuer*>& out) const override { out.insert(issuers_.begin(), issuers_.end()); }
  void secret_query(std::vector<std::string_view>& out) const override {
    if (place.where == CredentialPlace::Where::Query) out.push_back(place.name);
  }

  void untell(Input& in) const noexcept override {
    if (!forward_token) strip_credential(place, in);
    remove_told(in);
  }

  Step step(Input& in) const noexcept override {
    remove_told(in);
    const FoundCredential found = find_credential(place, in);
    if (found.count == 0 && found.other_scheme) return refuse(in, reason::kMissingToken, kNoError, "the credentials are of another scheme; would pass with a bearer token");
    if (found.count > 1 || (found.count > 0 && found.other_scheme)) return refuse(in, reason::kDuplicateToken, kInvalidRequest, "more than one token; would pass with one");
    if (found.value.empty()) return refuse(in, reason::kMissingToken, kNoError, in.detailed ? in.arena.concat("no token in ", place.text(), "; would pass with one of an issuer's") : std::string_view());
    const crypto::Sha256 digest = crypto::sha256(found.value);
    Attempt attempt{in, digest};
    if (!known(attempt)) fresh(attempt, found.value);
    if (attempt.effect != nullptr) return need(attempt.effect);
    if (attempt.fault != nullptr) return attempt.fault == &reason::kKeysUnavailable ? unavailable(in, reason::kKeysUnavailable, attempt.detail) : refuse(in, *attempt.fault, kInvalidToken, attempt.detail);
    keep(in, attempt.token);
    if (Step wrong = judge(in, *attempt.issuer, *attempt.token); wrong.verdict != Verdict::Continue) return wrong;
    return pass(in, *attempt.issuer, *attempt.token);
  }

  void on_end(Input& in, const observe::Record&) const noexcept override {
    Memo* memo = in.scratch.memo<Memo>();
    if (memo == nullptr) return;
    std::destroy_at(memo);
    in.scratch.keep(nullptr);
  }

  CredentialPlace place{CredentialPlace::Where::Header, "Authorization", "Bearer"};
  std::vector<const Issuer*> issuers_;
  std::vector<std::string> scopes, any_scope;
  std::vector<ClaimRule> rules;
  std::vector<std::pair<std::string, std::string>> forward;  // claim, field
  std::string consumer_claim;
  bool must_be_consumer = false;
  bool forward_token = false;
  const Consumers* consumers = nullptr;
  std::string scope_text;  // of insufficient_scope

 private:
  static constexpr std::string_view kNoError{}, kInvalidRequest = "invalid_request", kInvalidToken = "invalid_token";

  // One look at the token: what came of it.
  struct Attempt {
    Input& in;
    const crypto::Sha256& digest;
    const Issuer* issuer = nullptr;
    VerifiedPtr token;
    const observe::Reason* fault = nullptr;
    std::string_view detail{};
    Effect* effect = nullptr;
  };

  static void fail(Attempt& a, const observe::Reason& why, std::string_view detail) noexcept {
    a.fault = &why;
    a.detail = detail;
  }

  // A token whose signature was checked before, by a key that is still in force. Also true when that can't be told yet.
  bool known(Attempt& a) const noexcept {
    for (const Issuer* issuer : issuers_) {
      VerifiedPtr token = issuer->verified->find(a.digest);
      if (!token || !allows(*issuer, token->jws.algorithm)) continue;
      a.issuer = issuer;
      const KeySource::Look look = keys_of(a);
      if (a.effect != nullptr || a.fault != nullptr) return true;
      if (token->generation.load(std::memory_order_relaxed) != look.generation) {
        const auto& keys = look.keys->keys;
        if (std::none_of(keys.begin(), keys.end(), [&token](const crypto::JwkPtr& k) { return k->identity() == token->key->identity(); })) {
          issuer->verified->drop(a.digest);
          return false;
        }
        token->generation.store(look.generation, std::memory_order_relaxed);
      }
      a.token = std::move(token);
      return true;
    }
    return false;
  }

  void fresh(Attempt& a, std::string_view text) const noexcept {
    auto jws = crypto::parse_compact(text);
    if (!jws) return fail(a, reason_of(jws.error().reason), jws.error().detail);
    auto claims = crypto::Claims::parse(jws->payload);
    if (!claims) return fail(a, reason_of(claims.error().reason), claims.error().detail);
    // Not believed yet: it says only whose keys are to be tried.
    a.issuer = issuer_of(*claims);
    if (a.issuer == nullptr) return fail(a, reason::kTokenIssuer, "iss is none of the issuers");
    if (!allows(*a.issuer, jws->algorithm)) return fail(a, reason::kTokenAlgorithm, "alg is none of the issuer's algorithms");
    const KeySource::Look look = keys_of(a);
    if (a.effect != nullptr || a.fault != nullptr) return;
    const crypto::JwkPtr key = look.keys->select(jws->kid, jws->algorithm);
    if (!key) return no_key(a, *jws, *look.keys);
    if (const auto verdict = crypto::verify(*jws, *key); !verdict) return fail(a, reason_of(verdict.error().reason), verdict.error().detail);
    auto token = std::make_shared<VerifiedToken>(std::move(*jws), std::move(*claims), key);
    token->generation.store(look.generation, std::memory_order_relaxed);
    a.token = token;
    // What has expired never passes again; what is not valid yet may.
    if (!token->claims.expires() || a.in.now < *token->claims.expires() + a.issuer->leeway) a.issuer->verified->put(a.digest, std::move(token));
  }

  const Issuer* issuer_of(const crypto::Claims& claims) const noexcept {
    if (issuers_.size() == 1) return issuers_.front();
    for (const Issuer* issuer : issuers_)
      if (claims.issuer() == issuer->url) return issuer;
    return nullptr;
  }

  static bool allows(const Issuer& issuer, crypto::Algorithm algorithm) noexcept { return issuer.algorithms.empty() || issuer.algorithms.contains(algorithm); }

  // The keys, or the effect that gets them.
  KeySource::Look keys_of(Attempt& a) const noexcept {
    const KeySource::Look look = a.issuer->keys->look(a.in.now, a.issuer->times);
    std::uint64_t& done = a.in.scratch.b;
    if (look.advice == KeySource::Advice::Renew && (done & kRenewed) == 0) {
      done |= kRenewed;
      a.effect = fetch(a, false);
    } else if (look.advice == KeySource::Advice::Fetch && (done & kFetched) == 0) {
      done |= kFetched;
      a.effect = fetch(a, true);
    } else if (!look.keys) {
      fail(a, reason::kKeysUnavailable, "the issuer's keys can't be fetched");
    }
    return look;
  }

  void no_key(Attempt& a, const crypto::CompactJws& jws, const crypto::JwkSet& set) const noexcept {
    const bool of_any = std::any_of(set.keys.begin(), set.keys.end(), [&jws](const crypto::JwkPtr& k) { return k->algorithms().contains(jws.algorithm); });
    const bool named = jws.kid && std::any_of(set.keys.begin(), set.keys.end(), [&jws](const crypto::JwkPtr& k) { return k->kid() == jws.kid; });
    if (named) return fail(a, reason::kTokenAlgorithm, "the key of that kid is for another alg");
    // New keys come with new names: a key set that was just read may be behind.
    // What is being fetched right now may have the key too.
    if ((a.in.scratch.b & kSought) == 0 && (a.issuer->keys->is_fetching() || a.issuer->keys->seek(a.in.now, a.issuer->times))) {
      a.in.scratch.b |= kSought;
      a.effect = fetch(a, true);
      return;
    }
    if (jws.kid) return fail(a, reason::kUnknownKey, "no key of the issuer has that kid");
    if (of_any) return fail(a, reason::kUnknownKey, "the token names no key, and several would do");
    fail(a, reason::kTokenAlgorithm, "no key of the issuer is for that alg");
  }

  static Effect* fetch(const Attempt& a, bool wait) noexcept {
    // An effect may own things; a fetch does not: nothing has to be destroyed.
    return new (a.in.arena.allocate(sizeof(Effect), alignof(Effect))) Effect(Fetch{a.issuer->keys.get(), a.issuer->upstream, wait});
  }

  static Step need(Effect* effect) noexcept {
    Step step;
    step.verdict = Verdict::Need;
    step.effect = effect;
    return step;
  }

  static void keep(Input& in, const VerifiedPtr& token) noexcept {
    in.scratch.keep(new (in.arena.allocate(sizeof(Memo), alignof(Memo))) Memo{token});
  }

  Step judge(Input& in, const Issuer& issuer, const VerifiedToken& token) const noexcept {
    const crypto::Claims& c = token.claims;
    const auto wrong = [this, &in](const observe::Reason& why, std::string_view detail) { return refuse(in, why, kInvalidToken, detail); };
    if (!issuer.types.empty() && std::none_of(issuer.types.begin(), issuer.types.end(), [&token](const std::string& t) { return crypto::has_type(token.jws, t); }))
      return wrong(reason::kTokenType, "typ is none of the issuer's types");
    if (!c.expires() && issuer.expires) return wrong(reason::kTokenNoExpiry, "there is no exp");
    if (c.expires() && in.now >= *c.expires() + issuer.leeway) return wrong(reason::kExpired, ago(in, "expired ", in.now - *c.expires()));
    if (c.not_before() && in.now + issuer.leeway < *c.not_before()) return wrong(reason::kTokenNotYetValid, "nbf lies in the future");
    if (c.issued_at() && in.now + issuer.leeway < *c.issued_at()) return wrong(reason::kTokenNotYetValid, "iat lies in the future");
    if (issuer.max_age && (!c.issued_at() || in.now >= *c.issued_at() + *issuer.max_age + issuer.leeway))
      return wrong(reason::kTokenTooOld, c.issued_at() ? ago(in, "issued ", in.now - *c.issued_at()) : "there is no iat");
    if (!issuer.url.empty() && c.issuer() != issuer.url) return wrong(reason::kTokenIssuer, in.detailed ? in.arena.concat("iss is not ", issuer.url) : std::string_view());
    if (!issuer.audiences.empty() && std::none_of(issuer.audiences.begin(), issuer.audiences.end(), [&c](const std::string& a) { return c.has_audience(a); }))
      return wrong(reason::kTokenAudience, "aud names none of the issuer's audiences");
    for (const ClaimRule& rule : rules)
      if (!rule.holds(c)) return refuse(in, reason::kTokenClaim, "insufficient_scope", in.detailed ? in.arena.concat("claim ", rule.text(), " is not what the route asks for") : std::string_view());
    const bool all = std::all_of(scopes.begin(), scopes.end(), [&c](const std::string& s) { return c.has_scope(s); });
    const bool any = any_scope.empty() || std::any_of(any_scope.begin(), any_scope.end(), [&c](const std::string& s) { return c.has_scope(s); });
    if (!all || !any) return refuse(in, reason::kInsufficientScope, "insufficient_scope", in.detailed ? in.arena.concat("would pass with scope ", scope_text) : std::string_view());
    return Step::go_on();
  }

  Step pass(Input& in, const Issuer& issuer, const VerifiedToken& token) const noexcept {
    const crypto::Claims& c = token.claims;
    if (!consumer_claim.empty()) {
      const auto name = c.find(consumer_claim);
      in.consumer = name ? consumers->find(name->as_text().value_or("")) : nullptr;
      if (in.consumer == nullptr && must_be_consumer) return refuse(in, reason::kUnknownConsumer, "insufficient_scope", "the token is of no consumer");
    }
    in.principal_by = kind();
    in.claims = &c;
    in.principal = in.arena.concat(issuer.name, "/", c.subject().value_or(""));
    if (!forward_token) strip_credential(place, in);
    for (const auto& [claim, field] : forward) tell(in, c, claim, field);
    if (!in.detailed) return Step::go_on();
    return Step::go_on(in.arena.concat(crypto::name(token.jws.algorithm), token.jws.kid ? " kid=" : "", token.jws.kid ? *token.jws.kid : std::string(),
                                       c.subject() ? " sub=" : "", c.subject().value_or("")));
  }

  // Whatever the client has sent under these names goes, whether or not a token says something else.
  void remove_told(Input& in) const noexcept {
    for (const auto& [claim, field] : forward) in.request.fields.remove(field);
  }

  static void tell(Input& in, const crypto::Claims& c, const std::string& claim, const std::string& field) noexcept {
    const auto value = c.find(claim);
    if (!value) return;
    const std::string_view text = claim_text(*value, in.arena);
    if (!text.empty() && http::is_field_value(text)) in.request.fields.add(field, in.arena.copy(text));
  }

  static std::string_view ago(Input& in, std::string_view what, Duration by) noexcept {
    return in.detailed ? in.arena.concat(what, format(std::chrono::duration_cast<std::chrono::seconds>(by)), " ago") : std::string_view();
  }

  // RFC 6750 §3: what the client may know. The log and `explain` say more.
  Step refuse(Input& in, const observe::Reason& why, std::string_view error, std::string_view detail) const noexcept {
    Step step = deny(in, why, in.detailed ? detail : std::string_view());
    std::string_view challenge = "Bearer realm=\"gatelab\"";
    if (!error.empty()) challenge = in.arena.concat(challenge, ", error=\"", error, "\"");
    if (&why == &reason::kInsufficientScope) challenge = in.arena.concat(challenge, ", scope=\"", scope_text, "\"");
    step.answer->fields.add(http::FieldId::WwwAuthenticate, "WWW-Authenticate", challenge);
    return step;
  }
};

void unknown_issuer(const std::string& name, const diag::Span& span, Context& context) {
  std::vector<std::string_view> names;
  for (const auto& known : context.issuers.all) names.push_back(known->name);
  context.sink.no_such("issuer", name, span, names);
}

void parse_issuer_names(Jwt& policy, config::Reader& r, Context& context) {
  const bool one = r.get("issuer") != nullptr, several = r.get("issuers") != nullptr;
  if (one == several) {
    if (one) context.sink.error("two-places", r.key_span("issuers"), "`issuer` and `issuers` say the same", "keep one of them");
    else context.sink.error("missing-key", r.span(), "policy `jwt` needs an `issuer`", "name one of `issuers`");
    return;
  }
  for (const auto& name : r.texts(one ? "issuer" : "issuers")) {
    const Issuer* issuer = context.issuers.find(name.value);
    if (issuer == nullptr) {
      if (context.issuers.broken) continue;
      unknown_issuer(name.value, name.span, context);
    } else if (std::find(policy.issuers_.begin(), policy.issuers_.end(), issuer) != policy.issuers_.end()) {
      context.sink.error("duplicate-name", name.span, "issuer `" + name.value + "` stands here twice");
    } else {
      if (several && issuer->url.empty()) context.sink.error("issuer-not-told-apart", name.span, "issuer `" + name.value + "` has no `issuer` URL: among several its tokens can't be told from others'");
      policy.issuers_.push_back(issuer);
    }
  }
}

void parse_forward(Jwt& policy, const config::Node& node, diag::Sink& sink) {
  if (node.kind != config::Kind::Map) return sink.error("wrong-type", node.span, "`forward` must be a map of claims to header names, not " + std::string(config::kind_name(node.kind)), "forward: { sub: X-User }");
  for (const config::Entry& entry : node.entries) {
    const auto field = config::as_text(*entry.value, sink, "the header for claim `" + entry.key + "`");
    if (!field) continue;
    if (!http::is_token(*field) || http::field_id(*field) != http::FieldId::Other) sink.error("bad-header", entry.value->span, "`" + *field + "` can't be the header for a claim", "a name of its own, for example X-User");
    else policy.forward.emplace_back(entry.key, *field);
  }
}

void parse_scopes(Jwt& policy, config::Reader& r) {
  for (auto [key, into] : {std::pair{"scopes", &policy.scopes}, std::pair{"any_scope", &policy.any_scope}})
    for (auto& scope : r.texts(key)) {
      // RFC 6749 §3.3: what a scope may be made of; it is told in a quoted string.
      if (scope.value.empty() || scope.value.find_first_of(" \"\\") != std::string::npos) r.sink().error("bad-scope", scope.span, "`" + scope.value + "` is not one scope", "a list of them: [ orders:read, orders:write ]");
      else into->push_back(std::move(scope.value));
    }
  for (const auto* list : {&policy.scopes, &policy.any_scope})
    for (const std::string& scope : *list) policy.scope_text += (policy.scope_text.empty() ? "" : " ") + scope;
}

}  // namespace

std::unique_ptr<Policy> parse_jwt(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `jwt`");
  auto policy = std::make_unique<Jwt>();
  parse_issuer_names(*policy, r, context);
  parse_place(policy->place, r, "token");
  parse_scopes(*policy, r);
  policy->rules = ClaimRule::parse_all(r.get("claims"), context.sink);
  if (const config::Node* forward = r.get("forward")) parse_forward(*policy, *forward, context.sink);
  policy->consumer_claim = r.text("consumer", "");
  policy->must_be_consumer = r.boolean("consumer_required", false);
  policy->forward_token = r.boolean("forward_token", false);
  policy->consumers = &context.consumers;
  r.elsewhere("audiences", "an issuer has them: issuers: { main: { audiences: [ … ] } }");
  r.elsewhere("leeway", "an issuer has it");
  r.elsewhere("keys", "an issuer has them");
  r.finish();
  if (!r.valid() || policy->issuers_.empty()) return nullptr;
  if (policy->must_be_consumer && policy->consumer_claim.empty()) context.sink.error("no-effect", r.key_span("consumer_required"), "`consumer_required` needs `consumer`: the claim that names the consumer");
  return policy;
}

}  // namespace gatelab::policy
