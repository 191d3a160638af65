// SPDX-License-Identifier: Apache-2.0
// Copies of requests for other upstreams (docs/policies/mirror.md). A copy is a call of the gateway's own, made once the
// request's own upstream has all of it, beside everything else: what becomes of it is counted, and nobody waits for it.
#include <algorithm>
#include <utility>

#include "http/hop.h"
#include "policy/mirror/copies.h"
#include "proxy/call.h"
#include "proxy/exchange.h"

namespace gatelab::proxy {
namespace {

using policy::Copies;

// Nothing in it belongs to the exchange.
struct Parcel {
  Parcel(std::unique_ptr<Arena> a) noexcept : arena(std::move(a)), fields(*arena) {}
  std::unique_ptr<Arena> arena;
  http::Fields fields;
  CallRequest request;
  Copies* copies = nullptr;  // of the snapshot
};

const upstream::HostPolicy& as_asked() noexcept {
  static const upstream::HostPolicy policy;
  return policy;
}

// "api.local:8080" with "-shadow" is "api.local-shadow:8080". An address in brackets stays as it is.
std::string_view with_suffix(std::string_view authority, std::string_view suffix, Arena& arena) noexcept {
  if (authority.starts_with("[")) return authority;
  const std::size_t colon = std::min(authority.find(':'), authority.size());
  return arena.concat(authority.substr(0, colon), suffix, authority.substr(colon));
}

io::Task<void> send(Services& services, Pin snapshot, std::unique_ptr<Parcel> parcel) {
  {
    policy::CallAnswer answer(*parcel->arena);
    auto calling = call(services, snapshot, parcel->request, services.copies->token(), answer, *parcel->arena);
    co_await calling;
    const bool cut = services.copies->token().cancelled();
    parcel->copies->leave(answer.failure.empty() ? Copies::Result::Answered : cut ? Copies::Result::Cut : Copies::Result::Failed);
  }
  services.give_arena(std::move(parcel->arena));
}

}  // namespace

// Where every copy is too small for it, the body is not kept.
void Exchange::keep_for_copies(std::string_view piece) noexcept {
  if (!copied_) copied_ = std::make_unique<Kept>();
  if (!copied_->all) return;
  std::size_t most = 0;
  for (const policy::Copy* copy = input_.copies; copy != nullptr; copy = copy->next) most = std::max(most, copy->max_body);
  if (copied_->octets.size() + piece.size() <= most) {
    copied_->octets += piece;
    return;
  }
  copied_->all = false;
  copied_->octets = {};
}

void Exchange::send_copies() noexcept {
  for (const policy::Copy* copy = std::exchange(input_.copies, nullptr); copy != nullptr; copy = copy->next) {
    const std::string_view body = copied_ ? std::string_view(copied_->octets) : std::string_view();
    if (websocket_) {
      copy->copies->count(Copies::Result::Incomplete);  // there is no end to it
    } else if ((copied_ && !copied_->all) || body.size() > copy->max_body) {
      copy->copies->count(Copies::Result::TooLarge);
    } else if (copy->copies->enter(copy->max_in_flight)) {
      record_.mirrored_to = snapshot_->upstreams[static_cast<std::size_t>(copy->upstream)]->name();
      send_copy(*copy, body);
    }
  }
}

void Exchange::send_copy(const policy::Copy& copy, std::string_view body) noexcept {
  auto parcel = std::make_unique<Parcel>(services_.take_arena());
  Arena& arena = *parcel->arena;
  const auto left_out = [&copy](std::string_view name) { return std::any_of(copy.without->begin(), copy.without->end(), [name](const std::string& one) { return http::reads_like(one, name); }); };
  for (const http::Field& f : head_.fields)
    if (!left_out(f.name) && (!head_.has_underscores || !http::reads_like_another(head_.fields, f.name))) parcel->fields.add(f.id, arena.copy(f.name), arena.copy(f.value));
  parcel->fields.add(arena.copy(copy.mark), arena.copy(copy.value));
  CallRequest& request = parcel->request;
  request.upstream = copy.upstream;
  request.method = arena.copy(head_.method_text);
  request.path = arena.copy(matching_.forwarded);
  request.query = arena.copy(head_.query);
  request.fields = &parcel->fields;
  request.body = arena.copy(body);
  request.drops_answer = true;
  request.deadline = services_.loop.now() + copy.timeout;
  request.parent = request.request_id = arena.copy(record_.request_id);
  request.route = matching_.route->name;
  request.scheme = arena.copy(input_.scheme);
  request.authority = copy.host_suffix.empty() ? arena.copy(head_.authority) : with_suffix(head_.authority, copy.host_suffix, arena);
  if (!copy.host_suffix.empty()) request.host = &as_asked();
  request.client = record_.client;
  request.local = inbound_.local();
  request.trace = trace_of("mirror", observe::Phase::Forward, arena);
  parcel->copies = copy.copies;
  services_.copies->spawn(send(services_, snapshot_, std::move(parcel)));
}

// The request has ended before its own upstream had all of it.
void Exchange::drop_copies() noexcept {
  for (const policy::Copy* copy = std::exchange(input_.copies, nullptr); copy != nullptr; copy = copy->next) copy->copies->count(Copies::Result::Incomplete);
}

}  // namespace gatelab::proxy
