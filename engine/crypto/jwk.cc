// SPDX-License-Identifier: Apache-2.0
#include "crypto/jwk.h"

#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "base/text.h"
#include "crypto/jwk_parts.h"

namespace gatelab::crypto {
namespace {

constexpr std::size_t kMinRsaBits = 2048;
constexpr std::size_t kMaxRsaBits = 8192;     // a signature of more costs a stranger nothing and us a millisecond
constexpr std::size_t kMaxExponentOctets = 8;
constexpr std::size_t kKeyValues = 200;       // of one entry: x5c and foreign members
constexpr std::size_t kDepth = 8;

Failure<JoseFault> fault(JoseReason reason, std::string_view detail) { return {{reason, detail}}; }
Failure<JoseFault> malformed(std::string_view detail) { return fault(JoseReason::KeyMalformed, detail); }

std::optional<std::string> octets_of(const JsonValue& object, std::string_view name) {
  const auto value = object.member(name);
  const auto text = value ? value->as_text() : std::nullopt;
  return text ? base64url_decode(*text) : std::nullopt;
}

std::size_t bits_of(std::string_view number) noexcept {
  while (!number.empty() && number.front() == 0) number.remove_prefix(1);
  if (number.empty()) return 0;
  std::size_t bits = number.size() * 8;
  for (unsigned mask = 0x80; (static_cast<unsigned char>(number.front()) & mask) == 0; mask >>= 1) --bits;
  return bits;
}

Result<Material, JoseFault> rsa_of(const JsonValue& object) {
  auto n = octets_of(object, "n"), e = octets_of(object, "e");
  if (!n || !e) return malformed("n or e is missing or not base64url");
  return Material{KeyType::Rsa, nullptr, std::move(*n), std::move(*e)};
}

Result<Material, JoseFault> ec_of(const JsonValue& object, std::string_view crv) {
  const Curve* curve = find_curve(crv);
  if (curve == nullptr) return fault(JoseReason::KeyType, "crv is none of P-256, P-384, P-521");
  auto x = octets_of(object, "x"), y = octets_of(object, "y");
  if (!x || !y) return malformed("x or y is missing or not base64url");
  if (x->size() != curve->octets || y->size() != curve->octets) return malformed("x or y has not the length of the curve's field");
  return Material{KeyType::Ec, curve, std::move(*x), std::move(*y)};
}

Result<Material, JoseFault> okp_of(const JsonValue& object, std::string_view crv) {
  if (crv != "Ed25519") return fault(JoseReason::KeyType, "crv is not Ed25519");
  auto x = octets_of(object, "x");
  if (!x || x->size() != 32) return malformed("x is missing, not base64url or not 32 octets long");
  return Material{KeyType::Okp, nullptr, std::move(*x), {}};
}

// Empty: well. Checked here and not by OpenSSL, which takes an exponent of 1.
std::string_view wrong_with_rsa(const Material& rsa) noexcept {
  const std::size_t bits = bits_of(rsa.first), exponent = bits_of(rsa.second);
  if (bits > kMaxRsaBits) return "n has more than 8192 bits";
  if (bits == 0 || (rsa.first.back() & 1) == 0) return "n is even";
  if (exponent < 2 || exponent > kMaxExponentOctets * 8 || (rsa.second.back() & 1) == 0) return "e is even, 1, or longer than 64 bits";
  return {};
}

Sha256 identity_of(const Material& material, const std::optional<std::string>& kid, AlgorithmSet algorithms) {
  std::string all(1, static_cast<char>(material.type));
  const auto add = [&all](std::string_view part) { all.append(std::to_string(part.size())).append(1, ':').append(part); };
  for (std::size_t i = 0; i < kAlgorithms; ++i) all += algorithms.contains(static_cast<Algorithm>(i)) ? '1' : '0';
  all += kid ? 'k' : '-';
  add(kid.value_or(""));
  add(material.curve == nullptr ? "" : material.curve->name);
  add(material.first);
  add(material.second);
  return sha256(all);
}

bool has_private_member(const JsonValue& object, KeyType type) noexcept {
  if (type == KeyType::Oct) return true;
  for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "oth"})
    if (object.member(name)) return true;
  return false;
}

std::string kid_of(const JsonValue& entry) {
  const auto kid = entry.member("kid");
  return kid && kid->is(JsonKind::Text) ? std::string(kid->scalar()) : std::string();
}

Result<JwkPtr, JoseFault> parse_entry(const JsonValue& entry) {
  if (!entry.is(JsonKind::Object)) return malformed("the key is not a JSON object");
  auto advice = advice_of(entry);
  if (!advice) return Failure<JoseFault>{advice.error()};
  auto material = material_of(entry);
  if (!material) return Failure<JoseFault>{material.error()};
  return make_jwk(std::move(*material), std::move(*advice));
}

}  // namespace

// The only one who sets members.
struct JwkMaker {
  static std::shared_ptr<Jwk> make(KeyType type, std::size_t bits, AlgorithmSet algorithms, std::optional<std::string> kid, const Sha256& identity) {
    std::shared_ptr<Jwk> out(new Jwk());
    out->parts_ = std::make_unique<Jwk::Parts>();
    out->type_ = type;
    out->bits_ = bits;
    out->algorithms_ = algorithms;
    out->kid_ = std::move(kid);
    out->identity_ = identity;
    return out;
  }
  static Jwk::Parts& parts(Jwk& key) noexcept { return *key.parts_; }
};

Jwk::Jwk() noexcept = default;
Jwk::~Jwk() = default;

std::string_view name(KeyType type) noexcept {
  switch (type) {
    case KeyType::Rsa: return "RSA";
    case KeyType::Ec: return "EC";
    case KeyType::Okp: return "OKP";
    case KeyType::Oct: return "oct";
  }
  return {};
}

AlgorithmSet fitting(KeyType type, const Curve* curve) noexcept {
  using A = Algorithm;
  switch (type) {
    case KeyType::Rsa: return {A::RS256, A::RS384, A::RS512, A::PS256, A::PS384, A::PS512};
    case KeyType::Ec: return curve == nullptr ? AlgorithmSet{} : AlgorithmSet{curve->algorithm};
    case KeyType::Okp: return {A::EdDSA};
    case KeyType::Oct: return {A::HS256, A::HS384, A::HS512};
  }
  return {};
}

Result<KeyAdvice, JoseFault> advice_of(const JsonValue& object) {
  KeyAdvice out;
  for (const char* member : {"kid", "use", "alg", "kty"})
    if (const auto value = object.member(member); value && !value->is(JsonKind::Text)) return malformed("kid, use, alg or kty is not a text");
  if (const auto kid = object.member("kid")) out.kid = std::string(kid->scalar());
  if (const auto use = object.member("use"); use && use->scalar() != "sig") out.for_verifying = false;
  if (const auto operations = object.member("key_ops")) {
    if (!operations->is(JsonKind::List)) return malformed("key_ops is not a list");
    std::vector<std::string_view> seen;
    for (auto one = operations->first(); one; one = one->next()) {
      if (!one->is(JsonKind::Text)) return malformed("key_ops is not a list of texts");
      seen.push_back(one->scalar());
    }
    std::sort(seen.begin(), seen.end());
    if (std::adjacent_find(seen.begin(), seen.end()) != seen.end()) return malformed("key_ops has an operation twice");
    if (!std::binary_search(seen.begin(), seen.end(), std::string_view("verify"))) out.for_verifying = false;
  }
  if (const auto alg = object.member("alg")) {
    const auto algorithm = parse_algorithm(alg->scalar());
    if (algorithm) out.algorithms.add(*algorithm);
    else out.for_verifying = false;
  }
  return out;
}

Result<Material, JoseFault> material_of(const JsonValue& object) {
  const auto text = [&object](const char* name) {
    const auto value = object.member(name);
    return value ? value->as_text() : std::nullopt;
  };
  const auto kty = text("kty"), crv = text("crv");
  if (!kty) return malformed("kty is missing");
  if (*kty == "RSA") return rsa_of(object);
  if (*kty == "oct") {
    auto k = octets_of(object, "k");
    if (!k) return malformed("k is missing or not base64url");
    return Material{KeyType::Oct, nullptr, std::move(*k), {}};
  }
  if (*kty != "EC" && *kty != "OKP") return fault(JoseReason::KeyType, "kty is none of RSA, EC, OKP, oct");
  if (!crv) return malformed("crv is missing");
  return *kty == "EC" ? ec_of(object, *crv) : okp_of(object, *crv);
}

Result<JwkPtr, JoseFault> make_jwk(Material material, KeyAdvice advice) {
  AlgorithmSet algorithms = fitting(material.type, material.curve);
  if (!advice.algorithms.empty()) algorithms = algorithms & advice.algorithms;
  if (!advice.for_verifying || algorithms.empty()) return fault(JoseReason::KeyUse, "use, key_ops or alg: the key is not for verifying signatures of its kind");
  std::size_t bits = material.first.size() * 8;
  if (material.type == KeyType::Rsa) {
    bits = bits_of(material.first);
    if (const std::string_view wrong = wrong_with_rsa(material); !wrong.empty()) return malformed(wrong);
    if (bits < kMinRsaBits) return fault(JoseReason::KeyTooWeak, "an RSA key of less than 2048 bits");
  } else if (material.type == KeyType::Ec) {
    bits = bits_of(material.curve->order);
  } else if (material.type == KeyType::Oct) {
    AlgorithmSet strong;
    for (const Algorithm one : {Algorithm::HS256, Algorithm::HS384, Algorithm::HS512})
      if (algorithms.contains(one) && material.first.size() >= hash_size(one)) strong.add(one);
    if (strong.empty()) return fault(JoseReason::KeyTooWeak, "a secret that is shorter than the hash: 32 octets for HS256, 48 for HS384, 64 for HS512");
    algorithms = strong;
  }
  KeyPtr key;
  if (material.type != KeyType::Oct && !(key = public_key_of(material))) return malformed("the point is not on its curve, or the number is no key");

  auto out = JwkMaker::make(material.type, bits, algorithms, advice.kid, identity_of(material, advice.kid, algorithms));
  Jwk::Parts& parts = JwkMaker::parts(*out);
  parts.key = std::move(key);
  if (material.type == KeyType::Oct) {
    for (std::size_t i = 0; i < parts.hmac.size(); ++i)
      if (algorithms.contains(static_cast<Algorithm>(static_cast<std::size_t>(Algorithm::HS256) + i))) parts.hmac[i] = std::make_unique<Hmac>(32 + 16 * i, material.first);
    OPENSSL_cleanse(material.first.data(), material.first.size());
    material.first.clear();
  }
  parts.material = std::move(material);
  return JwkPtr(std::move(out));
}

Result<JwkPtr, JoseFault> parse_jwk(std::string_view json, const JwkLimits& limits) {
  const auto document = JsonDocument::parse(json, {.size = limits.size, .depth = kDepth, .values = kKeyValues});
  if (!document) return malformed("the key is no strict JSON, or it is too deep or too large");
  return parse_entry(document->root());
}

Result<JwkSet, JoseFault> parse_jwks(std::string_view json, const JwkLimits& limits) {
  const auto document = JsonDocument::parse(json, {.size = limits.size, .depth = kDepth, .values = limits.keys * kKeyValues});
  if (!document) return malformed("the key set is no strict JSON, or it is too deep or too large");
  const auto entries = document->root().member("keys");
  if (!entries || !entries->is(JsonKind::List)) return malformed("the key set has no list `keys`");
  if (entries->size() > limits.keys) return malformed("the key set has too many keys");
  JwkSet out;
  std::size_t index = 0;
  for (auto entry = entries->first(); entry; entry = entry->next(), ++index) {
    auto key = parse_entry(*entry);
    if (!key) {
      out.notes.push_back({index, kid_of(*entry), key.error(), true});
      continue;
    }
    const bool taken = std::any_of(out.keys.begin(), out.keys.end(), [&key](const JwkPtr& one) {
      return one->kid() == (*key)->kid() && one->kid() && !(one->algorithms() & (*key)->algorithms()).empty();
    });
    if (taken) {
      out.notes.push_back({index, kid_of(*entry), {JoseReason::KeyDuplicate, "an earlier key has the same kid and a common algorithm"}, true});
      continue;
    }
    if (has_private_member(*entry, (*key)->type()))
      out.notes.push_back({index, kid_of(*entry), {JoseReason::KeyPrivate, "a private key or a secret stands in the key set: whoever reads it can make tokens"}, false});
    out.keys.push_back(std::move(*key));
  }
  return out;
}

JwkPtr JwkSet::select(const std::optional<std::string>& kid, Algorithm algorithm) const noexcept {
  const JwkPtr* only = nullptr;
  bool several = false;
  for (const JwkPtr& one : keys) {
    if (!one->algorithms().contains(algorithm)) continue;
    if (kid && one->kid() == kid) return one;
    if (kid && one->kid()) continue;
    several = only != nullptr;
    only = &one;
    if (several && !kid) return nullptr;
  }
  return only == nullptr || several ? nullptr : *only;
}

Result<JwkPtr, JoseFault> jwk_from_secret(std::string_view octets, std::optional<std::string> kid, AlgorithmSet algorithms) {
  // A public key is no secret: with it as one, everybody could make tokens.
  if (octets.find("-----BEGIN ") != std::string_view::npos) return fault(JoseReason::KeyType, "a key or certificate in PEM form, and not a shared secret");
  return make_jwk({KeyType::Oct, nullptr, std::string(octets), {}}, {.kid = std::move(kid), .algorithms = algorithms});
}

std::string to_json(const Jwk& key) {
  const Material& material = key.parts().material;
  if (material.type == KeyType::Oct) return {};
  std::string out = R"({"kty":")" + std::string(name(material.type)) + '"';
  const auto add = [&out](std::string_view member, std::string_view value) {
    out.append(R"(,")").append(member).append(R"(":")");
    append_json_escaped(out, value);
    out += '"';
  };
  if (key.kid()) add("kid", *key.kid());
  add("use", "sig");
  std::size_t count = 0;
  Algorithm only = Algorithm::RS256;
  for (std::size_t i = 0; i < kAlgorithms; ++i)
    if (key.algorithms().contains(static_cast<Algorithm>(i))) ++count, only = static_cast<Algorithm>(i);
  if (count == 1) add("alg", name(only));
  if (material.type == KeyType::Rsa) {
    add("n", base64url_encode(material.first));
    add("e", base64url_encode(material.second));
  } else {
    add("crv", material.type == KeyType::Ec ? material.curve->name : "Ed25519");
    add("x", base64url_encode(material.first));
    if (material.type == KeyType::Ec) add("y", base64url_encode(material.second));
  }
  return out + '}';
}

std::string to_json(const std::vector<JwkPtr>& keys) {
  std::string out;
  for (const JwkPtr& one : keys)
    if (std::string text = to_json(*one); !text.empty()) out.append(out.empty() ? "" : ",").append(text);
  return R"({"keys":[)" + out + "]}";
}

}  // namespace gatelab::crypto
