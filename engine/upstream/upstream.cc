// SPDX-License-Identifier: Apache-2.0
#include "upstream/upstream.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "http/proxy_protocol.h"
#include "io/tls_transport.h"

namespace gatelab::upstream {
namespace {

const observe::Reason* reason_of(io::Code code) noexcept {
  return code == io::Code::TimedOut ? &observe::reason::kConnectTimeout : &observe::reason::kConnectFailure;
}

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

Upstream::Upstream(const Config& config, std::shared_ptr<Pool> pool, std::optional<Address> fixed, bool unmocked)
    : config_(config), pool_(std::move(pool)), fixed_(fixed), unmocked_(unmocked) {
  target_ = config.targets.empty() ? config.name : config.targets.front().name;
  if (!config.targets.empty()) authority_ = config.targets.front().url.authority;
}

io::Task<Opened> Upstream::open(io::Loop& loop, io::Network& network, io::Resolver& resolver, io::Wait wait, const Behalf& behalf) {
  Opened opened;
  if (unmocked_ || (!fixed_ && config_.targets.empty())) {
    opened.failure = &observe::reason::kUnmocked;
    co_return opened;
  }
  wait.deadline = std::min(wait.deadline, loop.now() + config_.timeouts.connect);
  wait.what = "upstream connect";
  if (!fixed_ && !config_.targets.front().url.socket.empty()) {
    io::Task<io::IoResult<io::TransportPtr>> connecting = network.connect_unix(loop, config_.targets.front().url.socket, wait);
    auto connected = co_await connecting;
    if (connected) opened.transport = std::move(*connected);
    else opened.failure = reason_of(connected.error());
  } else {
    std::vector<Address> addresses;
    if (fixed_) {
      addresses.push_back(*fixed_);
    } else {
      const http::BaseUrl& url = config_.targets.front().url;
      auto resolving = resolver.resolve(loop, url.host, wait);
      auto found = co_await resolving;
      if (!found) {
        opened.failure = found.error() == io::Code::TimedOut ? &observe::reason::kConnectTimeout : &observe::reason::kResolveFailure;
        co_return opened;
      }
      for (const IpAddress& ip : *found) addresses.push_back({ip, url.port});
    }
    io::Task<void> connecting = connect(opened, network, addresses, loop, wait);
    co_await connecting;
  }
  if (opened.transport && config_.proxy_protocol != http::ProxyProtocol::None) {
    io::Task<bool> announcing = announce(opened, wait, behalf);
    const bool announced = co_await announcing;
    if (!announced) opened.transport.reset();
  }
  if (opened.transport && config_.tls) {
    // What one address shows, the others will show too: the next is not tried.
    auto securing = secure(opened, std::move(opened.transport), wait);
    co_await securing;
  }
  co_return opened;
}

io::Task<void> Upstream::connect(Opened& opened, io::Network& network, const std::vector<Address>& addresses, io::Loop& loop, io::Wait wait) {
  for (const Address& address : addresses) {
    opened.address = address;
    auto connected = co_await network.connect(loop, address, wait);
    if (connected) {
      opened.transport = std::move(*connected);
      opened.failure = nullptr;
      co_return;
    }
    opened.failure = reason_of(connected.error());
    if (connected.error() == io::Code::Cancelled || connected.error() == io::Code::TimedOut) co_return;
  }
}

io::Task<bool> Upstream::announce(Opened& opened, io::Wait wait, const Behalf& behalf) {
  const std::string header = http::write_proxy_header(config_.proxy_protocol, behalf.client, behalf.local);
  io::Task<io::Code> writing = io::write_all(*opened.transport, header, wait);
  const io::Code code = co_await writing;
  if (code == io::Code::Ok) co_return true;
  opened.failure = reason_of(code);
  co_return false;
}

// A client without an address (a unix socket) must not be taken for nobody: connections without an owner are everyone's.
Address Upstream::owner(const Behalf& behalf) const noexcept {
  Address owner = behalf.client;
  if (config_.proxy_protocol == http::ProxyProtocol::None) return {};
  if (owner.ip.family == IpAddress::Family::None) owner.port = 1;
  return owner;
}

io::Task<void> Upstream::secure(Opened& opened, io::TransportPtr transport, io::Wait wait) {
  auto tls = std::make_unique<io::TlsTransport>(std::move(transport), config_.tls);
  tls->call(config_.server_name, pool_->sessions());
  wait.what = "TLS handshake with an upstream";
  auto shaking = tls->handshake(wait);
  const io::Code code = co_await shaking;
  opened.failure = code == io::Code::Ok ? nullptr : code == io::Code::Other ? &reason_of(tls->failure()) : reason_of(code);
  if (code == io::Code::Ok) {
    opened.handshake = tls->tls()->resumed ? "resumed" : "full";
    opened.transport = std::move(tls);
    co_return;
  }
  opened.handshake = opened.failure->word;
  tls->close();
}

}  // namespace gatelab::upstream
