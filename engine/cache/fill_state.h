// SPDX-License-Identifier: Apache-2.0
// An answer on its way into the store, which several requests wait for or read at the same time. The store's own business: for
// store*.cc and fill*.cc only. Two mutexes guard it: the shard's what decides who may join it and whether it will be stored, its own
// what has come. Who needs both locks the shard's first; nobody is woken under the shard's.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cache/store.h"
#include "cache/store_parts.h"

namespace gatelab::cache {

enum class FillEnd : std::uint8_t { Open, Complete, Uncacheable, Validated, Again };

struct FillReader {
  std::function<void()> wake;
  bool is_armed = false;    // he has seen all that has come
  bool has_head = false;    // what he reads he has begun to send: he can't go elsewhere any more
  bool leads = false;       // he is the next leader
  bool is_cut_off = false;
  std::size_t next = 0;     // the piece that he reads next
};

struct FillState : std::enable_shared_from_this<FillState> {
  FillState(Store& owner, std::size_t shard_of_url) noexcept : store(owner), shard(shard_of_url) {}
  ~FillState();
  FillState(const FillState&) = delete;
  FillState& operator=(const FillState&) = delete;

  Store& store;
  const std::size_t shard;

  // The shard's mutex.
  Record* record = nullptr;          // null: nobody joins any more, and nothing is stored
  FillState *before = nullptr, *after = nullptr;  // of the shard's
  std::string expected;              // the variant's key, as long as the head has not come: by what older ones vary
  std::shared_ptr<const StoredHead> known;        // once the head has come
  std::vector<std::shared_ptr<const StoredHead>> replaces;  // variants that could have answered the leader's request
  std::uint64_t began = 0;           // which purges by tag came before
  std::uint32_t route = 0;
  std::atomic<bool> is_detached{false};  // `record` is null, for who does not hold the mutex

  // The leader's alone: whoever leads next gets it through `mutex`.
  std::size_t reserved = 0;   // of the store's bytes, but for the record's
  std::uint64_t limit = 0;    // for the content
  Instant pass_until;

  std::mutex mutex;
  bool is_passing = false;    // it will not be stored: pieces are kept only until they are read. Written by the leader alone
  FillEnd end = FillEnd::Open;
  std::shared_ptr<const StoredHead> head;
  Facts facts;
  std::optional<std::uint64_t> length;
  std::optional<Hit> validated;
  std::deque<Chunk> chunks;
  std::size_t first = 0;      // how many pieces were there before
  std::uint64_t size = 0;     // of all pieces that have come
  std::uint64_t backlog = 0;  // octets in `chunks`
  std::list<FillReader> readers;
  std::function<void()> drained;  // the leader waits until `backlog` is not above `drained_below`
  std::uint64_t drained_below = 0;

  // Under `mutex`.
  void wake_all() noexcept;
  void pass_on() noexcept;
  // Where it is passed on: pieces that all have read go.
  void trim() noexcept;
  void forget() noexcept;
};

}  // namespace gatelab::cache
