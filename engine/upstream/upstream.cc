// SPDX-License-Identifier: Apache-2.0
#include "upstream/upstream.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "http/proxy_protocol.h"
#include "io/tls_transport.h"
#include "upstream/fault_transport.h"

namespace gatelab::upstream {
namespace {

const observe::Reason& reason_of(crypto::TlsFailure failure) noexcept {
  switch (failure) {
    case crypto::TlsFailure::Expired: return observe::reason::kTlsCertificateExpired;
    case crypto::TlsFailure::NotYetValid: return observe::reason::kTlsCertificateNotYetValid;
    case crypto::TlsFailure::Untrusted: return observe::reason::kTlsCertificateUntrusted;
    case crypto::TlsFailure::Hostname: return observe::reason::kTlsCertificateHostname;
    case crypto::TlsFailure::PeerAlert: return observe::reason::kTlsRefused;
    default: return observe::reason::kTlsHandshake;
  }
}

}  // namespace

Target::Target(const Config& upstream, const TargetConfig* config, Place place, std::uint32_t first_address)
    : upstream_(upstream), config_(config), place_(std::move(place)), turn_(first_address), state_(config == nullptr ? nullptr : config->state.get()) {
  if (!place_.name) place_.name = std::make_shared<TargetName>();
  name_ = config == nullptr ? upstream.name : config->name;
  if (config != nullptr) authority_ = config->url.authority;
  named_ = config != nullptr && !place_.fixed && config->url.socket.empty() && io::resolve_literal(config->url.host, true).addresses.empty();
}

io::TransportPtr Target::take_faulty(const Clock& clock, const Behalf& behalf) noexcept {
  if (place_.faults->drops_kept(clock.policy_now())) {
    place_.pool->clear();
    return nullptr;
  }
  return place_.faults->wrap(place_.pool->take(clock.io_now(), upstream_.keep_alive_idle, owner(behalf)));
}

bool Target::plays_on(const io::Transport& transport) const noexcept {
  if (place_.faults == nullptr || !place_.faults->was_active()) return false;
  const auto* faulty = dynamic_cast<const FaultTransport*>(&transport);
  return faulty != nullptr && faulty->swallows();
}

io::Task<Opened> Target::open(io::Loop& loop, io::Network& network, io::Resolver& resolver, io::Wait wait, const Behalf& behalf, io::Tap* tap) {
  Opened opened;
  if (place_.unmocked || (!place_.fixed && config_ == nullptr)) {
    opened.failure = &observe::reason::kUnmocked;
    co_return opened;
  }
  wait.deadline = std::min(wait.deadline, loop.now() + upstream_.timeouts.connect);
  wait.what = "upstream connect";
  TargetFaults::Connect suffers;
  if (place_.faults != nullptr && place_.faults->active()) suffers = place_.faults->connect(loop.clock().policy_now());
  if (suffers.delay > Duration{}) {
    io::Wait pause = wait;
    pause.deadline = std::min(wait.deadline, loop.now() + suffers.delay);
    co_await io::sleep_until(loop, pause);
    if (loop.now() >= wait.deadline) suffers.failure = &observe::reason::kConnectTimeout;
  }
  opened.failure = suffers.failure;
  if (opened.failure != nullptr) co_return opened;
  io::Task<void> reaching = reach(opened, loop, network, resolver, wait);
  co_await reaching;
  if (opened.transport && upstream_.proxy_protocol != http::ProxyProtocol::None) {
    io::Task<bool> announcing = announce(opened, wait, behalf);
    const bool announced = co_await announcing;
    if (!announced) opened.transport.reset();
  }
  if (opened.transport && upstream_.tls) {
    // What one address shows, the others will show too: the next is not tried.
    auto securing = secure(opened, std::move(opened.transport), suffers.distrust, wait);
    co_await securing;
  }
  if (!opened.transport) co_return opened;
  // Below a fault, which is for one request and comes off before the connection is kept.
  if (tap != nullptr) opened.transport = tap->upstream(std::move(opened.transport), upstream_.name, name_);
  place_.pool->live()->add(*opened.transport);
  if (place_.faults != nullptr && place_.faults->active()) opened.transport = place_.faults->wrap(std::move(opened.transport));
  co_return opened;
}

io::Task<bool> Target::announce(Opened& opened, io::Wait wait, const Behalf& behalf) {
  const std::string header = http::write_proxy_header(upstream_.proxy_protocol, behalf.client, behalf.local);
  io::Task<io::Code> writing = io::write_all(*opened.transport, header, wait);
  const io::Code code = co_await writing;
  if (code == io::Code::Ok) co_return true;
  opened.failure = connect_failure(code);
  co_return false;
}

// A client without an address (a unix socket) must not be taken for nobody: connections without an owner are everyone's.
Address Target::owner(const Behalf& behalf) const noexcept {
  Address owner = behalf.client;
  if (upstream_.proxy_protocol == http::ProxyProtocol::None) return {};
  if (owner.ip.family == IpAddress::Family::None) owner.port = 1;
  return owner;
}

// `distrust`: nobody vouches for the target, whoever it is.
io::Task<void> Target::secure(Opened& opened, io::TransportPtr transport, bool distrust, io::Wait wait) {
  if (distrust && !untrusting_) {
    auto made = untrusting(*upstream_.tls);
    opened.failure = made ? nullptr : &observe::reason::kTlsHandshake;
    if (!made) co_return transport->close();
    untrusting_ = std::move(*made);
  }
  auto tls = std::make_unique<io::TlsTransport>(std::move(transport), distrust ? untrusting_ : upstream_.tls);
  tls->call(config_->server_name, distrust ? nullptr : place_.pool->sessions());
  wait.what = "TLS handshake with an upstream";
  auto shaking = tls->handshake(wait);
  const io::Code code = co_await shaking;
  opened.failure = code == io::Code::Ok ? nullptr : code == io::Code::Other ? &reason_of(tls->failure()) : connect_failure(code);
  if (code == io::Code::Ok) {
    opened.handshake = tls->tls()->resumed ? "resumed" : "full";
    opened.transport = std::move(tls);
    co_return;
  }
  opened.handshake = opened.failure->word;
  tls->close();
}

}  // namespace gatelab::upstream
