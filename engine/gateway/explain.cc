// SPDX-License-Identifier: Apache-2.0
// The walk of one request up to Forward, for people: the same matching and the same policies as an exchange's.
#include <algorithm>

#include "gateway/gateway.h"
#include "gateway/worker.h"
#include "http/forwarded.h"
#include "http/hop.h"
#include "proxy/exchange.h"

namespace gatelab::gateway {
namespace {

using Underscores = std::vector<std::pair<std::string, std::string_view>>;

bool has_underscore(const http::Field& f) { return f.name.find('_') != std::string_view::npos; }

Underscores with_underscores(const http::Fields& fields) {
  Underscores out;
  for (const http::Field& f : fields)
    if (has_underscore(f)) out.emplace_back(f.name, "dropped");
  return out;
}

// `head` is what matching has left of it.
void judge(Underscores& sent, const http::RequestHead& head, const proxy::Refusal& refusal) {
  const bool refused = refusal.word == http::info(http::Rule::UnderscoreField).word;
  for (auto& [name, fate] : sent) {
    if (refused) fate = "refused";
    for (const http::Field& f : head.fields) {
      if (refused || f.name != name) continue;
      fate = http::is_forwarding_field(name) || http::reads_like_another(head.fields, name) ? "seen by policies, not forwarded: it reads like another field" : "kept";
    }
  }
}

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

// What the route has otherwise than its upstream.
void waits(const proxy::Route& route, std::int32_t upstream, const upstream::Timeouts& given, Explanation& out) {
  for (const auto& [index, own] : route.timeouts) {
    if (index != upstream) continue;
    const auto tell = [&out](const char* name, Duration here, Duration there) {
      if (here != there) out.timeouts.emplace_back(name, format(here));
    };
    tell("response", own.response, given.response);
    tell("idle", own.idle, given.idle);
    tell("total", own.total, given.total);
    tell("stream.idle", own.stream.idle, given.stream.idle);
    tell("stream.total", own.stream.total, given.stream.total);
    tell("tunnel.idle", own.tunnel.idle, given.tunnel.idle);
    tell("tunnel.total", own.tunnel.total, given.tunnel.total);
  }
}

void forward(const upstream::Config& upstream, const Ask& ask, Explanation& out) {
  const std::string authority = upstream.targets.empty() ? "" : upstream.targets.front().url.authority;
  const proxy::Told told = proxy::tell(ask.head, ask.matching, upstream, authority, ask.listener, ask.way);
  out.upstream = upstream.name;
  const bool several = upstream.targets.size() > 1;
  if (several) out.balance = balance::name(upstream.balance.algorithm);
  for (const upstream::TargetConfig& target : upstream.targets) {
    if (several) out.targets.push_back({target.name, upstream::place_of(target), target.weight, target.tier});
    else out.target = upstream::place_of(target);
  }
  out.forwarded_path = std::string(told.path) + (ask.head.has_query ? "?" + std::string(ask.head.query) : "");
  out.forwarded_host = told.host;
}

std::string no_consumer(const Model& model, std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& consumer : model.consumers.all) names.push_back(consumer->name);
  const std::string_view near = diag::nearest(name, names);
  return "there is no consumer `" + std::string(name) + "`" + (near.empty() ? "" : ": did you mean `" + std::string(near) + "`?");
}

// In an authenticator's place where --as says who it is: nobody is asked for a credential, and groups still count.
class TakenAtWord final : public policy::Policy {
 public:
  TakenAtWord(const policy::Policy& of, const policy::Consumer& who) noexcept : of_(of), who_(who) {
    id = of.id;
    place = of.place;
    span = of.span;
    mode = of.mode;
    condition = of.condition;
  }
  std::string_view kind() const noexcept override { return of_.kind(); }
  policy::Phase phase() const noexcept override { return of_.phase(); }
  policy::Step step(policy::Input& in) const noexcept override {
    in.consumer = &who_;
    in.principal_by = "--as";
    if (!of_.admits(who_)) return policy::deny(in, observe::reason::kNotInGroup, in.arena.concat("consumer ", who_.name, " is in none of its groups"));
    return policy::Step::skip("not asked: --as; of what else it asks for nothing is known");
  }

 private:
  const policy::Policy& of_;
  const policy::Consumer& who_;
};

// Keeps what it makes in `made`.
void take_at_word(std::vector<const policy::Policy*>& policies, const policy::Consumer& who, std::vector<std::unique_ptr<policy::Policy>>& made) {
  for (const policy::Policy*& p : policies)
    if (p->authenticates()) p = made.emplace_back(std::make_unique<TakenAtWord>(*p, who)).get();
}

}  // namespace

Result<Explanation> Gateway::explain(const Model& model, std::string_view raw_head, const Address& client, Instant policy_now, std::string_view listener_name, std::string_view as) const {
  Arena arena;
  http::RequestHead head(arena);
  const ListenerConfig fallback;
  const auto named = std::find_if(model.listeners.begin(), model.listeners.end(), [&](const ListenerConfig& l) { return listener_name.empty() || l.name == listener_name; });
  if (named == model.listeners.end() && !listener_name.empty()) {
    std::string names;
    for (const ListenerConfig& l : model.listeners) names += (names.empty() ? "" : ", ") + l.name;
    return fail("unknown-listener", "there is no listener `" + std::string(listener_name) + "`; there are: " + names);
  }
  const ListenerConfig& listener = named == model.listeners.end() ? fallback : *named;
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
  out.underscores = with_underscores(head.fields);
  proxy::Matching matching = proxy::match_request(head, listener.path, listener.hop, snapshot, arena);
  judge(out.underscores, head, matching.refusal);
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
  input.forwarded = matching.forwarded;
  input.path_options = &listener.path;
  input.is_explained = true;
  if (listener.tls_node != nullptr) input.scheme = "https";
  if (!origin.scheme.empty()) input.scheme = origin.scheme;
  std::vector<const policy::Policy*> policies(matching.route->policies.begin(), matching.route->policies.end());
  std::vector<std::unique_ptr<policy::Policy>> taken;
  if (!as.empty()) {
    const policy::Consumer* who = model.consumers.find(as);
    if (who == nullptr) return fail("unknown-consumer", no_consumer(model, as));
    take_at_word(policies, *who, taken);
    // Where nobody asks it is the consumer all the same.
    if (taken.empty()) input.consumer = who, input.principal_by = "--as";
  }
  proxy::Walk walk(policies, input, scratch, record);
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
    matching.forwarded = input.forwarded;
    const proxy::Refusal upgrade = proxy::upgrade_refusal(head, *matching.route);
    const std::int32_t upstream = input.upstream >= 0 ? input.upstream : matching.route->upstream;
    if (!matching.refusal.word.empty()) end(record, matching.refusal, out);
    else if (upstream >= 0 && !upgrade.word.empty()) end(record, upgrade, out);
    else if (upstream >= 0) {
      waits(*matching.route, upstream, model.upstreams[static_cast<std::size_t>(upstream)].timeouts, out);
      forward(model.upstreams[static_cast<std::size_t>(upstream)], {head, matching, *settings, {origin, client, listener.tls_node == nullptr ? "http" : "https", {}, listener.endpoint.address.port}}, out);
    }
  } else {
    const policy::Policy& by = walk.stopped_by();
    record.ended = {by.kind(), by.id, walk.reason(), by.phase()};
    if (stopped == proxy::Walk::End::Answer) out.status = walk.answer()->status;
  }
  record.status = out.status;
  record.variant = input.variant;
  out.record.assign(record);
  walk.on_end(record);
  return out;
}

}  // namespace gatelab::gateway
