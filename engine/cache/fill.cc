// SPDX-License-Identifier: Apache-2.0
#include "cache/fill.h"

#include <algorithm>
#include <utility>

#include "cache/fill_state.h"
#include "cache/store_shard.h"

namespace gatelab::cache {

FillState::~FillState() {
  if (is_passing) store.passing_.fetch_sub(backlog, std::memory_order_relaxed);
}

void FillState::wake_all() noexcept {
  for (FillReader& reader : readers)
    if (std::exchange(reader.is_armed, false)) reader.wake();
}

void FillState::pass_on() noexcept {
  if (std::exchange(is_passing, true)) return;
  store.passing_.fetch_add(backlog, std::memory_order_relaxed);
  trim();
}

void FillState::trim() noexcept {
  // What is stored whole is there a second time, as its entry: nobody joins any more.
  if (!is_passing && end != FillEnd::Complete) return;
  std::size_t least = first + chunks.size();
  for (const FillReader& reader : readers)
    if (!reader.is_cut_off) least = std::min(least, reader.next);
  for (; first < least; ++first, chunks.pop_front()) {
    backlog -= chunks.front().size();
    if (is_passing) store.passing_.fetch_sub(chunks.front().size(), std::memory_order_relaxed);
  }
  if (drained && backlog <= drained_below) std::exchange(drained, nullptr)();
}

// Of a leader who failed.
void FillState::forget() noexcept {
  if (is_passing) store.passing_.fetch_sub(backlog, std::memory_order_relaxed);
  head = nullptr;
  chunks.clear();
  first = 0;
  size = backlog = 0;
}

Fill& Fill::operator=(Fill&& other) noexcept {
  if (this == &other) return *this;
  failed();
  state_ = std::move(other.state_);
  return *this;
}

// Nothing follows; who has not begun to send is told why.
void Fill::close(FillEnd end) noexcept {
  const std::shared_ptr<FillState> state = std::move(state_);
  FillState& s = *state;
  {
    std::lock_guard lock(s.mutex);
    s.end = end;
    s.wake_all();
    s.trim();
  }
  s.store.release(std::exchange(s.reserved, 0));
}

bool Fill::head(const HeadParts& parts, const Facts& facts, const Limits& limits) noexcept {
  FillState& s = *state_;
  Store& store = s.store;
  s.limit = std::min(limits.most, store.limit());
  s.length = limits.length;
  s.pass_until = limits.pass_until;
  const bool fits = !(limits.length && *limits.length > s.limit) && parts.tags.size() <= Store::kMaxTags;
  const auto head = fits ? std::make_shared<const StoredHead>(parts) : nullptr;
  if (head == nullptr || head->memory() > store.limit() || !store.reserve(head->memory(), s.shard)) return uncacheable(limits.pass_until), false;
  s.reserved += head->memory();
  StoreShard& shard = store.shards_[s.shard];
  {
    Garbage garbage(store);
    std::lock_guard lock(shard.mutex);
    if (store.was_purged(*head, s.began)) shard.detach(s, garbage);
    if (s.record != nullptr) {
      s.known = head;
      std::lock_guard inner(s.mutex);
      s.head = head;
      s.facts = facts;
    }
  }
  if (s.is_detached.load(std::memory_order_acquire) && s.known == nullptr) return close(FillEnd::Again), false;
  std::lock_guard lock(s.mutex);
  s.wake_all();
  return true;
}

Follower Fill::follow(std::function<void()> wake) noexcept {
  std::lock_guard lock(state_->mutex);
  state_->readers.push_back({.wake = std::move(wake), .has_head = true});
  return Follower(state_, std::prev(state_->readers.end()));
}

// It has turned out to be too long, or there is no room for it.
void Fill::pass_from_now_on() noexcept {
  FillState& s = *state_;
  std::size_t kept = 0;
  {
    Garbage garbage(s.store);
    StoreShard& shard = s.store.shards_[s.shard];
    std::lock_guard lock(shard.mutex);
    if (s.record != nullptr) kept = shard.put_mark(*s.record, s.route, s.pass_until);
    shard.detach(s, garbage);
  }
  {
    std::lock_guard lock(s.mutex);
    s.pass_on();
  }
  s.store.release(std::exchange(s.reserved, 0) - kept);
}

Fill::Kept Fill::append(std::string_view octets) noexcept {
  FillState& s = *state_;
  Chunk chunk(octets);
  if (!s.is_passing) {
    const bool fits = !s.is_detached.load(std::memory_order_acquire) && s.size + chunk.size() <= s.limit;
    if (fits && s.store.reserve(chunk.memory(), s.shard)) s.reserved += chunk.memory();
    else pass_from_now_on();
  }
  std::lock_guard lock(s.mutex);
  s.size += chunk.size();
  s.backlog += chunk.size();
  if (s.is_passing) s.store.passing_.fetch_add(chunk.size(), std::memory_order_relaxed);
  s.chunks.push_back(std::move(chunk));
  s.wake_all();
  s.trim();
  if (!s.is_passing) return Kept::Stored;
  return s.chunks.empty() ? Kept::Unread : Kept::Passing;
}

bool Fill::complete() noexcept {
  FillState& s = *state_;
  const bool stored = !s.is_passing && s.store.commit(s);
  if (!stored) {
    std::lock_guard lock(s.mutex);
    s.pass_on();
  }
  close(FillEnd::Complete);
  return stored;
}

void Fill::uncacheable(Instant until) noexcept {
  FillState& s = *state_;
  {
    Garbage garbage(s.store);
    StoreShard& shard = s.store.shards_[s.shard];
    std::lock_guard lock(shard.mutex);
    if (s.record != nullptr) s.reserved -= shard.put_mark(*s.record, s.route, until);
    shard.detach(s, garbage);
  }
  close(FillEnd::Uncacheable);
}

void Fill::failed() noexcept {
  if (state_ == nullptr) return;
  const std::shared_ptr<FillState> state = std::move(state_);
  state->store.hand_on(*state);
}

std::uint64_t Fill::backlog() const noexcept {
  std::lock_guard lock(state_->mutex);
  return state_->backlog;
}

bool Fill::wait_below(std::uint64_t octets, std::function<void()> wake) noexcept {
  FillState& s = *state_;
  std::lock_guard lock(s.mutex);
  if (!s.is_passing || s.backlog <= octets) return true;
  s.drained = std::move(wake);
  s.drained_below = octets;
  return false;
}

std::size_t Fill::followers() const noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->readers.size();
}

std::size_t Fill::cut_off_slowest() noexcept {
  FillState& s = *state_;
  std::lock_guard lock(s.mutex);
  std::size_t count = 0;
  for (FillReader& reader : s.readers)
    if (s.is_passing && !reader.is_cut_off && reader.next == s.first) reader.is_cut_off = true, ++count;
  s.wake_all();
  s.trim();
  return count;
}

}  // namespace gatelab::cache
