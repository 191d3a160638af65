// SPDX-License-Identifier: Apache-2.0
// Where an exchange stands in a distributed trace (docs/tracing.md).
#include <algorithm>

#include "http/trace_context.h"
#include "proxy/call.h"
#include "proxy/exchange.h"

namespace gatelab::proxy {

// A trace goes on, or begins: its id is then the request's own, which is as random as it has to be. What the client has sent of it
// is said anew to every target.
void Exchange::begin_trace() noexcept {
  const observe::TraceRules& rules = *snapshot_->trace;
  observe::TraceNote& note = record_.trace;
  using Incoming = observe::TraceRules::Incoming;
  const bool believed = rules.incoming == Incoming::Keep || (rules.incoming == Incoming::Trusted && listener_.trusted_proxies.contains(record_.peer.ip));
  const auto found = believed ? http::find_trace_context(head_.fields) : std::nullopt;
  if (found) {
    note.id = found->parent.trace_id;
    note.parent = found->parent.parent_id;
    note.sampled = found->parent.sampled;
    tracestate_ = found->state;
  } else {
    note.id = {request_id_, sizeof request_id_};
    note.sampled = rules.samples(input_.dice);
  }
  head_.fields.remove("traceparent");
  head_.fields.remove("tracestate");
  note.span = observe::own_span(input_.dice);
  note.timed = note.sampled && rules.exports;
  note.scheme = inbound_.scheme();
}

void Exchange::begin_trace(const CallTrace& trace) noexcept {
  observe::TraceNote& note = record_.trace;
  note.id = trace.id;
  note.parent = trace.parent;
  note.sampled = trace.sampled;
  note.timed = trace.sampled && snapshot_->trace != nullptr && snapshot_->trace->exports;
  note.what = trace.what;
  note.span = observe::own_span(input_.dice);
  note.scheme = inbound_.scheme();
  tracestate_ = trace.state;
}

void Exchange::note_match() noexcept {
  observe::TraceNote& note = record_.trace;
  note.scheme = input_.scheme;
  record_.timings.add({observe::Phase::Match, {}, since_begin(), -1});
  if (record_.route_index < 0) return;
  const route::Match& match = snapshot_->table->spec(record_.route_index).match;
  note.route_path = match.path_kind == route::PathKind::Prefix ? arena_.concat(match.path == "/" ? std::string_view() : std::string_view(match.path), "/*") : std::string_view(match.path);
}

// Of one try, in the arena; empty: the request is in no trace.
std::string_view Exchange::traceparent_of(const observe::Attempt& note) const noexcept {
  if (note.span == 0) return {};
  char* text = static_cast<char*>(arena_.allocate(http::kTraceparentOctets, 1));
  http::write_traceparent(record_.trace.id, note.span, record_.trace.sampled, text);
  return {text, http::kTraceparentOctets};
}

// For a call that `what` makes in `phase`. Texts are copied: it may outlive the exchange.
CallTrace Exchange::trace_of(std::string_view what, observe::Phase phase, Arena& arena) const noexcept {
  const observe::TraceNote& note = record_.trace;
  if (note.id.empty()) return {};
  CallTrace out;
  out.id = arena.copy(note.id);
  out.state = arena.copy(tracestate_);
  out.what = what;
  out.parent = note.what.empty() && note.timed ? observe::phase_span(note.span, phase) : note.span;
  out.sampled = note.sampled;
  return out;
}

// Phases that are no policy's.
void Exchange::note_timings() noexcept {
  using observe::Phase;
  const Duration now = record_.total;
  const auto until = [now](Duration next, Duration after) { return next >= Duration{} ? next : after >= Duration{} ? after : now; };
  if (looked_up_ >= Duration{}) record_.timings.add({Phase::CacheLookup, looked_up_, until(forwarded_, answered_), -1});
  if (forwarded_ >= Duration{}) record_.timings.add({Phase::Forward, forwarded_, until(answered_, Duration(-1)), -1});
  if (answered_ >= Duration{}) record_.timings.add({Phase::Respond, answered_, now, -1});
}

}  // namespace gatelab::proxy
