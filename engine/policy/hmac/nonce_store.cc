// SPDX-License-Identifier: Apache-2.0
#include "policy/hmac/nonce_store.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace gatelab::policy {

std::size_t NonceStore::Hash::operator()(const crypto::Sha256& d) const noexcept {
  std::size_t h = 0;
  std::memcpy(&h, d.data(), sizeof h);
  return h;
}

NonceStore::Admission NonceStore::admit(const crypto::Sha256& key, std::string_view nonce, Instant created, Instant until, Instant now, std::size_t capacity) {
  std::string all(reinterpret_cast<const char*>(key.data()), key.size());
  all.append(nonce);
  const crypto::Sha256 digest = crypto::sha256(all);
  const std::lock_guard lock(mutex_);
  forget(now);
  if (known_.count(digest) > 0) return Admission::Replayed;
  // Only after a reload that made max_age longer: what was too old then, and was forgotten, would be young again.
  if (created <= forgotten_) return Admission::Forgotten;
  if (known_.size() >= capacity) return Admission::Full;
  known_.insert(digest);
  leaving_.push({until, created, digest});
  return Admission::Fresh;
}

std::size_t NonceStore::size() const noexcept {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

void NonceStore::forget(Instant now) {
  while (!leaving_.empty() && leaving_.top().until <= now) {
    forgotten_ = std::max(forgotten_, leaving_.top().created);
    known_.erase(leaving_.top().nonce);
    leaving_.pop();
  }
}

}  // namespace gatelab::policy
