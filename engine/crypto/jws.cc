// SPDX-License-Identifier: Apache-2.0
#include "crypto/jws.h"

#include <utility>

#include "base/base64.h"
#include "base/text.h"
#include "crypto/strict_json.h"

namespace gatelab::crypto {
namespace {

// Parameters of a header: few. It is read before anything is known of its writer.
constexpr std::size_t kHeaderValues = 200;

Failure<JoseFault> fault(JoseReason reason, std::string_view detail) { return {{reason, detail}}; }
Failure<JoseFault> malformed(std::string_view detail) { return fault(JoseReason::Malformed, detail); }

struct Parts {
  std::string_view header, payload, signature;
  std::string_view wrong;  // why they are not three; empty if they are
};

Parts split(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return {.wrong = "a token has three parts with dots between them"};
  const std::string_view last = token.substr(second + 1);
  if (const std::size_t third = last.find('.'); third != std::string_view::npos) {
    const std::string_view more = last.substr(third + 1);
    const bool five = more.find('.') != std::string_view::npos && more.find('.') == more.rfind('.');
    return {.wrong = five ? "five parts: an encrypted token (JWE), which can't be read here" : "a token has three parts with dots between them"};
  }
  return {token.substr(0, first), token.substr(first + 1, second - first - 1), last, {}};
}

// False: there, and not a text.
bool take_text(const JsonValue& header, std::string_view name, std::optional<std::string>& into) {
  const auto value = header.member(name);
  if (!value) return true;
  const auto text = value->as_text();
  if (text) into.emplace(*text);
  return text.has_value();
}

}  // namespace

Result<CompactJws, JoseFault> parse_compact(std::string_view token, const JoseLimits& limits) {
  if (token.size() > limits.token) return malformed("the token is too large");
  const Parts parts = split(token);
  if (!parts.wrong.empty()) return malformed(parts.wrong);
  const auto header_text = base64url_decode(parts.header);
  if (!header_text) return malformed("the header is not base64url");
  const auto document = JsonDocument::parse(*header_text, {.size = limits.header, .depth = limits.depth, .values = kHeaderValues});
  if (!document) return malformed("the header is no strict JSON, or it is too deep or too large");
  const JsonValue header = document->root();
  if (!header.is(JsonKind::Object)) return malformed("the header is not a JSON object");

  CompactJws out;
  std::optional<std::string> alg;
  if (!take_text(header, "alg", alg)) return malformed("alg is not a text");
  if (!take_text(header, "kid", out.kid)) return malformed("kid is not a text");
  if (!take_text(header, "typ", out.typ)) return malformed("typ is not a text");
  if (!take_text(header, "cty", out.cty)) return malformed("cty is not a text");
  auto payload = base64url_decode(parts.payload);
  if (!payload) return malformed("the payload is not base64url");
  auto signature = base64url_decode(parts.signature);
  if (!signature) return malformed("the signature is not base64url");

  if (!alg) return fault(JoseReason::Algorithm, "the header has no alg");
  if (iequals(*alg, "none")) return fault(JoseReason::Algorithm, "alg is none: an unsigned token is never taken");
  const auto algorithm = parse_algorithm(*alg);
  if (!algorithm) return fault(JoseReason::Algorithm, "alg is not known here");
  // RFC 7797: with b64 false the payload's text is other octets than everyone else reads. Not without crit, so not at all.
  if (const auto b64 = header.member("b64"); b64 && b64->as_bool() != true) return fault(JoseReason::Crit, "the header has b64, and an unencoded payload is not understood here");
  if (header.member("crit")) return fault(JoseReason::Crit, "the header has crit, and no extension is understood here");

  out.token = token;
  out.signed_size = parts.header.size() + 1 + parts.payload.size();
  out.payload = std::move(*payload);
  out.signature = std::move(*signature);
  out.algorithm = *algorithm;
  out.has_jku = header.member("jku").has_value();
  out.has_jwk = header.member("jwk").has_value();
  out.has_x5u = header.member("x5u").has_value();
  out.has_x5c = header.member("x5c").has_value();
  return out;
}

bool has_type(const CompactJws& jws, std::string_view type) noexcept {
  if (!jws.typ) return false;
  constexpr std::string_view kPrefix = "application/";
  std::string_view typ = *jws.typ;
  if (typ.size() > kPrefix.size() && iequals(typ.substr(0, kPrefix.size()), kPrefix)) typ.remove_prefix(kPrefix.size());
  return iequals(typ, type);
}

}  // namespace gatelab::crypto
