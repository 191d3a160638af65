// SPDX-License-Identifier: Apache-2.0
// Records what passes through a gateway, both sides of each exchange together. A client's connection and those to upstreams that
// serve it are one loop's; several loops share this, and `done` is called on any of their threads.
#pragma once

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
  explicit TrafficTap(Done done, std::size_t max_body = RecordingWriter::kMaxBody) : done_(std::move(done)), max_body_(max_body) {}

  io::TransportPtr client(io::TransportPtr transport, const Address& client, std::string_view early) override;
  io::TransportPtr upstream(io::TransportPtr transport, std::string_view upstream, std::string_view target) override;

  // gateway::Options::on_record: the exchange is over.
  void finished(const observe::Record& record);

  // For the connections, on their loops' threads.
  struct Asked {
    std::string upstream, target;
    std::shared_ptr<TappedExchange> exchange;
  };
  void asked(Asked one);
  void gone(const std::string& client, const TappedConnection* connection);

 private:
  std::vector<Asked> of_request(std::string_view request_id);

  Done done_;
  std::size_t max_body_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<TappedConnection>> clients_;  // by address
  std::deque<Asked> asked_;  // answers whose exchange is not over yet, and those of calls that belong to none
};

}  // namespace gatelab::harness
