// SPDX-License-Identifier: Apache-2.0
// Records what passes through a gateway, both sides of each exchange together. A client's connection and those to upstreams that
// serve it are one loop's; several loops share this, and `done` is called on any of their threads. A connection's octets are
// looked at on its own loop's thread only: what the loops share are tables of them, and exchanges that change no more.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "harness/replay/tapped_connection.h"
#include "io/tap.h"
#include "observe/record.h"

namespace gatelab::harness {

class TrafficTap final : public io::Tap {
 public:
  // Nothing in what it is given is redacted.
  using Done = std::function<void(RecordedExchange)>;
  static constexpr std::size_t kMostWaiting = std::size_t{64} << 20;
  // `max_waiting`: octets, roughly, of upstreams' answers whose exchange is not over yet; beyond them the oldest are let go.
  explicit TrafficTap(Done done, std::size_t max_body = RecordingWriter::kMaxBody, std::size_t max_waiting = kMostWaiting)
      : done_(std::move(done)), max_body_(max_body), max_waiting_(max_waiting) {}

  io::TransportPtr client(io::TransportPtr transport, std::uint64_t connection, std::string_view early) override;
  io::TransportPtr upstream(io::TransportPtr transport, std::string_view upstream, std::string_view target) override;

  // gateway::Options::on_record: the exchange is over.
  void finished(const observe::Record& record);
  // Upstreams' answers that the gateway has had and that are in no recording: they were let go, or could not be told whose they
  // were. Any thread.
  std::uint64_t lost_answers() const;

  // For the connections, on their loops' threads.
  struct Asked {
    std::string upstream, target;
    std::shared_ptr<TappedExchange> exchange;
  };
  void asked(Asked one);
  void gone(std::uint64_t connection);

 private:
  std::vector<Asked> of_request(std::string_view request_id);

  Done done_;
  std::size_t max_body_, max_waiting_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<TappedConnection>> clients_;  // by the connection's number
  std::deque<Asked> asked_;  // answers whose exchange is not over yet, and those of calls that belong to none
  std::size_t waiting_ = 0;  // octets of asked_
  std::uint64_t lost_answers_ = 0;
};

}  // namespace gatelab::harness
