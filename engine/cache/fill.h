// SPDX-License-Identifier: Apache-2.0
// The two ends of an answer that is being stored: whoever leads brings it, whoever follows reads it while it comes. Each end
// belongs to one thread at a time; the ends may be on different threads. The store has to outlive both.
//
// `wake` functions are called under a lock, on the thread of whoever brings the news: they do nothing but post to their owner's loop. A
// function is called at most once after each poll() that returned Nothing, and never again after its end is gone.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "cache/body.h"
#include "cache/facts.h"
#include "cache/stored_head.h"
#include "http/fields.h"

namespace gatelab::cache {

struct FillState;
struct FillReader;
enum class FillEnd : std::uint8_t;

// A stored response. What it holds can be sent whatever becomes of the entry.
struct Hit {
  std::shared_ptr<const StoredHead> head;
  std::shared_ptr<const Body> body;
  Facts facts;
  std::uint32_t version = 0;  // of `facts`, for who changes them
};

class Fill;

class Follower {
 public:
  enum class News : std::uint8_t {
    Nothing,    // yet; `wake` will be called
    Head,       // of a response that is being stored; from now on this follower reads it to its end
    Piece,      // of its content
    End,        // of its content
    Validated,  // what was stored is still right: `hit` answers this request, however short it is fresh
    Pass,       // it can't be stored: go upstream without waiting for anybody
    Again,      // it is of no use for this request: look into the store again
    Lead,       // the leader has failed: take_lead()
    CutOff,     // after Head: the rest will not come
  };
  struct Event {
    News news = News::Nothing;
    Hit hit{};      // of Head, without a body, and of Validated
    Chunk piece{};  // of Piece
    std::optional<std::uint64_t> length{};  // of Head: of the content, if it is known
  };

  Follower() noexcept = default;
  Follower(Follower&&) noexcept = default;
  Follower& operator=(Follower&& other) noexcept;
  // Nobody waits for who is gone; a lead that was not taken goes on to the next.
  ~Follower() { leave(); }

  bool is_open() const noexcept { return state_ != nullptr; }
  // `request`: the follower's own, to see whether the response is one for it.
  Event poll(const http::Fields& request, Arena& arena) noexcept;
  // After Lead, once. This follower is over.
  Fill take_lead() noexcept;
  void leave() noexcept;

 private:
  friend class Fill;
  friend class Store;
  using Place = std::list<FillReader>::iterator;
  Follower(std::shared_ptr<FillState> state, Place place) noexcept : state_(std::move(state)), place_(place) {}
  std::shared_ptr<FillState> state_;
  Place place_{};
};

class Fill {
 public:
  struct Limits {
    std::optional<std::uint64_t> length{};  // of the content, if it is known
    std::uint64_t most = UINT64_MAX;        // content that is longer is not stored
    Instant pass_until;                     // if it turns out to be too long: so long nobody waits for another of this key
  };
  enum class Kept : std::uint8_t {
    Stored,    // so far
    Passing,   // not stored, but followers read it: see wait_below()
    Unread,    // nobody but the leader wants it
  };

  Fill() noexcept = default;
  Fill(Fill&&) noexcept = default;
  Fill& operator=(Fill&& other) noexcept;
  // As failed().
  ~Fill() { failed(); }

  bool is_open() const noexcept { return state_ != nullptr; }

  // A storable response has begun. False: it will not be stored, as it is too long or was purged in the meantime; this fill is over.
  // Once.
  [[nodiscard]] bool head(const HeadParts& parts, const Facts& facts, const Limits& limits) noexcept;
  // After head(), before the first piece: reads as all who follow do, so that nobody waits for whom the leader asked upstream for.
  Follower follow(std::function<void()> wake) noexcept;
  // After head(). Copies.
  Kept append(std::string_view octets) noexcept;
  // The message is complete: from now on it is found. True: it was stored. This fill is over.
  bool complete() noexcept;
  // Before head(): what came can't be stored. All followers go upstream, and until then nobody waits for this key. Over.
  void uncacheable(Instant until) noexcept;
  // Before head(): a 304 said that `hit` is still right, with these fields and facts (freshen.h). False: it is not stored any more;
  // it may be sent all the same. Over.
  bool validated(const Hit& hit, const HeadParts& parts, const Facts& facts) noexcept;
  // There will be no (more) answer. One of those who have sent nothing yet leads from here on. Over.
  void failed() noexcept;

  // Those who read it or wait for it, the leader too once it follows.
  std::size_t followers() const noexcept;

  // Where it is passed on only: octets that some follower has not read, and a wait until they are fewer. True: they are; false:
  // `wake` will be called.
  std::uint64_t backlog() const noexcept;
  bool wait_below(std::uint64_t octets, std::function<void()> wake) noexcept;
  // Those who are furthest behind get no more. How many.
  std::size_t cut_off_slowest() noexcept;

 private:
  friend class Follower;
  friend class Store;
  explicit Fill(std::shared_ptr<FillState> state) noexcept : state_(std::move(state)) {}
  void pass_from_now_on() noexcept;
  void close(FillEnd end) noexcept;
  std::shared_ptr<FillState> state_;
};

}  // namespace gatelab::cache
