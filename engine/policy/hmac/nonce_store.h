// SPDX-License-Identifier: Apache-2.0
// Nonces of signatures that were let in, for as long as a signature with them could be let in again. Bounded: when it is full,
// nothing is forgotten to make room. One lock, so that of two workers with the same nonce one is told so. Any thread.
#pragma once

#include <cstddef>
#include <mutex>
#include <queue>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "crypto/digest.h"
#include "policy/state.h"

namespace gatelab::policy {

class NonceStore final : public State {
 public:
  enum class Admission : std::uint8_t {
    Fresh,      // remembered from now on
    Replayed,
    Full,
    Forgotten,  // made no later than one that was forgotten since: it can't be told any more
  };
  // `key`: what tells keys apart. `until`: from then on a signature made at `created` is too old anyway.
  Admission admit(const crypto::Sha256& key, std::string_view nonce, Instant created, Instant until, Instant now, std::size_t capacity);
  std::size_t size() const noexcept;

 private:
  struct Hash {
    std::size_t operator()(const crypto::Sha256& d) const noexcept;
  };
  struct Leaving {
    Instant until, created;
    crypto::Sha256 nonce;
    bool operator>(const Leaving& other) const noexcept { return until > other.until; }
  };
  void forget(Instant now);

  mutable std::mutex mutex_;
  std::unordered_set<crypto::Sha256, Hash> known_;
  std::priority_queue<Leaving, std::vector<Leaving>, std::greater<>> leaving_;  // the first to leave on top
  Instant forgotten_{-1};  // `created` of the youngest that was forgotten
};

}  // namespace gatelab::policy
