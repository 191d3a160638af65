// SPDX-License-Identifier: Apache-2.0
// The walk of one request up to Forward, for people: the same matching and the same policies as an exchange's.
#include "gateway/gateway.h"
#include "gateway/worker.h"
#include "proxy/exchange.h"

namespace gatelab::gateway {
namespace {


route::Request to_route_request(const http::RequestHead& head, const proxy::Matching& matching) {
  route::Request request;
  request.host = head.host;
  request.path = matching.path;
  request.query = head.query;
  request.method = matching.method;
  request.fields = &head.fields;
  return request;
}

void end(observe::Record& record, const proxy::Refusal& refusal, Explanation& out) {
  record.ended = {refusal.by, refusal.id, refusal.word, refusal.phase};
  out.status = refusal.status;
}

struct Ask {
  const http::RequestHead& head;
  const proxy::Matching& matching;
  const proxy::ListenerSettings& listener;
  proxy::Way way;
};

void forward(const upstream::Config& upstream, const Ask& ask, Explanation& out) {
  const std::string authority = upstream.targets.empty() ? "" : upstream.targets.front().url.authority;
  const proxy::Told told = proxy::tell(ask.head, ask.matching, upstream, authority, ask.listener, ask.way);
  out.upstream = upstream.name;
  if (!authority.empty()) out.target = upstream.targets.front().url.scheme + "://" + authority;
  out.forwarded_path = std::string(told.path) + (ask.head.has_query ? "?" + std::string(ask.head.query) : "");
  out.forwarded_host = told.host;
}

}  // namespace

Result<Explanation> Gateway::explain(const Model& model, std::string_view raw_head, const Address& client, Instant policy_now) const {
  Arena arena;
  http::RequestHead head(arena);
  const ListenerConfig fallback;
  const ListenerConfig& listener = model.listeners.empty() ? fallback : model.listeners.front();
  http::RequestParser parser(head, listener.limits);
  Explanation out;
  observe::Record record(arena);
  record.began = policy_now;
  record.client = client;
  record.listener = listener.name;
  const http::ParseState state = parser.parse(arena.copy(raw_head));
  if (state == http::ParseState::NeedMore) return fail("incomplete-request", "the request's head does not end with an empty line");
  record.method = head.method_text;
  record.target = head.target;
  record.host = head.host;
  record.version = head.version == http::Version::Http11 ? "1.1" : "1.0";
  if (state == http::ParseState::Failed) {
    end(record, proxy::refusal_of(parser.rule()), out);
    out.record.assign(record);
    return out;
  }
  const auto settings = to_settings(listener);
  const http::Origin origin = http::find_origin(head.fields, client, listener.trusted_proxies, listener.forwarded_style);
  record.peer = client;
  record.client = origin.client;
  record.proxied = !origin.hops.empty();
  proxy::Snapshot snapshot;
  fill_routes(snapshot, model);
  const proxy::Matching matching = proxy::match_request(head, listener.path, listener.hop, snapshot, arena);
  record.route = matching.route->name;
  out.canonical_path = matching.path;
  if (matching.refusal.word.empty() || matching.refusal.phase == observe::Phase::Match)
    out.rejected = model.table->explain(to_route_request(head, matching), matching.route_index);
  if (matching.refusal.phase == observe::Phase::Parse && !matching.refusal.word.empty()) {
    end(record, matching.refusal, out);
    out.record.assign(record);
    return out;
  }
  policy::Scratch scratch;
  policy::Input input{head, matching.path, origin.client, matching.route->name, nullptr, {}, policy_now, arena, scratch, true};
  input.parameters = matching.parameters;
  if (!origin.scheme.empty()) input.scheme = origin.scheme;
  proxy::Walk walk(matching.route->policies, input, scratch, record);
  // Nothing is asked for an explanation: policies say what they would wait for. What is only computed is.
  proxy::Walk::End stopped = walk.run();
  while (stopped == proxy::Walk::End::Effect) {
    auto* job = std::get_if<policy::ComputeJob>(walk.effect());
    if (job != nullptr) std::exchange(job->job, nullptr)();
    input.effect_done = job != nullptr;
    stopped = walk.run();
  }
  record.consumer = input.consumer != nullptr ? std::string_view(input.consumer->name) : input.principal;
  if (stopped == proxy::Walk::End::Through) {
    walk.take_back();
    if (!matching.refusal.word.empty()) end(record, matching.refusal, out);
    else if (matching.route->upstream >= 0) forward(model.upstreams[static_cast<std::size_t>(matching.route->upstream)], {head, matching, *settings, {origin, client, "http", {}, listener.endpoint.address.port}}, out);
  } else {
    const policy::Policy& by = walk.stopped_by();
    record.ended = {by.kind(), by.id, walk.reason(), by.phase()};
    if (stopped == proxy::Walk::End::Answer) out.status = walk.answer()->status;
  }
  record.status = out.status;
  out.record.assign(record);
  walk.on_end(record);
  return out;
}

}  // namespace gatelab::gateway
