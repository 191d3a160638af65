// SPDX-License-Identifier: Apache-2.0
// The keys of one issuer, and when it is time to fetch them again. Fixed keys never are. Any thread; time is an argument.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "crypto/digest.h"
#include "crypto/jwk.h"
#include "policy/resource.h"

namespace gatelab::policy {

struct KeyTimes {
  Duration refresh = std::chrono::minutes(10);   // keys of this age are fetched again
  Duration cooldown = std::chrono::seconds(10);  // between fetches for unknown keys, and the longest pause after a failure
  Duration max_stale = std::chrono::hours(24);   // beyond `refresh`, while fetching fails
};

using KeySet = std::shared_ptr<const crypto::JwkSet>;

class KeySource final : public Resource {
 public:
  // Fetched from there.
  explicit KeySource(std::string target) : Resource(std::move(target)) {}
  // Fixed.
  explicit KeySource(crypto::JwkSet keys);

  enum class Advice : std::uint8_t {
    Use,     // `keys` are good
    Renew,   // they are, but somebody should fetch new ones, without waiting for them
    Fetch,   // wait for a fetch, then look again
    Failed,  // there are no keys that may be used, and it is too early to try again
  };
  struct Look {
    Advice advice = Advice::Use;
    KeySet keys;                  // null with Fetch and Failed
    std::uint64_t generation = 0; // equal for equal keys, and for no others
  };
  Look look(Instant now, const KeyTimes& times) const noexcept;
  // A token names a key that is not in the set: true if it is worth a fetch. At most one in a cool-down.
  bool seek(Instant now, const KeyTimes& times) const noexcept;

  // For explain and the admin API.
  struct Facts {
    std::size_t keys = 0;
    std::optional<Instant> fetched;  // nullopt: never, or fixed
    std::string failure;             // of the last fetch; empty: none
    std::uint64_t fetches = 0, failures = 0;
  };
  Facts facts() const;

  std::size_t max_octets() const noexcept override { return 256 * 1024; }

 private:
  void began(Instant now) noexcept override;
  void take(std::string_view failure, std::uint16_t status, std::string_view body, Instant now) noexcept override;
  bool may_try(Instant now, const KeyTimes& times) const noexcept;

  const bool fixed_ = false;
  mutable std::mutex mutex_;
  KeySet keys_;
  std::uint64_t generation_ = 0;
  std::optional<Instant> fetched_, tried_;  // last success, last attempt
  std::uint32_t failed_ = 0;                // attempts since the last success
  std::uint64_t fetches_ = 0, failures_ = 0;
  std::string failure_;
};

}  // namespace gatelab::policy
