// SPDX-License-Identifier: Apache-2.0
#include "policy/jwt/key_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gatelab::policy {
namespace {

constexpr Duration kFirstPause = std::chrono::seconds(1);

bool same_keys(const crypto::JwkSet& a, const crypto::JwkSet& b) noexcept {
  return std::equal(a.keys.begin(), a.keys.end(), b.keys.begin(), b.keys.end(),
                    [](const crypto::JwkPtr& x, const crypto::JwkPtr& y) { return x->identity() == y->identity(); });
}

// Of the keys alone: a file that a reload reads again may hold the same ones, or others.
std::uint64_t generation_of(const crypto::JwkSet& set) {
  std::string all;
  for (const crypto::JwkPtr& key : set.keys) all.append(reinterpret_cast<const char*>(key->identity().data()), key->identity().size());
  const crypto::Sha256 digest = crypto::sha256(all);
  std::uint64_t out = 0;
  std::memcpy(&out, digest.data(), sizeof out);
  return out;
}

}  // namespace

KeySource::KeySource(crypto::JwkSet keys)
    : Resource({}), fixed_(true), keys_(std::make_shared<const crypto::JwkSet>(std::move(keys))), generation_(generation_of(*keys_)) {}

// After a failure the pause doubles, up to the cool-down.
bool KeySource::may_try(Instant now, const KeyTimes& times) const noexcept {
  if (!tried_ || failed_ == 0) return true;
  const Duration pause = kFirstPause * (1U << std::min(failed_ - 1, 16U));
  return now >= *tried_ + std::min(pause, times.cooldown);
}

KeySource::Look KeySource::look(Instant now, const KeyTimes& times) const noexcept {
  std::lock_guard lock(mutex_);
  if (fixed_) return {Advice::Use, keys_, generation_};
  const bool may = may_try(now, times);
  if (!keys_) return {may ? Advice::Fetch : Advice::Failed, nullptr, generation_};
  const Duration age = now - *fetched_;
  if (age < times.refresh * 4 / 5) return {Advice::Use, keys_, generation_};
  if (age < times.refresh) return {may ? Advice::Renew : Advice::Use, keys_, generation_};
  // Whoever fails once may fail again: from then on old keys serve, and nobody waits.
  if (failed_ == 0) return {Advice::Fetch, nullptr, generation_};
  if (age < times.refresh + times.max_stale) return {may ? Advice::Renew : Advice::Use, keys_, generation_};
  return {may ? Advice::Fetch : Advice::Failed, nullptr, generation_};
}

bool KeySource::seek(Instant now, const KeyTimes& times) const noexcept {
  std::lock_guard lock(mutex_);
  return !fixed_ && (!tried_ || now >= *tried_ + times.cooldown);
}

KeySource::Facts KeySource::facts() const {
  std::lock_guard lock(mutex_);
  return {keys_ ? keys_->keys.size() : 0, fetched_, failure_, fetches_, failures_};
}

void KeySource::began(Instant now) noexcept {
  std::lock_guard lock(mutex_);
  tried_ = now;
  ++fetches_;
}

void KeySource::take(std::string_view failure, std::uint16_t status, std::string_view body, Instant now) noexcept {
  std::string why(failure);
  KeySet fresh;
  if (why.empty() && status != 200) why = "status " + std::to_string(status);
  if (why.empty()) {
    auto parsed = crypto::parse_jwks(body);
    if (!parsed) why = "no key set: " + std::string(parsed.error().detail);
    else if (parsed->keys.empty()) why = "no key of the set can be used";
    else fresh = std::make_shared<const crypto::JwkSet>(std::move(*parsed));
  }
  std::lock_guard lock(mutex_);
  failure_ = std::move(why);
  if (!fresh) {
    ++failed_;
    ++failures_;
    return;
  }
  failed_ = 0;
  fetched_ = now;
  if (keys_ && same_keys(*keys_, *fresh)) return;
  keys_ = std::move(fresh);
  generation_ = generation_of(*keys_);
}

}  // namespace gatelab::policy
