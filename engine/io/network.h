// SPDX-License-Identifier: Apache-2.0
// Byte streams, listeners and names: the seam that the real sockets and the simulated network stand behind. A transport
// belongs to one loop and is used on its thread only.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/endpoint.h"
#include "base/result.h"
#include "crypto/tls_engine.h"
#include "io/code.h"
#include "io/loop.h"
#include "io/task.h"

namespace gatelab::io {

class LiveTransports;

class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  // Pending waits end with Code::Cancelled before the memory goes: destroy only what nothing waits on.
  virtual ~Transport() { unlink(); }

  // Never block. WouldBlock: wait for readable() or writable() and try again. Eof: the peer will send no more.
  virtual Count try_read(std::span<char> into) noexcept = 0;
  // What could be read, left where it is: for what stands before the stream proper, such as a PROXY header.
  virtual Count try_peek(std::span<char> into) noexcept = 0;
  // May write a part. At most 64 buffers are looked at. Never raises SIGPIPE: a gone peer is Reset.
  virtual Count try_write(std::span<const ConstBuffer> from) noexcept = 0;

  class Readiness {
   public:
    Readiness(Transport& t, bool write, Loop& loop, const Wait& wait) noexcept : t_(t), write_(write), waiter_(loop, wait) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) noexcept {
      waiter_.arm(h);
      if (waiter_.pending()) write_ ? t_.wait_writable(waiter_) : t_.wait_readable(waiter_);
    }
    Code await_resume() const noexcept { return waiter_.code(); }

   private:
    Transport& t_;
    bool write_;
    Waiter waiter_;
  };
  // co_await: Ok (try again; may be spurious), TimedOut or Cancelled. One waiter a direction at a time.
  Readiness readable(const Wait& wait) noexcept { return {*this, false, loop(), wait}; }
  Readiness writable(const Wait& wait) noexcept { return {*this, true, loop(), wait}; }

  // FIN: we send no more, the peer can still send.
  virtual void shutdown_write() noexcept = 0;
  // Orderly close; unread input makes the peer see a reset, as with real sockets.
  virtual void close() noexcept = 0;
  // RST.
  virtual void reset() noexcept = 0;
  // As if the peer had reset it just now: it gets an RST, waits end with Ok, and reads and writes say Reset from here on.
  virtual void break_off() noexcept { reset(); }

  // What a look without reading tells: Quiet (open, nothing to read), Data, Eof or Reset. For idle pooled connections
  // and for noticing a client that has gone.
  enum class Peer : std::uint8_t { Quiet, Data, Eof, Reset };
  virtual Peer peer_state() noexcept = 0;
  // False only if nothing can have come from the peer since the last read took all there was, as far as is known without
  // asking the system.
  virtual bool may_have_news() const noexcept { return true; }

  virtual Address local() const noexcept = 0;
  virtual Address peer() const noexcept = 0;
  virtual Loop& loop() noexcept = 0;
  // What TLS has agreed on; null without TLS. Lives as long as the transport.
  virtual const crypto::TlsFacts* tls() const noexcept { return nullptr; }
  // Why TLS has ended the connection, if it has.
  virtual crypto::TlsFailure tls_failure() const noexcept { return {}; }

  // Only Readiness calls these. wait.slot is theirs to set.
  virtual void wait_readable(Waiter& w) noexcept = 0;
  virtual void wait_writable(Waiter& w) noexcept = 0;

 private:
  friend class LiveTransports;
  void unlink() noexcept;
  Transport* live_next_ = nullptr;
  Transport** live_prev_ = nullptr;
};

// Transports that may have to be broken off all at once. Each leaves when it is destroyed, and need not outlive the list nor
// be outlived by it. One loop's thread.
class LiveTransports {
 public:
  LiveTransports() = default;
  LiveTransports(const LiveTransports&) = delete;
  LiveTransports& operator=(const LiveTransports&) = delete;
  ~LiveTransports();
  void add(Transport& transport) noexcept;
  // `other` takes the place of `transport`, if that is in a list.
  static void replace(Transport& transport, Transport& other) noexcept;
  // None of them is destroyed meanwhile: who waited is resumed later, through the loop's queue.
  void break_off() noexcept;
  std::size_t size() const noexcept;

 private:
  Transport* first_ = nullptr;
};

using TransportPtr = std::unique_ptr<Transport>;

// Writes as much of `left` as the transport takes now and moves `left` behind it. Ok: everything; WouldBlock: wait for
// writable() and call again; else the transport is of no more use.
Code write_now(Transport& transport, std::span<ConstBuffer>& left) noexcept;
// Writes all of `octets`, which live until the task has ended, and waits as `wait` says each time the transport takes no
// more. Ok, or how it failed.
Task<Code> write_all(Transport& transport, std::string_view octets, Wait wait);
template <class T>
using IoResult = Result<T, Code>;

class Listener {
 public:
  virtual ~Listener() = default;
  virtual Address local() const noexcept = 0;  // with the real port when 0 was asked for; Address{} of a unix socket
  // Starts handing connections to `workers` in turn: on_accept runs on the chosen worker's thread. `workers` and the
  // callback's captures must live until close() has returned.
  using OnAccept = std::function<void(std::uint32_t worker, TransportPtr)>;
  virtual void start(std::vector<Loop*> workers, OnAccept on_accept) = 0;
  // Hands out what the accept queue still holds, then closes. After it returns no on_accept is queued any more from here.
  virtual void close() noexcept = 0;
};

class Network {
 public:
  virtual ~Network() = default;
  // `loop` is where accepting itself happens. Errors: address-in-use, denied, unreachable, not-found, with the address in the
  // message, and who holds it where that can be known.
  virtual Result<std::unique_ptr<Listener>> listen(Loop& loop, const Endpoint& endpoint) = 0;
  virtual Task<IoResult<TransportPtr>> connect(Loop& loop, Address to, Wait wait) = 0;
  // A unix socket, by its path. Peers without an address have Address{}.
  virtual Task<IoResult<TransportPtr>> connect_unix(Loop& loop, std::string path, Wait wait) = 0;
  // From this address of one's own; the port is chosen. In simulation any address is one's own.
  virtual Task<IoResult<TransportPtr>> connect_from(Loop& loop, IpAddress from, Address to, Wait wait) = 0;
};

}  // namespace gatelab::io
