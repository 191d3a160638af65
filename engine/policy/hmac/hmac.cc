// SPDX-License-Identifier: Apache-2.0
#include "policy/hmac/hmac.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "crypto/jws.h"
#include "http/signature_base.h"
#include "http/structured.h"
#include "policy/consumers.h"
#include "policy/hmac/content_digest.h"
#include "policy/hmac/nonce_store.h"
#include "policy/hmac/signature_key.h"
#include "policy/whole_body.h"

namespace gatelab::policy {
namespace {

namespace reason = observe::reason;
namespace sf = http::structured;

constexpr std::size_t kMaxNonce = 256, kMaxTag = 256;
constexpr std::int64_t kMaxSeconds = 9'000'000'000;  // of Instant
constexpr std::int64_t kDefaultNonces = 100'000, kMaxNonces = 10'000'000;

enum class Nonce : std::uint8_t { Required, Optional };
enum class Digests : std::uint8_t { Required, WhenPresent, Ignore };

// The parameters of a signature (RFC 9421 §2.3); what is not there is empty or nothing.
struct Parameters {
  const sf::Value* created = nullptr;
  const sf::Value* expires = nullptr;
  std::string_view keyid, alg, nonce, tag;
};

// One look at a request.
struct Attempt {
  Input& in;
  const sf::Member* input = nullptr;
  std::string_view signature, base;
  Parameters parameters;
  const SignatureKey* key = nullptr;
  const observe::Reason* fault = nullptr;
  std::string_view detail{};

  bool fail(const observe::Reason& why, std::string_view first = {}, std::string_view second = {}) noexcept {
    fault = &why;
    if (in.detailed) detail = second.empty() ? first : in.arena.concat(first, second);
    return false;
  }
};

class Hmac final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "hmac"; }
  Phase phase() const noexcept override { return Phase::Authenticate; }
  bool authenticates() const noexcept override { return true; }
  void untell(Input& in) const noexcept override { strip(in); }

  Step step(Input& in) const noexcept override {
    Attempt a{in};
    BodyDigest* const before = in.body_digests;
    // The nonce comes last: who is refused for another reason has used up nothing.
    const bool fine = find(a) && read_parameters(a) && make_base(a) && covers(a) && in_time(a) && verified(a) && digests(a) && in_group(a) && is_fresh(a);
    if (!fine) {
      in.body_digests = before;
      return refuse(a);
    }
    in.consumer = a.key->consumer;
    in.principal_by = kind();
    in.principal = in.arena.copy(a.key->id);
    strip(in);
    return Step::go_on(in.detailed ? passed(a) : std::string_view());
  }

  std::vector<SignatureKey> keys;
  std::string label, tag;             // empty: whatever they are
  std::vector<std::string> required;  // components, as they are written without quotes
  std::vector<std::string> groups;
  Duration max_age{}, leeway{};
  Nonce nonce = Nonce::Required;
  std::size_t nonces = 0;
  Digests content_digest = Digests::Required;
  bool forward_signature = false;
  std::shared_ptr<NonceStore> store;
  std::string wanted, wanted_with_body;  // Accept-Signature

 private:
  void strip(Input& in) const noexcept {
    if (forward_signature) return;
    in.request.fields.remove("Signature");
    in.request.fields.remove("Signature-Input");
  }

  // The one signature that counts.
  bool find(Attempt& a) const noexcept {
    Arena& arena = a.in.arena;
    bool has_input = false, has_signature = false;
    const std::string_view input_text = http::combined_field(a.in.request.fields, "signature-input", arena, has_input);
    const std::string_view signature_text = http::combined_field(a.in.request.fields, "signature", arena, has_signature);
    if (!has_input && !has_signature) return a.fail(reason::kMissingSignature, "no signature");
    if (!has_input || !has_signature) return a.fail(reason::kMalformedSignature, has_input ? "Signature-Input without Signature" : "Signature without Signature-Input");
    const auto inputs = sf::parse_dictionary(input_text, arena), signatures = sf::parse_dictionary(signature_text, arena);
    if (!inputs) return a.fail(reason::kMalformedSignature, "Signature-Input: ", inputs.error().detail);
    if (!signatures) return a.fail(reason::kMalformedSignature, "Signature: ", signatures.error().detail);
    for (const sf::Member& one : inputs->members) {
      if (!counts(one)) continue;
      if (a.input != nullptr) return a.fail(reason::kSeveralSignatures, "more than one signature: the policy's `label` or `tag` would choose");
      a.input = &one;
    }
    if (a.input == nullptr) return a.fail(reason::kMissingSignature, "no signature with that label or tag");
    const sf::Member* signature = signatures->find(a.input->name);
    if (!a.input->is_list) return a.fail(reason::kMalformedSignature, "Signature-Input holds no list of components");
    if (signature == nullptr || signature->is_list || signature->item.value.kind != sf::Kind::Bytes) return a.fail(reason::kMalformedSignature, "Signature holds no octets under the label ", a.input->name);
    a.signature = signature->item.value.text;
    return true;
  }

  bool counts(const sf::Member& one) const noexcept {
    if (!label.empty() && one.name != label) return false;
    if (tag.empty()) return true;
    const sf::Value* said = sf::find(one.item.parameters, "tag");
    return said != nullptr && said->kind == sf::Kind::String && said->text == tag;
  }

  static bool read_parameters(Attempt& a) noexcept {
    Parameters& p = a.parameters;
    const std::span<const sf::Parameter> all = a.input->item.parameters;
    p.created = sf::find(all, "created");
    p.expires = sf::find(all, "expires");
    for (const sf::Value* time : {p.created, p.expires})
      if (time != nullptr && (time->kind != sf::Kind::Integer || time->number < 0 || time->number > kMaxSeconds)) return a.fail(reason::kMalformedSignature, "created or expires is no time in seconds");
    for (const auto& [name, into, most] : {std::tuple{"keyid", &p.keyid, sf::kMaxText}, {"alg", &p.alg, sf::kMaxText}, {"nonce", &p.nonce, kMaxNonce}, {"tag", &p.tag, kMaxTag}}) {
      const sf::Value* text = sf::find(all, name);
      if (text == nullptr) continue;
      if (text->kind != sf::Kind::String || text->text.empty() || text->text.size() > most) return a.fail(reason::kMalformedSignature, "no text, an empty or a long one as ", name);
      *into = text->text;
    }
    return p.keyid.empty() ? a.fail(reason::kMalformedSignature, "no keyid") : true;
  }

  static bool make_base(Attempt& a) noexcept {
    const http::SignatureBase made = http::signature_base(a.in.request, a.in.scheme, *a.input, a.in.arena);
    a.base = made.text;
    switch (made.fault) {
      case http::SignatureBase::Fault::None: return true;
      case http::SignatureBase::Fault::Malformed: return a.fail(reason::kMalformedSignature, "no component, or one that is covered twice: ", made.component);
      case http::SignatureBase::Fault::Unsupported: return a.fail(reason::kUnsupportedComponent, "not supported: ", made.component);
      case http::SignatureBase::Fault::Absent: return a.fail(reason::kAbsentComponent, "not in the request, or more than once: ", made.component);
    }
    return false;
  }

  static bool is_covered(const Attempt& a, std::string_view component) noexcept {
    return std::any_of(a.input->items.begin(), a.input->items.end(), [component](const sf::Item& one) { return one.value.text == component && one.parameters.empty(); });
  }

  bool covers(Attempt& a) const noexcept {
    for (const std::string& one : required)
      if (!is_covered(a, one)) return a.fail(reason::kUncoveredComponent, "not covered: ", one);
    return true;
  }

  bool in_time(Attempt& a) const noexcept {
    const Parameters& p = a.parameters;
    const Instant now = a.in.now;
    if (p.created == nullptr) return a.fail(reason::kNoCreated, "there is no created");
    const Instant created = Instant::from_seconds(p.created->number);
    if (now + leeway < created) return a.fail(reason::kTokenNotYetValid, "created lies in the future");
    if (now >= created + max_age + leeway) return a.fail(reason::kTokenTooOld, ago(a.in, "made ", now - created));
    if (p.expires != nullptr) {
      const Instant expires = Instant::from_seconds(p.expires->number);
      if (now >= expires + leeway) return a.fail(reason::kExpired, ago(a.in, "expired ", now - expires));
    }
    if (p.nonce.empty() && nonce == Nonce::Required) return a.fail(reason::kNoNonce, "there is no nonce");
    return true;
  }

  // A key that is not there costs what a signature that is wrong does, and the client is told the same.
  bool verified(Attempt& a) const noexcept {
    const auto named = std::find_if(keys.begin(), keys.end(), [&a](const SignatureKey& one) { return one.id == a.parameters.keyid; });
    const bool known = named != keys.end();
    const SignatureKey& key = known ? *named : stand_in(a.signature.size());
    const bool valid = static_cast<bool>(crypto::verify(a.base, a.signature, key.algorithm, *key.key));
    if (!known) return a.fail(reason::kWrongSignature, "no key has that keyid");
    if (!a.parameters.alg.empty() && a.parameters.alg != crypto::signature_name(key.algorithm)) return a.fail(reason::kWrongSignature, "alg is not the one that the key is for: ", crypto::signature_name(key.algorithm));
    if (!valid) return a.fail(reason::kWrongSignature, "not by this key over this request: ", key.id);
    a.key = &key;
    return true;
  }

  // A signature of this length could be this key's.
  const SignatureKey& stand_in(std::size_t octets) const noexcept {
    const auto fits = [octets](const SignatureKey& one) {
      const crypto::KeyType type = one.key->type();
      return octets == (type == crypto::KeyType::Oct ? 32 : type == crypto::KeyType::Rsa ? (one.key->bits() + 7) / 8 : 64);
    };
    const auto found = std::find_if(keys.begin(), keys.end(), fits);
    return found == keys.end() ? keys.front() : *found;
  }

  bool digests(Attempt& a) const noexcept {
    if (content_digest == Digests::Ignore) return true;
    bool found = false;
    if (const observe::Reason* wrong = expect_digests(a.in, *this, found); wrong != nullptr) return a.fail(*wrong);
    if (content_digest == Digests::WhenPresent || !has_body(a.in.request)) return true;
    if (!found) return a.fail(reason::kNoDigest, "a body without Content-Digest");
    return is_covered(a, "content-digest") ? true : a.fail(reason::kUncoveredComponent, "not covered: content-digest");
  }

  bool in_group(Attempt& a) const noexcept {
    if (groups.empty() || (a.key->consumer != nullptr && a.key->consumer->in_any_of(groups))) return true;
    return a.fail(reason::kNotInGroup, "keyid ", a.key->id);
  }

  bool is_fresh(Attempt& a) const noexcept {
    if (a.parameters.nonce.empty()) return true;
    const Instant created = Instant::from_seconds(a.parameters.created->number);
    switch (store->admit(a.key->key->identity(), a.parameters.nonce, created, created + max_age + leeway, a.in.now, nonces)) {
      case NonceStore::Admission::Fresh: return true;
      case NonceStore::Admission::Replayed: return a.fail(reason::kReplayed, "the nonce was used before");
      case NonceStore::Admission::Full: return a.fail(reason::kReplayMemoryFull, "as many nonces are remembered as may be");
      case NonceStore::Admission::Forgotten: return a.fail(reason::kTokenTooOld, "made before what was forgotten since");
    }
    return false;
  }

  static std::string_view ago(Input& in, std::string_view what, Duration by) noexcept {
    return in.detailed ? in.arena.concat(what, format(std::chrono::duration_cast<std::chrono::seconds>(by)), " ago") : std::string_view();
  }

  static std::string_view passed(const Attempt& a) noexcept {
    return a.in.arena.concat(crypto::signature_name(a.key->algorithm), " keyid=", a.key->id, a.in.body_digests != nullptr ? ", the body is compared while it streams" : "");
  }

  // RFC 9421 §5.1: what would be a good signature is no secret. The log and `explain` say what was wrong with this one.
  Step refuse(const Attempt& a) const noexcept {
    if (a.fault == &reason::kReplayMemoryFull) return unavailable(a.in, *a.fault, a.detail);
    Step step = deny(a.in, *a.fault, a.detail);
    if (a.fault->status == 401) {
      step.answer->fields.add(http::FieldId::WwwAuthenticate, "WWW-Authenticate", "Signature realm=\"gatelab\"");
      step.answer->fields.add("Accept-Signature", has_body(a.in.request) ? std::string_view(wanted_with_body) : std::string_view(wanted));
    } else if (a.fault->status == 400) {
      step.answer->fields.add("Want-Content-Digest", "sha-512=3, sha-256=10");
    }
    return step;
  }
};

std::string accept_signature(const Hmac& policy, bool body) {
  std::string out = (policy.label.empty() ? "sig" : policy.label) + "=(";
  std::vector<std::string> wanted = policy.required;
  if (body && policy.content_digest == Digests::Required && std::find(wanted.begin(), wanted.end(), "content-digest") == wanted.end()) wanted.emplace_back("content-digest");
  for (const std::string& one : wanted) out.append(out.back() == '(' ? "" : " ").append(sf::quoted(one));
  out += ");created;keyid";
  if (policy.nonce == Nonce::Required) out += ";nonce";
  if (!policy.tag.empty()) out.append(";tag=").append(sf::quoted(policy.tag));
  return out;
}

bool is_label(std::string_view text) {
  Arena arena;
  const auto parsed = sf::parse_dictionary(text, arena);
  return parsed && parsed->members.size() == 1 && parsed->members.front().name == text;
}

void parse_required(Hmac& policy, config::Reader& r) {
  policy.required = {"@method", "@target-uri"};
  if (r.get("required") == nullptr) return;
  policy.required.clear();
  for (auto& one : r.texts("required")) {
    if (http::is_component(one.value)) policy.required.push_back(std::move(one.value));
    else r.sink().error("bad-component", one.span, "`" + one.value + "` is nothing that a signature of a request could cover here", "a field's name in small letters, or @method, @target-uri, @authority, @scheme, @request-target, @path, @query");
  }
  const auto has = [&policy](std::string_view name) { return std::find(policy.required.begin(), policy.required.end(), name) != policy.required.end(); };
  if (!has("@method") || (!has("@target-uri") && !has("@request-target") && !has("@path")))
    r.sink().warning("signature-covers-little", r.span_of("required"), "a signature need not cover method and target: who sees one can send another request with it", "required: [ \"@method\", \"@target-uri\" ]");
}

void parse_choices(Hmac& policy, config::Reader& r, diag::Sink& sink) {
  policy.label = r.text("label", "");
  if (!policy.label.empty() && !is_label(policy.label)) sink.error("bad-label", r.span_of("label"), "`" + policy.label + "` can't be a signature's label", "small letters, digits, _ - . and *, for example sig1");
  policy.tag = r.text("tag", "");
  const bool visible = std::all_of(policy.tag.begin(), policy.tag.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
  if (!visible || policy.tag.size() > kMaxTag) sink.error("bad-label", r.span_of("tag"), "a signature's tag is visible ASCII, and at most " + std::to_string(kMaxTag) + " octets");
  policy.max_age = r.duration("max_age", std::chrono::minutes(5));
  policy.leeway = std::chrono::seconds(30);
  if (const config::Node* leeway = r.get("leeway")) policy.leeway = config::as_duration(*leeway, sink, "`leeway` of policy `hmac`").value_or(policy.leeway);
  policy.nonce = r.choice("nonce", 0, {"required", "optional"}) == 0 ? Nonce::Required : Nonce::Optional;
  policy.nonces = static_cast<std::size_t>(r.integer("nonces", kDefaultNonces, 1, kMaxNonces));
  policy.content_digest = static_cast<Digests>(r.choice("content_digest", 0, {"required", "when-present", "ignore"}));
  policy.forward_signature = r.boolean("forward_signature", false);
}

}  // namespace

std::unique_ptr<Policy> parse_hmac(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `hmac`");
  auto policy = std::make_unique<Hmac>();
  if (const config::Node* keys = r.require("keys")) policy->keys = parse_signature_keys(*keys, context);
  parse_required(*policy, r);
  parse_choices(*policy, r, context.sink);
  policy->groups = parse_groups(r, context);
  for (const std::string_view key : {"secret", "public_key", "algorithm", "consumer"}) r.elsewhere(key, "a key has it: keys: [ { id, algorithm, … } ]");
  r.elsewhere("components", "write `required`");
  r.finish();
  if (!r.valid() || policy->keys.empty()) return nullptr;
  policy->wanted = accept_signature(*policy, false);
  policy->wanted_with_body = accept_signature(*policy, true);
  // However the policy changes, what was let in stays let in.
  policy->store = context.states.obtain<NonceStore>("hmac/" + context.default_id, "", [] { return new NonceStore; });
  return policy;
}

}  // namespace gatelab::policy
