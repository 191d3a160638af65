// SPDX-License-Identifier: Apache-2.0
// TLS over any other transport, real or simulated: a Transport like the others once handshake() has ended with Ok. Owns the
// transport below. One loop's thread.
#pragma once

#include <memory>
#include <string>

#include "crypto/tls_engine.h"
#include "io/network.h"

namespace gatelab::io {

class TlsTransport final : public Transport, private crypto::Wire {
 public:
  TlsTransport(TransportPtr below, std::shared_ptr<const crypto::TlsContext> context);
  ~TlsTransport() override;

  // A client's: whom it calls, and whose sessions it resumes and keeps. Before the handshake.
  void call(const std::string& server_name, std::shared_ptr<crypto::TlsSessions> sessions);
  // Ok, or how it ended; Other: failure() says why.
  Task<Code> handshake(Wait wait);
  crypto::TlsFailure failure() const noexcept { return engine_.failure(); }
  const std::string& failure_detail() const noexcept { return engine_.detail(); }
  // What the other side said before TLS began can be answered without it: a plain HTTP request.
  TransportPtr take_below() noexcept { return std::move(below_); }

  Count try_read(std::span<char> into) noexcept override;
  Count try_peek(std::span<char> into) noexcept override;
  Count try_write(std::span<const ConstBuffer> from) noexcept override;
  void shutdown_write() noexcept override;
  void close() noexcept override;
  void reset() noexcept override;
  void break_off() noexcept override;
  Peer peer_state() noexcept override;
  Address local() const noexcept override { return below_->local(); }
  Address peer() const noexcept override { return below_->peer(); }
  Loop& loop() noexcept override { return below_->loop(); }
  const crypto::TlsFacts* tls() const noexcept override { return &engine_.facts(); }
  crypto::TlsFailure tls_failure() const noexcept override { return engine_.failure(); }
  void wait_readable(Waiter& w) noexcept override;
  void wait_writable(Waiter& w) noexcept override { below_->wait_writable(w); }

 private:
  Moved wire_read(std::span<char> into) noexcept override;
  Moved wire_write(std::string_view first, std::string_view then) noexcept override;

  TransportPtr below_;
  std::shared_ptr<crypto::TlsSessions> sessions_;
  crypto::TlsEngine engine_;
  bool starved_ = false;  // the engine has asked for octets that were not there
  bool shut_ = false;
  bool established_ = false;
};

}  // namespace gatelab::io
