// SPDX-License-Identifier: Apache-2.0
// What a worker lends to its connections and exchanges. One per worker, used on its thread only, outlives them all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/random.h"
#include "io/environment.h"
#include "io/scope.h"
#include "io/tap.h"
#include "observe/metrics.h"
#include "observe/record.h"
#include "proxy/buffers.h"
#include "proxy/snapshot.h"

namespace gatelab::proxy {

class Http1Connection;

// Where finished exchanges are told: counters, log, traces. Called once an exchange, at its Log phase.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void finished(const observe::Record& record) noexcept = 0;
  // A call of the gateway's own ended (call.h): no client was answered.
  virtual void called([[maybe_unused]] const observe::Record& record) noexcept {}
  virtual void tunnel_opened() noexcept = 0;
  virtual void tunnel_closed() noexcept = 0;
  // TLS: a handshake of a "client" or with an "upstream" ended; `result` is full, resumed or why it failed.
  virtual void handshake_done([[maybe_unused]] std::string_view side, [[maybe_unused]] std::string_view result) noexcept {}
  // A client's handshake failed: no exchange comes of it.
  virtual void handshake_failed([[maybe_unused]] const observe::Record& record) noexcept {}
};

struct Services {
  Services(io::Environment& env, io::Loop& l, Sink& s, Dice dice) noexcept
      : loop(l), network(env.network), resolver(env.resolver), compute(env.compute), sink(s), ids(dice), own(dice.next()) {}

  io::Loop& loop;
  io::Network& network;
  io::Resolver& resolver;
  io::Compute& compute;
  Sink& sink;
  Dice ids;         // request ids
  Dice own;         // for what the gateway does of its own accord, so that a call more shifts no client's request
  std::string via = "1.1 gatelab";  // this process in Via: "1.1 gatelab-1f2e3d4c", drawn once, so that a loop is told from a chain
  Pin snapshot;
  io::Tap* tap = nullptr;           // who records; null: nobody
  BufferPool buffers;
  bool draining = false;             // answers say close; nothing new is waited for
  observe::Counter begun, ended;     // exchanges; those in flight are the difference. Any thread may read
  io::Scope* background = nullptr;   // of what nobody waits for; cancelled when the last connection has ended
  io::Scope* copies = nullptr;       // of copies of requests: those that are under way then have what is left of the drain's time
  Http1Connection* first = nullptr;  // all connections, for drain and cut

  // An arena that is empty. Arenas are recycled so that idle connections hold none.
  std::unique_ptr<Arena> take_arena() {
    if (arenas_.empty()) return std::make_unique<Arena>();
    auto arena = std::move(arenas_.back());
    arenas_.pop_back();
    return arena;
  }
  void give_arena(std::unique_ptr<Arena> arena) {
    arena->reset();
    if (arenas_.size() < BufferPool::kKept) arenas_.push_back(std::move(arena));
  }

 private:
  std::vector<std::unique_ptr<Arena>> arenas_;
};

}  // namespace gatelab::proxy
