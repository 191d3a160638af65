// SPDX-License-Identifier: Apache-2.0
// A gateway between raw clients and a scripted raw target, in simulated time: for tests of what goes over the wire.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/gateway.h"
#include "io/scope.h"
#include "io/sim.h"

namespace gatelab::test {

// What the target does when it has read a whole request.
struct Reply {
  std::string text;
  bool close = false;       // after writing
  bool reset = false;       // instead of, or after, writing
  Duration delay{};
  bool at_head = false;     // answers when the head is there, without reading the body
  bool raw = false;         // after writing, the connection is a peer of the world's: no requests any more
};

// A client connection that is read all the time.
class RawClient {
 public:
  RawClient(io::Scope& scope, io::TransportPtr transport);
  void write(std::string text);  // queued, in order
  void put(std::string text) { received += text; }  // what came before
  void finish();                 // FIN once everything queued has been written
  void reset() { transport_->reset(); }
  bool is_cut() const { return transport_->peer_state() == io::Transport::Peer::Reset; }  // told so by what was written last
  void pause() { paused_ = true; }  // stops reading: lets the gateway feel backpressure
  void resume();

  std::string received;
  bool eof = false;
  bool broken = false;  // reset by the gateway

 private:
  io::Task<void> reader();
  io::Task<void> writer();
  io::Scope& scope_;
  io::TransportPtr transport_;
  std::string unsent_;
  bool writing_ = false, fin_ = false, paused_ = false;
  io::Signal resumed_;
};

class RawWorld {
 public:
  explicit RawWorld(std::string_view yaml, std::uint64_t seed = 1, std::uint32_t workers = 2, io::Tap* tap = nullptr);
  ~RawWorld();

  // The target's next answers, in order; the last one is repeated.
  void script(std::vector<Reply> replies) { replies_ = std::move(replies); next_ = 0; }
  RawClient& connect();
  // Runs until nothing moves at this instant, then through at most `more` of time while a client waits.
  void settle(Duration more = Duration{});
  // On the target's newest connection, without a request.
  void say_unasked(std::string octets);
  // One connection, one write, everything that came back.
  std::string talk(std::string bytes);
  void reload(std::string_view yaml);

  io::Simulation sim;
  std::vector<std::string> requests;          // whole, as they reached the target
  std::string target_octets;                  // all that reached it, whole or not
  std::size_t target_connections = 0;
  std::vector<observe::OwnedRecord> records;  // finished exchanges
  std::vector<std::unique_ptr<RawClient>> peers;  // the target's ends of raw connections
  std::unique_ptr<gateway::Gateway> gateway;

 private:
  io::Task<void> target(io::TransportPtr transport);
  std::unique_ptr<io::Scope> scope_;
  std::unique_ptr<io::Listener> listener_;
  std::vector<std::unique_ptr<RawClient>> clients_;
  std::vector<Reply> replies_{{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, false, {}, false}};
  std::size_t next_ = 0;
  io::Transport* newest_target_ = nullptr;
};

// A configuration for that gateway. Throws what its diagnostics say.
std::shared_ptr<const gateway::Model> build(gateway::Gateway& gateway, std::string_view yaml);
// The size of the first whole request in `text`; 0: not whole yet.
std::size_t whole_request(const std::string& text, bool head_only);
// True once for a request that waits for 100 (Continue) with its body.
bool wants_continue(const std::string& text, bool& continued);

// One listener on 127.0.0.1:8080, one upstream `target` on 127.0.0.1:9001, one route to it.
std::string plain_gateway(std::string_view upstream_keys = "", std::string_view listener_keys = "", std::string_view policies = "");
// Without Date and X-Request-Id, whose values are of no interest, and with `Via: 1.1 gatelab` for every gateway's own
// name; line ends as \n.
std::string plain(std::string_view message);

}  // namespace gatelab::test
