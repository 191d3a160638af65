// SPDX-License-Identifier: Apache-2.0
// The same stage as raw_world.h on real sockets: a real gateway on free ports of 127.0.0.1, a raw client, a raw origin on
// a thread of its own. Nothing sleeps: every wait is for octets or for a record, with a limit.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gateway/gateway.h"
#include "io/real.h"
#include "support/raw_world.h"

namespace gatelab::test {

class SocketClient {
 public:
  explicit SocketClient(int fd) noexcept : fd_(fd) {}
  ~SocketClient() { close(); }
  SocketClient(const SocketClient&) = delete;
  SocketClient& operator=(const SocketClient&) = delete;

  // Whatever is not taken any more is left out: a gateway may have answered and closed.
  void write(std::string_view octets);
  void finish();  // FIN
  void reset();
  void close();
  // Reads until `done` holds or the stream is over; false after ten seconds of neither.
  bool read_until(const std::function<bool()>& done);

  std::string received;
  bool ended = false;   // EOF or reset
  bool broken = false;  // reset

 private:
  int fd_;
};

class SocketWorld {
 public:
  // The origin's answers, in order; the last one is repeated.
  explicit SocketWorld(std::vector<Reply> replies);
  ~SocketWorld();

  std::unique_ptr<SocketClient> connect();
  // The reason of the `count`-th record, waited for.
  std::string reason(std::size_t count);

  std::vector<std::string> requests();  // whole, as they reached the origin
  std::string target_octets();
  std::size_t target_connections();

 private:
  struct Peer {
    int fd = -1;
    std::string text;
    bool continued = false;
  };
  void serve();
  bool read(Peer& peer);
  bool answer(Peer& peer);

  std::mutex mutex_;
  std::condition_variable recorded_;
  std::vector<std::string> reasons_, requests_;
  std::string target_octets_;
  std::size_t target_connections_ = 0;
  std::vector<Reply> replies_;
  std::size_t next_ = 0;
  int listening_ = -1;
  int wake_[2] = {-1, -1};
  std::thread origin_;
  io::RealWorld world_;
  std::unique_ptr<gateway::Gateway> gateway_;
};

}  // namespace gatelab::test
