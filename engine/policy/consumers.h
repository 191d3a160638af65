// SPDX-License-Identifier: Apache-2.0
// The API keys of all consumers, as digests: what is presented is hashed and looked up, so the time that takes tells
// nothing about any key. Immutable once built; any thread.
#pragma once

#include <unordered_map>

#include "crypto/digest.h"
#include "policy/catalog.h"

namespace gatelab::policy {

class KeyStore {
 public:
  // Null if nobody has that key.
  const Consumer* find(std::string_view key) const noexcept;
  // False if somebody has it already; `owner` is then that consumer.
  bool add(const crypto::Sha256& digest, const Consumer& consumer, const Consumer*& owner);

 private:
  struct Hash {
    // Digests are as good as random.
    std::size_t operator()(const crypto::Sha256& d) const noexcept;
  };
  std::unordered_map<crypto::Sha256, const Consumer*, Hash> keys_;
};

}  // namespace gatelab::policy
