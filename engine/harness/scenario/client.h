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
  Texts tls;             // what was agreed on; empty without TLS
  std::string error;     // refused, closed, aborted (by us), timeout, truncated, tls-alert, tls-certificate, tls-handshake, not-tls; empty: a whole answer
  bool closed = false;   // the gateway closed the connection after it
  Duration latency{};
  std::string request_id;  // of the answer's X-Request-Id
};

// The body as it was meant: out of its content coding, where it is in one; as it came where that can't be undone.
std::string content_of(const Answer& answer);

// How a request's connection speaks TLS.
struct Secured {
  std::shared_ptr<const crypto::TlsContext> context;  // null: not at all
  std::string name;                                   // asked for, and expected in the certificate
  std::shared_ptr<crypto::TlsSessions> sessions;      // may be null
};

// Where a request goes, and how it gets there.
struct Dial {
  Address to;
  std::string path;        // of a unix socket, instead
  IpAddress from;          // None: wherever
  std::string preface;     // octets before the first request of a connection: a PROXY header
  std::string connection;  // the name of one that stays open; empty: a new one, closed at the end
  Secured tls;
};

// A new connection, with TLS if the dial says so. Null: `out.error` says why. Without TLS the preface is still to be sent, in
// front of the first request. `dial` and `out` must outlive the task.
io::Task<io::TransportPtr> connect(io::Network& network, io::Loop& loop, const Dial& dial, io::Wait wait, Answer& out);

class Client {
 public:
  // `cancel` ends what is under way; it must outlive the client.
  Client(io::Network& network, io::Loop& loop, io::CancelToken& cancel) noexcept : network_(network), loop_(loop), cancel_(cancel) {}
  // `octets`: the whole request, whose body begins at `body`. `dial` must outlive the task.
  io::Task<void> send(const Dial& dial, std::string octets, std::size_t body, Upload upload, std::string method, Duration timeout, Answer& out);
  io::Task<void> send(const Dial& dial, std::string octets, std::string method, Duration timeout, Answer& out) { return send(dial, std::move(octets), 0, {}, std::move(method), timeout, out); }
  // Closes the kept connections.
  void close() noexcept { kept_.clear(); }

 private:
  enum class Heard : std::uint8_t { Nothing, Interim, Answer };  // the end of the connection counts as an answer
  static Heard heard(io::Transport& transport);
  // Ok with octets left: an answer has come, or the connection has gone, before they were out.
  io::Task<io::Code> write(io::Transport& transport, std::string_view& left, io::Wait wait);
  io::Task<io::Code> write_slowly(io::Transport& transport, std::string_view& left, std::uint64_t rate, io::Wait wait);
  io::Task<void> read(io::Transport& transport, std::string method, io::Wait wait, Answer& out);
  io::Network& network_;
  io::Loop& loop_;
  io::CancelToken& cancel_;
  std::map<std::string, io::TransportPtr> kept_;
};

// The request of a step as octets: credential applied, Host and framing added unless the step says its own.
std::string octets_of(const Send& send, const Credential* credential, const Address& to);

}  // namespace gatelab::harness
