// SPDX-License-Identifier: Apache-2.0
// Tokens whose signature was checked, by their digest, so that a token that comes again costs no public-key operation. What
// a token says is judged anew each time. Bounded in octets; the oldest leave first. Any thread.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "base/time.h"
#include "crypto/claims.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "policy/state.h"

namespace gatelab::policy {

// A token that a key has vouched for.
struct VerifiedToken {
  crypto::CompactJws jws;
  crypto::Claims claims;
  crypto::JwkPtr key;
  mutable std::atomic<std::uint64_t> generation{0};  // of the key set that was last seen to hold `key`
  // About; never less than what the token really takes. A value of JSON takes two octets of text at least.
  std::size_t octets() const noexcept {
    constexpr std::size_t kValue = 64;
    return sizeof(VerifiedToken) + 2 * jws.token.size() + 2 * jws.payload.size() + kValue * std::min(crypto::JoseLimits{}.values, jws.payload.size() / 2);
  }
};
using VerifiedPtr = std::shared_ptr<const VerifiedToken>;

class TokenStore final : public State {
 public:
  explicit TokenStore(std::size_t max_octets) noexcept : share_(max_octets / kShards) {}

  // Null: not known.
  VerifiedPtr find(const crypto::Sha256& digest) noexcept;
  void put(const crypto::Sha256& digest, VerifiedPtr token) noexcept;
  void drop(const crypto::Sha256& digest) noexcept;
  std::size_t size() const noexcept;

 private:
  static constexpr std::size_t kShards = 16;
  struct Hash {
    std::size_t operator()(const crypto::Sha256& d) const noexcept;
  };
  struct Entry {
    VerifiedPtr token;
    std::uint64_t came = 0;
  };
  struct Place {
    crypto::Sha256 digest;
    std::uint64_t came = 0;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<crypto::Sha256, Entry, Hash> tokens;
    std::deque<Place> order;  // as they came; some have gone meanwhile
    std::uint64_t came = 0;
    std::size_t octets = 0;
    bool holds(const Place& place) const noexcept;
  };
  Shard& shard(const crypto::Sha256& digest) noexcept { return shards_[digest.back() % kShards]; }
  static void forget(Shard& shard, const crypto::Sha256& digest) noexcept;

  const std::size_t share_;
  std::array<Shard, kShards> shards_;
};

}  // namespace gatelab::policy
