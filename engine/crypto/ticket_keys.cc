// SPDX-License-Identifier: Apache-2.0
#include "crypto/ticket_keys.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace gatelab::crypto {

void secret_octets(unsigned char* into, std::size_t size) noexcept {
  if (RAND_priv_bytes(into, static_cast<int>(size)) != 1) std::abort();  // no seed: nothing can be kept secret
}

void TicketKeys::rotate(std::int64_t period) {
  std::erase_if(keys_, [period](const TicketKey& key) { return key.period < period - 1 || key.period > period; });
  if (!keys_.empty() && keys_.front().period == period) return;
  TicketKey fresh;
  fresh.period = period;
  secret_octets(fresh.name.data(), fresh.name.size());
  secret_octets(fresh.cipher.data(), fresh.cipher.size());
  secret_octets(fresh.mac.data(), fresh.mac.size());
  keys_.insert(keys_.begin(), fresh);
}

TicketKey TicketKeys::current(Instant now) {
  const std::lock_guard lock(mutex_);
  rotate(period_of(now));
  return keys_.front();
}

std::optional<TicketKey> TicketKeys::find(const unsigned char* name, Instant now, bool& stale) {
  const std::lock_guard lock(mutex_);
  const std::int64_t period = period_of(now);
  rotate(period);
  for (const TicketKey& key : keys_) {
    if (std::memcmp(key.name.data(), name, key.name.size()) != 0) continue;
    stale = key.period != period;
    return key;
  }
  return std::nullopt;
}

}  // namespace gatelab::crypto
