// SPDX-License-Identifier: Apache-2.0
// A WebSocket on its way through an exchange: what is asked for, what is offered to the target, what its 101 must say, and
// the tunnel behind it. Everything else that an Upgrade could ask for ends here (docs/streams.md).
#include <array>

#include "base/base64.h"
#include "crypto/digest.h"
#include "http/hop.h"
#include "http/websocket.h"
#include "proxy/attempt.h"
#include "proxy/head_writer.h"
#include "proxy/tunnel.h"

namespace gatelab::proxy {
namespace websocket = http::websocket;

Refusal upgrade_refusal(const http::RequestHead& head, const Route& route) noexcept {
  const websocket::Ask ask = websocket::asked(head);
  if (ask == websocket::Ask::None || (ask == websocket::Ask::Valid && route.websocket)) return {};
  Refusal refusal = refusal_of(!route.websocket                          ? observe::reason::kWebsocketOff
                               : ask == websocket::Ask::OtherVersion ? observe::reason::kWebsocketVersion
                                                                     : observe::reason::kWebsocketHandshake);
  refusal.detail = route.websocket ? websocket::describe(ask) : std::string_view();
  refusal.phase = observe::Phase::Forward;
  return refusal;
}

// A refusal whose word is empty: the request goes on, as a WebSocket if it asks for one.
Refusal Exchange::check_upgrade() noexcept {
  websocket_ = matching_.route->websocket && websocket::asked(head_) == websocket::Ask::Valid;
  return upgrade_refusal(head_, *matching_.route);
}

// Is the target's 101 what was asked for?
bool Exchange::is_upgraded(const http::ResponseHead& head) const {
  if (!websocket_) return false;
  std::string text(websocket::key_of(head_));
  text += websocket::kGuid;
  const crypto::Sha1 digest = crypto::sha1(text);
  const std::string accept = base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
  return websocket::accepts(head_, head, accept);
}

io::Task<const observe::Reason*> Exchange::tunnel(Attempt& attempt) {
  // The watch on the client waits where the tunnel will read.
  attempt.beside.cancel();
  io::Wait wait;
  wait.what = "end of the watch on a client";
  co_await attempt.beside.join(wait);
  if (upstream_token_.cancelled()) co_return &observe::reason::kShutdown;
  http::Fields& fields = attempt.head.fields;
  http::strip_hop_by_hop(fields);
  fields.add(http::FieldId::Via, "Via", services_.via);
  std::uint16_t status = attempt.head.status;
  http::BodyFraming none;
  finish_fields(status, fields, false, none);
  record_.status = attempt.head.status;
  committed_ = true;
  mark(answered_);
  attempt.head.keep_alive = false;
  const io::Code opened = co_await inbound_.open_tunnel(fields);
  if (client_failed(opened)) co_return &observe::reason::kShutdown;
  const std::string_view early = attempt.unread();
  attempt.used = attempt.filled = 0;
  services_.sink.tunnel_opened();
  const upstream::Timeouts::Stream& limits = timeouts_->tunnel;
  Tunnel tunnel(services_, inbound_, *attempt.transport, {limits.idle, limits.total}, upstream_token_);
  io::Task<Tunnel::End> running = tunnel.run(std::move(attempt.block), early);
  const Tunnel::End ended = co_await running;
  services_.sink.tunnel_closed();
  record_.response_octets = ended.down;
  record_.truncated = ended.broken;
  const bool upstream_broke = ended.broken && ended.by == "upstream";
  attempt.note.reason = upstream_broke ? observe::reason::kTruncated.word : observe::reason::kCompleted.word;
  // Whoever is left sees what happened to the other.
  if (upstream_broke) inbound_.reset();
  else if (ended.broken) attempt.transport->reset();
  end(ended.by, ended.by == "upstream" ? std::string_view(attempt.upstream.name()) : std::string_view(), ended.reason->word, observe::Phase::Respond);
  co_return nullptr;
}

}  // namespace gatelab::proxy
