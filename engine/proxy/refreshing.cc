// SPDX-License-Identifier: Apache-2.0
#include "proxy/refreshing.h"

#include <utility>

#include "proxy/caching.h"

namespace gatelab::proxy {
namespace {

io::Task<void> ask_anew(Services& services, Pin snapshot, std::unique_ptr<Refreshing> what) {
  {
    policy::CallAnswer answer(*what->arena);
    auto calling = call(services, snapshot, what->request, services.background->token(), answer, *what->arena);
    co_await calling;
  }
  std::unique_ptr<Arena> arena = std::move(what->arena);
  what.reset();
  services.give_arena(std::move(arena));
}

}  // namespace

void Exchange::refresh(cache::Fill fill) noexcept {
  const Caching& c = *caching_;
  auto what = std::make_unique<Refreshing>(services_.take_arena());
  Arena& arena = *what->arena;
  for (const http::Field& f : c.request) what->fields.add(f.id, arena.copy(f.name), arena.copy(f.value));
  what->use = c.use;
  what->use.consumer = arena.copy(c.use.consumer);
  what->place = {arena.copy(c.place.url), arena.copy(c.place.key)};
  what->hit = *c.hit;
  what->fill = std::move(fill);
  CallRequest& request = what->request;
  request.upstream = record_.upstream_index;
  request.path = arena.copy(matching_.forwarded);
  request.query = arena.copy(head_.query);
  request.fields = &what->fields;
  request.drops_answer = true;
  request.parent = request.request_id = arena.copy(record_.request_id);
  request.route = matching_.route->name;
  request.host = matching_.route->host;
  request.timeouts = matching_.route->timeouts;
  request.scheme = arena.copy(input_.scheme);
  request.authority = arena.copy(head_.authority);
  request.client = record_.client;
  request.local = inbound_.local();
  request.trace = trace_of("cache", observe::Phase::CacheLookup, arena);
  request.refreshing = what.get();
  services_.background->spawn(ask_anew(services_, snapshot_, std::move(what)));
}

void Exchange::begin_refreshing(Refreshing& what) noexcept {
  Caching& c = make_caching(what.use);
  c.place = what.place;
  for (const http::Field& f : head_.fields) c.request.add(f.id, f.name, f.value);
  c.client.method = head_.method;
  c.hit = std::move(what.hit);
  c.fill = std::move(what.fill);
  c.refreshes = true;
  c.word = "refresh";
  c.status.forward = cache::Forward::Stale;
  begin_asking();
}

}  // namespace gatelab::proxy
