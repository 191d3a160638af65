// SPDX-License-Identifier: Apache-2.0
#include "proxy/handshake.h"

#include <array>

#include "io/tls_transport.h"

namespace gatelab::proxy {
namespace {

using crypto::TlsFailure;

constexpr std::string_view kPlainAnswer =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: 132\r\nConnection: close\r\n\r\n"
    "{\"status\":400,\"title\":\"Bad Request\",\"reason\":\"plain-http-on-tls\",\"detail\":\"this port speaks TLS: the URL must begin "
    "with https://\"}\n";
constexpr Duration kLinger = std::chrono::seconds(1);
constexpr std::size_t kLingerOctets = 64 * 1024;

const observe::Reason& reason_of(io::Code code, TlsFailure failure) noexcept {
  switch (code) {
    case io::Code::TimedOut: return observe::reason::kHandshakeTimeout;
    case io::Code::Cancelled: return observe::reason::kShutdown;
    case io::Code::Other: return client_reason(failure);
    default: return observe::reason::kClientGone;
  }
}

// To a client that speaks HTTP where TLS is spoken. What it sent is read first, so that the close is not a reset.
io::Task<void> answer_plainly(io::Transport& transport, io::Wait wait) {
  const io::Code written = co_await io::write_all(transport, kPlainAnswer, wait);  // until the handshake's deadline
  if (written != io::Code::Ok) co_return;
  transport.shutdown_write();
  wait.deadline = transport.loop().now() + kLinger;
  wait.what = "client's close";
  wait.background = true;
  std::array<char, 1024> sink;
  for (std::size_t octets = 0; octets < kLingerOctets;) {
    const io::Count read = transport.try_read(sink);
    octets += read.octets;
    if (read.code == io::Code::Ok) continue;
    if (read.code != io::Code::WouldBlock) co_return;
    const io::Code code = co_await transport.readable(wait);
    if (code != io::Code::Ok) co_return;
  }
}

void record_failure(Services& services, const ListenerSettings& settings, const Address& client, io::TlsTransport& tls, const observe::Reason& reason, Instant began) {
  auto arena = services.take_arena();
  {
    observe::Record record(*arena);
    const Clock& clock = services.loop.clock();
    record.total = clock.io_now() - began;
    record.began = clock.policy_now() + -record.total;
    record.client = record.peer = client;
    record.listener = settings.name;
    record.route = services.snapshot->no_route.name;
    record.status = reason.status;
    record.tls = note_of(tls.tls());
    record.tls.error = tls.failure_detail();
    record.ended = {&reason == &observe::reason::kHandshakeTimeout || &reason == &observe::reason::kShutdown ? "gateway" : "client", {}, reason.word, observe::Phase::Handshake};
    services.sink.handshake_failed(record);
  }
  services.give_arena(std::move(arena));
}

}  // namespace

const observe::Reason& client_reason(TlsFailure failure) noexcept {
  switch (failure) {
    case TlsFailure::Malformed: return observe::reason::kTlsMalformed;
    case TlsFailure::PlainHttp: return observe::reason::kPlainHttpOnTls;
    case TlsFailure::Version: return observe::reason::kTlsVersion;
    case TlsFailure::Cipher: return observe::reason::kTlsCipher;
    case TlsFailure::Protocol: return observe::reason::kTlsProtocol;
    case TlsFailure::UnknownName: return observe::reason::kTlsUnknownName;
    case TlsFailure::PeerAlert: return observe::reason::kTlsAlert;
    case TlsFailure::PeerGone: return observe::reason::kClientGone;
    case TlsFailure::Missing: return observe::reason::kClientCertificateMissing;
    case TlsFailure::Expired: return observe::reason::kClientCertificateExpired;
    case TlsFailure::NotYetValid: return observe::reason::kClientCertificateNotYetValid;
    case TlsFailure::Revoked: return observe::reason::kClientCertificateRevoked;
    case TlsFailure::Untrusted: return observe::reason::kClientCertificateUntrusted;
    case TlsFailure::TooDeep: return observe::reason::kClientCertificateTooDeep;
    case TlsFailure::Unfit:
    case TlsFailure::Hostname: return observe::reason::kClientCertificateUnfit;
    case TlsFailure::None:
    case TlsFailure::Other: break;
  }
  return observe::reason::kTlsHandshake;
}

observe::TlsNote note_of(const crypto::TlsFacts* facts) noexcept {
  observe::TlsNote note;
  if (facts == nullptr) return note;
  note.version = facts->version;
  note.cipher = facts->cipher;
  note.group = facts->group;
  note.sni = facts->sni;
  note.alpn = facts->alpn;
  note.client = facts->peer_subject;
  note.client_fingerprint = facts->peer_fingerprint;
  note.resumed = facts->resumed;
  return note;
}

io::Task<io::TransportPtr> handshake(Services& services, const ListenerSettings& settings, const Address& client, io::TransportPtr transport, io::CancelToken& token) {
  if (!settings.tls) co_return transport;
  const Instant began = services.loop.now();
  auto tls = std::make_unique<io::TlsTransport>(std::move(transport), settings.tls);
  io::Wait wait;
  wait.deadline = began + settings.handshake_timeout;
  wait.cancel = &token;
  wait.what = "TLS handshake of a client";
  auto shaking = tls->handshake(wait);
  const io::Code code = co_await shaking;
  if (code == io::Code::Ok) {
    services.sink.handshake_done("client", tls->tls()->resumed ? "resumed" : "full");
    io::TransportPtr done = std::move(tls);
    co_return done;
  }
  record_failure(services, settings, client, *tls, reason_of(code, tls->failure()), began);
  if (code == io::Code::Other && tls->failure() == TlsFailure::PlainHttp) {
    io::TransportPtr below = tls->take_below();
    auto answering = answer_plainly(*below, wait);
    co_await answering;
    below->close();
  } else {
    tls->close();
  }
  io::TransportPtr none;
  co_return none;
}

}  // namespace gatelab::proxy
