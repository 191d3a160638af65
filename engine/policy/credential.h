// SPDX-License-Identifier: Apache-2.0
// Where a request carries a credential, how it is found there, and how it is kept from going further. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/reader.h"
#include "policy/policy.h"

namespace gatelab::policy {

struct CredentialPlace {
  enum class Where : std::uint8_t { Header, Query, Cookie } where = Where::Header;
  std::string name;
  std::string scheme;  // of an Authorization-like header: "Bearer"; empty: the whole value is the credential

  std::string_view where_word() const noexcept;  // header, query, cookie
  std::string text() const;                      // "header X-Api-Key"
};

struct FoundCredential {
  std::string_view value;
  std::size_t count = 0;   // how many there are; more than one is never right
  bool other_scheme = false;  // the header speaks of another scheme
};
FoundCredential find_credential(const CredentialPlace& place, Input& in) noexcept;
// Takes it out of what goes upstream.
void strip_credential(const CredentialPlace& place, Input& in) noexcept;

// `header`, `query` or `cookie`, at most one of them; `place` is the default. Reports.
void parse_place(CredentialPlace& place, config::Reader& r, std::string_view thing);

}  // namespace gatelab::policy
