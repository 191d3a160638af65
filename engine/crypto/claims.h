// SPDX-License-Identifier: Apache-2.0
// The claims of a JSON Web Token (RFC 7519 §4), read strictly: a claim with a meaning has its type or the token is malformed.
// What they say is compared elsewhere, with a clock. Immutable; any thread.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/jose_reason.h"
#include "crypto/jws.h"
#include "crypto/strict_json.h"

namespace gatelab::crypto {

class Claims {
 public:
  // Faults: malformed.
  static Result<Claims, JoseFault> parse(std::string_view payload, const JoseLimits& limits = {});

  // NumericDate: whole or broken seconds, not negative. What lies beyond the year 2262 is Instant::max().
  std::optional<Instant> expires() const noexcept { return expires_; }        // exp
  std::optional<Instant> not_before() const noexcept { return not_before_; }  // nbf
  std::optional<Instant> issued_at() const noexcept { return issued_at_; }    // iat
  std::optional<std::string_view> issuer() const noexcept { return text("iss"); }
  std::optional<std::string_view> subject() const noexcept { return text("sub"); }
  std::optional<std::string_view> id() const noexcept { return text("jti"); }

  // aud: a text is a list of one. Empty: there is none.
  std::vector<std::string_view> audiences() const;
  bool has_audience(std::string_view audience) const noexcept;
  // The words of `scope` and those of `scp` (list or text).
  std::vector<std::string_view> scopes() const;
  bool has_scope(std::string_view scope) const noexcept;

  // A claim by its name, else by a path of names with dots between them: realm_access.roles.
  std::optional<JsonValue> find(std::string_view path) const noexcept;
  // All of them: an object.
  JsonValue all() const noexcept { return document_.root(); }

 private:
  explicit Claims(JsonDocument document) noexcept : document_(std::move(document)) {}
  std::optional<std::string_view> text(std::string_view name) const noexcept;
  JsonDocument document_;
  std::optional<Instant> expires_, not_before_, issued_at_;
};

}  // namespace gatelab::crypto
