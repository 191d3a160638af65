// SPDX-License-Identifier: Apache-2.0
// The scenario's client: sends one request over HTTP/1 and says what came back, and how. On one loop's thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/scenario/file.h"
#include "io/network.h"

namespace gatelab::harness {

struct Answer {
  int status = 0;  // 0: none came
  Texts headers, trailers;
  std::string body;
  std::vector<int> interim;
  std::string error;     // refused, closed, timeout, truncated; empty: a whole answer
  bool closed = false;   // the gateway closed the connection after it
  Duration latency{};
  std::string request_id;  // of the answer's X-Request-Id
};

// Where a request goes, and how it gets there.
struct Dial {
  Address to;
  IpAddress from;          // None: wherever
  std::string preface;     // octets before the first request of a connection: a PROXY header
  std::string connection;  // the name of one that stays open; empty: a new one, closed at the end
};

class Client {
 public:
  // `cancel` ends what is under way; it must outlive the client.
  Client(io::Network& network, io::Loop& loop, io::CancelToken& cancel) noexcept : network_(network), loop_(loop), cancel_(cancel) {}
  // `octets`: the whole request. `dial` must outlive the task.
  io::Task<void> send(const Dial& dial, std::string octets, std::string method, Duration timeout, Answer& out);
  // Closes the kept connections.
  void close() noexcept { kept_.clear(); }

 private:
  io::Task<io::Code> write(io::Transport& transport, std::string octets, io::Wait wait);
  io::Task<void> read(io::Transport& transport, std::string method, io::Wait wait, Answer& out);
  io::Network& network_;
  io::Loop& loop_;
  io::CancelToken& cancel_;
  std::map<std::string, io::TransportPtr> kept_;
};

// The request of a step as octets: credential applied, Host and framing added unless the step says its own.
std::string octets_of(const Send& send, const Credential* credential, const Address& to);

}  // namespace gatelab::harness
