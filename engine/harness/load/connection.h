// SPDX-License-Identifier: Apache-2.0
// One client connection of a lane. A request is written at once, by whoever has it; a coroutine reads what comes, and so
// notices too when the server closes while nothing is asked. What does not go out at once is written by a second one. One
// loop's thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "harness/load/load.h"
#include "http/parser.h"
#include "io/network.h"

namespace gatelab::harness::load {

class Lane;
class Connection;

// One arrival, or one turn of a user, on its way through its flow.
struct Visit {
  const Flow* flow = nullptr;
  std::size_t step = 0;
  std::uint64_t user = 0, turn = 0;
  const std::vector<Cell>* row = nullptr;
  std::vector<Cell> saved;
  std::string made;         // the request's octets, if they are not the same each time
  Instant planned, sent, deadline;
  bool retried = false;
  Connection* on = nullptr;
  Visit *before = nullptr, *after = nullptr;  // in the flight
  const Request& request() const noexcept { return flow->requests[step]; }
  std::string_view octets() const noexcept { return request().octets.fixed() ? std::string_view(request().octets.octets()) : made; }
};

// Those that wait for their answers, the first deadline first: as all have the same patience, the order is that of sending.
class Flight {
 public:
  void add(Visit& v) noexcept {
    v.before = last_;
    v.after = nullptr;
    (last_ != nullptr ? last_->after : first_) = &v;
    last_ = &v;
  }
  void remove(Visit& v) noexcept {
    (v.before != nullptr ? v.before->after : first_) = v.after;
    (v.after != nullptr ? v.after->before : last_) = v.before;
  }
  Visit* first() const noexcept { return first_; }

 private:
  Visit *first_ = nullptr, *last_ = nullptr;
};

// What came back, as far as anyone asks.
struct Reply {
  std::uint16_t status = 0;
  std::size_t octets = 0;
};

class Connection {
 public:
  explicit Connection(Lane& lane) noexcept : lane_(lane) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() = default;

  // Connects, sends what visit() is, and then whatever send() brings, until it is closed. Ends with Lane::lost().
  io::Task<void> run(Instant deadline);
  // It is idle. Writes, as much as goes.
  void send(Visit& visit);
  void expect(Visit& visit) noexcept { visit_ = &visit; }  // to be sent once it is connected
  // From outside of run(): what waits ends. `word`: what becomes of its visit, an error's word.
  void close(std::string_view word) noexcept;
  bool usable() noexcept;
  Visit* visit() const noexcept { return visit_; }
  Visit* take_visit() noexcept { return std::exchange(visit_, nullptr); }
  // Nothing but the request was lost: the server had closed before it came.
  bool stale() const noexcept { return used_ && !heard_ && word_ == "closed"; }

 private:
  io::Task<io::Code> connect(Instant deadline);
  io::Task<void> write_rest();
  io::Code write_more();
  bool read();  // true: there may be more at once
  void over(io::Code code);
  void take(std::string_view data);
  bool take_head(std::string_view& data);
  void decode(std::string_view input);
  void keep_body(std::string_view data);

  Lane& lane_;
  io::TransportPtr transport_;
  Visit* visit_ = nullptr;
  std::string_view unwritten_;
  std::string partial_;     // of a head that has not come whole
  std::string body_;        // if something of it is saved
  http::BodyDecoder decoder_;
  std::string_view word_;   // why it is over
  std::size_t octets_ = 0;  // of the present answer
  std::uint16_t status_ = 0;
  bool keep_ = false;       // so says the present answer
  bool in_body_ = false;
  bool used_ = false;       // an answer has come over it before
  bool heard_ = false;      // octets of the present answer have
  bool writing_ = false;
};

}  // namespace gatelab::harness::load
