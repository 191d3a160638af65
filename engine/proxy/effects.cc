// SPDX-License-Identifier: Apache-2.0
// What policies ask for besides a decision: calls, resources, places in queues, work off the loop, time.
#include <algorithm>

#include "proxy/call.h"
#include "proxy/exchange.h"
#include "proxy/waking.h"

namespace gatelab::proxy {

// True if the effect was carried out.
io::Task<bool> Exchange::perform(policy::Effect* effect) {
  io::Wait wait;
  wait.cancel = &upstream_token_;
  wait.what = "policy";
  if (const auto* until = std::get_if<policy::Until>(effect)) {
    const Clock& clock = services_.loop.clock();
    wait.deadline = clock.io_now() + (until->when - clock.policy_now());
    auto waiting = until_called(std::make_shared<Waking>(), wait, until->abort_on_half_close);
    co_await waiting;
    co_return !upstream_token_.cancelled();
  }
  if (const auto* call = std::get_if<policy::Call>(effect)) co_return co_await perform_call(*call);
  if (const auto* calls = std::get_if<policy::Calls>(effect)) co_return co_await perform_calls(*calls);
  if (const auto* fetch = std::get_if<policy::Fetch>(effect)) co_return co_await perform_fetch(*fetch);
  if (const auto* acquire = std::get_if<policy::Acquire>(effect)) co_return co_await perform_acquire(*acquire);
  if (const auto* read = std::get_if<policy::ReadBody>(effect)) co_return co_await perform_read(read->at_most);
  std::function<void()> job = std::move(std::get<policy::ComputeJob>(*effect).job);
  auto computing = services_.compute.run(services_.loop, std::move(job), wait);
  const io::Code code = co_await computing;
  co_return code == io::Code::Ok;
}

CallRequest Exchange::request_of(const policy::Call& call) const noexcept {
  CallRequest request;
  request.upstream = call.upstream;
  request.method = call.method;
  request.path = call.path;
  request.query = call.query;
  request.fields = call.fields;
  request.body = call.body;
  request.max_octets = call.max_octets;
  request.deadline = services_.loop.now() + call.timeout;
  request.parent = request.request_id = record_.request_id;
  request.route = matching_.route->name;
  request.scheme = input_.scheme;
  request.authority = head_.authority;
  request.asked_method = call.asked_method;
  request.asked_uri = call.asked_uri;
  request.client = record_.client;
  request.local = inbound_.local();
  request.cache = call.cache;
  request.trace = trace_of(call.name.empty() ? walk_->stopped_by().kind() : arena_.concat("part ", call.name), walk_->stopped_by().phase(), arena_);
  return request;
}

io::Task<bool> Exchange::perform_call(const policy::Call& call) {
  const CallRequest request = request_of(call);
  auto calling = proxy::call(services_, snapshot_, request, upstream_token_, *call.answer, arena_);
  co_await calling;
  co_return call.answer->failure.empty();
}

struct Exchange::Parts {
  policy::CallGroup& group;
  Instant deadline;
  io::Scope running;
  io::CancelToken given_up;
};

// Each call for itself, and those behind it when it has ended. Who has gone needs none of them.
io::Task<bool> Exchange::perform_calls(const policy::Calls& calls) {
  Parts parts{*calls.group, services_.loop.now() + calls.timeout, io::Scope(services_.loop), {}};
  io::Scope beside(services_.loop);
  if (head_.body.kind == http::Framing::None) beside.spawn(watch_waiting(beside, false));
  const Instant began = services_.loop.now();
  begin_parts(parts, parts.group.after(nullptr));
  io::Wait wait;
  wait.cancel = &upstream_token_;
  wait.deadline = parts.deadline;
  wait.what = "the parts of an answer";
  auto first = parts.running.join(wait);
  const io::Code code = co_await first;
  parts.given_up.cancel();
  // The gateway closes: nothing goes on for anybody.
  if (upstream_token_.cancelled() && aborted_.word.empty()) parts.running.cancel();
  beside.cancel();
  wait.cancel = nullptr;
  wait.deadline = Instant::max();
  auto rest = parts.running.join(wait);
  co_await rest;
  auto watch = beside.join(wait);
  co_await watch;
  record_.upstream += services_.loop.now() - began;
  co_return code == io::Code::Ok;
}

void Exchange::begin_parts(Parts& parts, const policy::Call* first) noexcept {
  if (parts.group.is_over()) return parts.given_up.cancel();
  for (const policy::Call* call = first; call != nullptr; call = call->next) parts.running.spawn(run_part(parts, *call));
}

io::Task<void> Exchange::run_part(Parts& parts, const policy::Call& call) {
  CallRequest request = request_of(call);
  request.deadline = std::min(request.deadline, parts.deadline);
  observe::PartNote note;
  note.name = call.name;
  note.upstream = snapshot_->upstreams[static_cast<std::size_t>(call.upstream)]->name();
  note.started = services_.loop.now() - io_began_;
  request.note = &note;
  request.given_up = &parts.given_up;
  {
    auto calling = proxy::call(services_, snapshot_, request, parts.running.token(), *call.answer, arena_);
    co_await calling;
  }
  note.reason = call.answer->failure.empty() ? observe::reason::kCompleted.word : call.answer->failure;
  if (parts.given_up.cancelled() && !call.answer->failure.empty()) note.reason = services_.loop.now() >= parts.deadline ? observe::reason::kTotalTimeout.word : observe::reason::kGivenUp.word;
  record_.parts.add(note);
  if (!parts.running.token().cancelled() && !parts.given_up.cancelled()) begin_parts(parts, parts.group.after(&call));
}

io::Task<bool> Exchange::perform_fetch(const policy::Fetch& fetch) {
  begin_fetch(services_, snapshot_, fetch);
  if (!fetch.wait) co_return true;
  auto waking = std::make_shared<Waking>();
  fetch.resource->when_ended(call_of(waking, services_.loop));
  io::Wait wait;
  wait.cancel = &upstream_token_;
  wait.what = "a key set";
  auto waiting = until_woken(waking, services_.loop, wait);
  co_return co_await waiting;
}

io::Task<bool> Exchange::perform_acquire(const policy::Acquire& acquire) {
  auto waking = std::make_shared<Waking>();
  acquire.gate->when_called(*acquire.place, call_of(waking, services_.loop));
  io::Wait wait;
  wait.cancel = &upstream_token_;
  wait.deadline = services_.loop.now() + acquire.at_most;
  wait.what = "a place in the queue";
  auto waiting = until_called(waking, wait, acquire.abort_on_half_close);
  co_return co_await waiting;
}

// True if it was called. Who has gone waits for nothing: behind a body that nobody reads yet that can't be seen.
io::Task<bool> Exchange::until_called(std::shared_ptr<Waking> waking, io::Wait wait, bool half_close_is_gone) {
  io::Scope beside(services_.loop);
  if (head_.body.kind == http::Framing::None) beside.spawn(watch_waiting(beside, half_close_is_gone));
  auto waiting = until_woken(waking, services_.loop, wait);
  const bool called = co_await waiting;
  beside.cancel();
  io::Wait end;
  end.what = "end of the watch on a client";
  auto joining = beside.join(end);
  co_await joining;
  co_return called;
}

io::Task<void> Exchange::watch_waiting(io::Scope& beside, bool half_close_is_gone) {
  io::Wait wait;
  wait.cancel = &beside.token();
  wait.what = "client that has gone";
  wait.background = true;
  const io::Code code = co_await inbound_.gone(wait);
  if (code == io::Code::Reset || (code == io::Code::Eof && half_close_is_gone)) abort(refusal_of(observe::reason::kClientGone));
}

}  // namespace gatelab::proxy
