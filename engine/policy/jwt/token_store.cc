// SPDX-License-Identifier: Apache-2.0
#include "policy/jwt/token_store.h"

#include <cstring>

namespace gatelab::policy {

std::size_t TokenStore::Hash::operator()(const crypto::Sha256& d) const noexcept {
  std::size_t h = 0;
  std::memcpy(&h, d.data(), sizeof h);
  return h;
}

bool TokenStore::Shard::holds(const Place& place) const noexcept {
  const auto found = tokens.find(place.digest);
  return found != tokens.end() && found->second.came == place.came;
}

VerifiedPtr TokenStore::find(const crypto::Sha256& digest) noexcept {
  Shard& s = shard(digest);
  std::lock_guard lock(s.mutex);
  const auto found = s.tokens.find(digest);
  return found == s.tokens.end() ? nullptr : found->second.token;
}

void TokenStore::put(const crypto::Sha256& digest, VerifiedPtr token) noexcept {
  const std::size_t octets = token->octets();
  Shard& s = shard(digest);
  std::lock_guard lock(s.mutex);
  if (octets > share_ || !s.tokens.try_emplace(digest, Entry{std::move(token), s.came}).second) return;
  s.order.push_back({digest, s.came++});
  s.octets += octets;
  while (s.octets > share_) {
    if (s.holds(s.order.front())) forget(s, s.order.front().digest);
    s.order.pop_front();
  }
  // Those that were dropped leave their place behind.
  if (s.order.size() > 2 * s.tokens.size() + 16) std::erase_if(s.order, [&s](const Place& place) { return !s.holds(place); });
}

void TokenStore::drop(const crypto::Sha256& digest) noexcept {
  Shard& s = shard(digest);
  std::lock_guard lock(s.mutex);
  forget(s, digest);
}

std::size_t TokenStore::size() const noexcept {
  std::size_t n = 0;
  for (const Shard& s : shards_) {
    std::lock_guard lock(s.mutex);
    n += s.tokens.size();
  }
  return n;
}

void TokenStore::forget(Shard& s, const crypto::Sha256& digest) noexcept {
  const auto found = s.tokens.find(digest);
  if (found == s.tokens.end()) return;
  s.octets -= found->second.token->octets();
  s.tokens.erase(found);
}

}  // namespace gatelab::policy
