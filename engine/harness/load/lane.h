// SPDX-License-Identifier: Apache-2.0
// One generator: sends its part of the plan from one loop, over connections of its own. All of it runs on that loop's
// thread. It reads the loop's clock only, so in simulation its time is virtual.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <vector>

#include "base/arena.h"
#include "harness/load/connection.h"
#include "harness/load/load.h"
#include "io/scope.h"

namespace gatelab::harness::load {

// What other threads see of a running round: what has come since they last looked.
class Progress {
 public:
  struct Recent {
    Histogram latency;
    std::uint64_t sent = 0, answered = 0, failed = 0;
  };
  void add(Recent& recent);
  Recent take();

 private:
  std::mutex mutex_;
  Recent recent_;
};

// What a lane stands on. All outlives it.
struct LaneWorld {
  io::Network& network;
  io::Loop& loop;
  const Load& load;
  const Target& target;
  std::uint32_t round = 0;
  Part part;                       // of all lanes of all shards
  std::uint32_t connections = 1;   // at most
  Progress* progress = nullptr;    // may be null
  Duration (*thread_time)() = nullptr;  // of the thread that asks; may be null
};

class Lane {
 public:
  explicit Lane(const LaneWorld& world);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // On the loop's thread: the whole round, which begins at `start`. Then `done` is called there, when nothing of it runs any
  // more.
  void start(Instant start, std::function<void()> done);
  // On the loop's thread. Nothing more is sent, and what is in flight is given up. Of a lane that is at its end, nothing is.
  void stop() noexcept;
  // After `done`.
  Round& result() noexcept { return round_; }

  // Connections call these.
  io::Network& network() noexcept { return world_.network; }
  io::Loop& loop() noexcept { return world_.loop; }
  const Target& target() const noexcept { return world_.target; }
  io::Scope& scope() noexcept { return scope_; }
  Arena& arena() noexcept { return arena_; }
  std::span<char> block() noexcept { return block_; }
  bool keep_alive() const noexcept { return world_.load.keep_alive; }
  void no_room() noexcept { ++round_.resources.descriptors; }
  void save_headers(Visit& visit, const http::ResponseHead& head);
  void answered(Connection& connection, Reply reply, const std::string& body);
  void lost(Connection& connection, std::string_view word);  // it is gone; its visit may go on elsewhere

 private:
  struct Turn {
    Instant at;
    std::uint64_t user = 0, turn = 0;
    bool operator<(const Turn& other) const noexcept { return at == other.at ? user > other.user : at > other.at; }
  };

  io::Task<void> run();
  bool send_due(Instant now);  // false: there is more, after others had their turn
  Instant next_due() const noexcept;
  bool finished() const noexcept;
  void seat_users();
  void schedule(std::uint64_t user, std::uint64_t turn, Instant at);
  void begin(std::uint64_t ordinal, Instant planned, std::uint64_t user, std::uint64_t turn);
  void prepare(Visit& visit);
  void dispatch(Visit& visit);
  void depart(Visit& visit, Connection& connection);
  void open(Visit& visit);
  void give_up_late_ones(Instant now);
  Instant first_deadline() const noexcept;
  void failed(Visit& visit, std::string_view word);
  void count_error(const Visit& visit, std::string_view word);
  void give_up_waiting(Visit& visit, Instant now);
  void slice(const Visit& visit, bool good, Duration latency);
  void next_step_or_over(Visit& visit);
  void over(Visit& visit);
  bool save(Visit& visit, const std::string& body);
  void flush(Instant now);
  Tally& tally_of(const Visit& visit) noexcept { return visit.planned < judged_from_ ? round_.warmup : round_.judged; }

  const LaneWorld world_;
  const Random random_;
  Mix mix_;
  Arrivals arrivals_;
  std::optional<Arrival> arrival_;
  std::priority_queue<Turn> turns_;
  std::vector<std::vector<Curve::Span>> presence_;  // of users, by number / part.of
  std::vector<std::unique_ptr<Visit>> visits_;      // all there are
  std::vector<Visit*> spare_;
  std::deque<Visit*> waiting_;                      // for a connection
  std::vector<std::unique_ptr<Connection>> connections_, graveyard_;
  std::vector<Connection*> idle_;
  Flight flight_;
  std::size_t under_way_ = 0;
  Instant start_, judged_from_, end_, wake_at_, flush_at_;
  io::Signal wake_;
  io::Scope scope_, outer_;
  Arena arena_;
  std::vector<char> block_;
  bool stopped_ = false, ended_ = false;
  Progress::Recent recent_;
  Round round_;
};

}  // namespace gatelab::harness::load
