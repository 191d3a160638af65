// SPDX-License-Identifier: Apache-2.0
// Mock upstreams: HTTP/1.1 servers that answer from stubs. The same for `mock:` upstreams of `run` and for scenarios. They
// live on one loop; what they have seen may be asked from any thread.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/model.h"
#include "harness/mock/stub.h"
#include "io/environment.h"
#include "io/scope.h"

namespace gatelab::harness {

class MockServers {
 public:
  // Any port.
  static constexpr Address kLoopback{{IpAddress::Family::V4, {127, 0, 0, 1}}, 0};
  // `remember`: keep every request for expectations; off in `run`, which goes on for ever.
  MockServers(io::Network& network, io::Loop& loop, bool remember, Random random = Random(1));
  ~MockServers();  // stop() first, and let the loop run until stopped()
  MockServers(const MockServers&) = delete;
  MockServers& operator=(const MockServers&) = delete;

  // Before start().
  void add(const std::string& upstream, const std::string& target, std::vector<Stub> stubs, std::shared_ptr<const crypto::TlsContext> tls = nullptr, const Address& at = kLoopback);
  // The same, of what a gateway calls for itself: not among what was seen, but counted.
  void provide(const std::string& upstream, std::vector<Stub> stubs, std::shared_ptr<const crypto::TlsContext> tls, const Address& at = kLoopback);
  // Every `mock:` of a model. Reports what is wrong with its stubs.
  void add_all(const gateway::Model& model, diag::Sink& sink);
  // Binds one loopback port each. On the loop's thread, or before the loop runs.
  Status start();
  // By "upstream/target", for gateway::Options.
  const std::map<std::string, Address>& addresses() const noexcept { return addresses_; }

  // On the loop's thread.
  void stop() noexcept;
  bool stopped() const noexcept { return scope_.running() == 0; }

  // Any thread. Whether requests are kept from now on; without that the first few that no stub answers still are.
  void remember(bool on) noexcept { remember_ = on; }
  // From the `first`th on.
  std::vector<SeenRequest> seen(std::size_t first = 0) const;
  std::size_t seen_count() const;
  std::vector<SeenMessage> messages() const;
  std::size_t calls(std::string_view upstream) const;
  std::size_t unmatched() const;  // requests that no stub has answered
  // Where the stubs stand that have answered at least once: octet offsets.
  std::vector<std::uint32_t> used() const;

 private:
  static constexpr std::size_t kBlock = 64 * 1024;
  struct Server {
    std::string upstream, target;
    std::vector<Stub> stubs;
    std::shared_ptr<const crypto::TlsContext> tls;  // null: plain
    std::unique_ptr<io::Listener> listener;
    Address at = kLoopback;
    bool quiet = false;  // its requests are counted, not remembered
    std::uint64_t answers = 0;
  };
  struct Connection {
    io::TransportPtr transport;
    std::vector<char> block = std::vector<char>(kBlock);
    std::size_t filled = 0, used = 0;
    SeenRequest request;
    std::string upgrade;     // what its 101 would say; empty: no WebSocket is asked for
    bool head_only = false;  // HEAD
    bool keep = true;
    bool said_close = false;  // of a WebSocket
    bool fresh = true;       // nothing was read yet
    std::string proxied;     // what its PROXY header said
  };
  io::Task<void> serve(Server& server, io::TransportPtr transport);
  io::Task<bool> read_request(Connection& c);
  io::Task<bool> answer(Connection& c, Server& server);
  io::Task<bool> write(Connection& c, std::string text);
  // mock_stream.cc
  io::Task<bool> stream(Connection& c, const Pieces& pieces);
  io::Task<bool> pause(Duration delay);
  Duration delay_of(const Server& server, const Reply& reply) noexcept;
  io::Task<bool> pause(Connection& c, Duration delay);
  io::Task<void> websocket(Connection& c, const WebsocketReply& reply);
  io::Task<bool> receive(Connection& c, const WebsocketReply& reply, http::websocket::MessageReader& reader, io::Wait wait);
  io::Task<bool> said(Connection& c, const WebsocketReply& reply, const http::websocket::Message& message);
  const Stub* choose(Server& server, SeenRequest& request);
  // Whether a stub fits and answers now: by `times` and `state` too.
  Fit fit_now(const Server& server, const Stub& stub, const SeenRequest& request) const;
  const std::string& state_of(const Server& server, const Stub& stub) const;
  void tell_misses(const Server& server, SeenRequest& request) const;
  io::Task<void> break_connection(Connection& c, StubFault fault);

  io::Network& network_;
  io::Loop& loop_;
  std::atomic<bool> remember_;
  Random random_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::map<std::string, Address> addresses_;
  mutable std::mutex mutex_;
  std::vector<SeenRequest> seen_;
  std::size_t unmatched_ = 0;
  std::vector<SeenMessage> messages_;
  std::map<std::string, std::size_t, std::less<>> calls_;
  std::map<std::uint32_t, std::size_t> used_;
  // On the loop's thread. By upstream: the stub's number, the state's name.
  std::map<std::pair<std::string, std::uint32_t>, std::uint32_t> answered_;
  std::map<std::pair<std::string, std::string>, std::string> states_;
  io::Scope scope_;
};

}  // namespace gatelab::harness
