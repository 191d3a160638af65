// SPDX-License-Identifier: Apache-2.0
// The API keys of all consumers, as digests: what is presented is hashed and looked up, so the time that takes tells
// nothing about any key. Immutable once built; any thread.
#pragma once

#include <optional>
#include <unordered_map>

#include "crypto/digest.h"
#include "crypto/tls_engine.h"
#include "policy/catalog.h"

namespace gatelab::policy {

// For people, why a consumer of none of `groups` is refused: "consumer free; would pass in group gold or silver". Empty
// unless somebody reads it.
std::string_view misses_groups(Input& in, std::string_view what, std::string_view who, const std::vector<std::string>& groups) noexcept;

// One key of a consumer's.
struct OwnedKey {
  const Consumer* consumer = nullptr;
  std::string id;                  // for logs and people; empty: it has none
  std::optional<Instant> expires;
};

class KeyStore {
 public:
  // Null if nobody has that key.
  const OwnedKey* find(std::string_view key) const noexcept;
  // False if somebody has it already; `owner` is then that consumer.
  bool add(const crypto::Sha256& digest, OwnedKey key, const Consumer*& owner);

 private:
  struct Hash {
    // Digests are as good as random.
    std::size_t operator()(const crypto::Sha256& d) const noexcept;
  };
  std::unordered_map<crypto::Sha256, OwnedKey, Hash> keys_;
};

// `groups:` of a policy. Reports those that nobody is in.
std::vector<std::string> parse_groups(config::Reader& r, const Context& context);

// Who shows which certificate: by what consumers' `certificates` say.
class CertificateStore {
 public:
  enum class By : std::uint8_t { Subject, San, Fingerprint };
  // The first entry that fits, in file order; null if none does.
  const Consumer* find(const crypto::TlsFacts& facts) const noexcept;
  bool empty() const noexcept { return entries_.empty(); }
  // False if somebody has it already.
  bool add(By by, std::string value, const Consumer& consumer);

 private:
  struct Entry {
    By by;
    std::string value;  // a San may end with *: everything below a SPIFFE path
    const Consumer* consumer;
  };
  std::vector<Entry> entries_;
};

}  // namespace gatelab::policy
