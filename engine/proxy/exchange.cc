// SPDX-License-Identifier: Apache-2.0
#include "proxy/exchange.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "http/chars.h"
#include "http/cors.h"
#include "proxy/caching.h"
#include "proxy/call.h"
#include "proxy/filtered.h"
#include "proxy/handshake.h"

namespace gatelab::proxy {
namespace {

constexpr std::string_view kOurMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

// A logged target must not carry credentials: their values in the query become "redacted".
std::string_view redact(std::string_view target, std::span<const std::string_view> secrets, Arena& arena) noexcept {
  const std::size_t mark = target.find('?');
  if (secrets.empty() || mark == std::string_view::npos) return target;
  std::string_view out = target.substr(0, mark + 1), rest = target.substr(mark + 1), name, value;
  bool first = true;
  while (http::next_query_pair(rest, name, value)) {
    const std::string_view plain = http::decode_query(name, arena);
    bool secret = false;
    for (const std::string_view s : secrets) secret = secret || s == plain || s == "*";
    const std::string_view shown = secret ? std::string_view("redacted") : value;
    out = arena.concat(out, first ? "" : "&", name, value.empty() ? "" : "=", value.empty() ? value : shown);
    first = false;
  }
  return out;
}

// 16 digits, all at once: each half of the dice is spread to one octet a digit, and 0 to 15 become '0' to '9', 'a' to 'f'.
void write_hex(std::uint64_t dice, char* out) noexcept {
  constexpr std::uint64_t kNibbles = 0x0f0f0f0f0f0f0f0f, kOnes = 0x0101010101010101;
  for (int half = 0; half < 2; ++half, dice >>= 32, out += 8) {
    std::uint64_t x = dice & 0xffffffff;
    x = (x | x << 16) & 0x0000ffff0000ffff;
    x = (x | x << 8) & 0x00ff00ff00ff00ff;
    x = (x | x << 4) & kNibbles;
    const std::uint64_t letters = ((x + kOnes * 6) >> 4) & kOnes;  // 10 and above
    const std::uint64_t text = x + kOnes * '0' + letters * ('a' - '0' - 10);
    std::memcpy(out, &text, 8);
  }
}

bool answers_preflights(const Route& route) noexcept {
  return std::any_of(route.policies.begin(), route.policies.end(), [](const policy::Policy* p) { return p->answers_preflight(); });
}

// A preflight is about the request that it asks for, so that request's route decides, whatever route takes OPTIONS only as it
// takes everything. A route that lists OPTIONS has its preflights itself. Nothing is forwarded: should no policy answer after
// all, it is a method that the route does not take. True if `result` is complete.
bool match_preflight(Matching& result, const http::RequestHead& head, route::Request request, std::int32_t itself, const Snapshot& snapshot, Arena& arena) noexcept {
  request.method = http::preflight_method(head);
  if (request.method.empty()) return false;
  const auto methods_of = [&snapshot](std::int32_t route) -> const std::vector<std::string>& { return snapshot.table->spec(route).match.methods; };
  if (itself >= 0 && !methods_of(itself).empty()) return false;
  const route::Matched there = snapshot.table->match(request, arena);
  if (there.route < 0 || there.route == itself) return false;
  const Route& route = snapshot.routes[static_cast<std::size_t>(there.route)];
  const Route& otherwise = itself < 0 ? snapshot.no_route : snapshot.routes[static_cast<std::size_t>(itself)];
  if (!answers_preflights(route) && !answers_preflights(otherwise)) return false;
  result.route_index = there.route;
  result.route = &route;
  result.parameters = there.parameters;
  result.method = request.method;
  result.refusal = refusal_of(observe::reason::kMethodNotAllowed);
  result.refusal.phase = observe::Phase::Match;
  for (const std::string& m : methods_of(there.route)) result.refusal.allow = result.refusal.allow.empty() ? std::string_view(m) : arena.concat(result.refusal.allow, ", ", m);
  return true;
}

// Short, and nothing that a log, a URL or a shell would trip over.
bool is_request_id(std::string_view text) noexcept {
  if (text.empty() || text.size() > 128) return false;
  for (const char c : text)
    if (!http::is(c, http::kUnreserved) && c != ':' && c != '=' && c != '+' && c != '/' && c != '@') return false;
  return true;
}

}  // namespace

Refusal refusal_of(http::Rule rule) noexcept {
  const http::RuleInfo& info = http::info(rule);
  Refusal refusal;
  refusal.status = info.status;
  refusal.word = info.word;
  refusal.title = info.title;
  refusal.detail = info.section;
  return refusal;
}

Refusal refusal_of(const observe::Reason& reason) noexcept {
  Refusal refusal;
  refusal.status = reason.status;
  refusal.word = reason.word;
  refusal.title = reason.title;
  if (&reason == &observe::reason::kClientGone || reason.word == observe::reason::kClientGone.word) refusal.by = "client";
  return refusal;
}

Matching match_request(http::RequestHead& head, const http::PathOptions& options, const http::HopOptions& hop, const Snapshot& snapshot, Arena& arena) noexcept {
  Matching result;
  result.route = &snapshot.no_route;
  result.path = result.forwarded = head.path;
  result.method = head.method_text;
  if (const http::Rule rule = http::end_hop(head, hop); rule != http::Rule::Ok) {
    // Behind a CONNECT may come what was meant for the tunnel.
    if (rule == http::Rule::ConnectNotSupported) head.keep_alive = false;
    result.refusal = refusal_of(rule);
    return result;
  }
  if (http::is_for_gateway(head)) {
    result.refusal = refusal_of(observe::reason::kServerOptions);
    result.refusal.phase = observe::Phase::Match;
    result.refusal.allow = kOurMethods;
    return result;
  }
  const http::CanonicalPath canonical = http::canonical_path(head.path, options, arena);
  if (canonical.rule != http::Rule::Ok) {
    result.refusal = refusal_of(canonical.rule);
    return result;
  }
  result.path = result.forwarded = canonical.path;
  route::Request request;
  request.host = head.host;
  request.path = result.path;
  request.query = head.query;
  request.method = head.method_text;
  request.fields = &head.fields;
  const route::Matched matched = snapshot.table->match(request, arena);
  if (match_preflight(result, head, request, matched.route, snapshot, arena)) return result;
  if (matched.route >= 0) {
    result.route_index = matched.route;
    result.route = &snapshot.routes[static_cast<std::size_t>(matched.route)];
    result.parameters = matched.parameters;
    result.forwarded = rewrite_path(result.path, result.route->rewrite, arena);
    if (result.route->rewrite.on && result.forwarded != result.path) result.prefix = result.route->rewrite.from;
    if (options.forward_path == http::ForwardPath::Canonical || head.path == result.path) return result;
    // A signature covers the path as it was sent; the target must not read another route's path in it.
    request.path = result.forwarded = head.path;
    if (snapshot.table->match(request, arena).route != matched.route) result.refusal = refusal_of(observe::reason::kAmbiguousPath);
    return result;
  }
  result.refusal = refusal_of(matched.allow.empty() ? observe::reason::kNoRoute : observe::reason::kMethodNotAllowed);
  result.refusal.phase = observe::Phase::Match;
  result.refusal.allow = matched.allow;
  return result;
}

Told tell(const http::RequestHead& head, const Matching& matching, const upstream::Config& config, std::string_view target_authority,
          const ListenerSettings& listener, const Way& way) noexcept {
  Told told;
  told.path = matching.forwarded;
  told.host = choose_host(matching.route->host != nullptr ? *matching.route->host : config.host, head.authority, target_authority);
  const http::Origin& origin = way.origin;
  told.authority = !origin.authority.empty() ? origin.authority : head.authority.empty() ? target_authority : head.authority;
  told.peer_scheme = way.peer_scheme;
  told.scheme = origin.scheme.empty() ? way.peer_scheme : origin.scheme;
  told.request_id = way.request_id;
  told.request_id_name = listener.request_id_name;
  told.prefix = matching.prefix;
  told.origin = &origin;
  told.peer = way.peer;
  told.port = origin.port;
  if (told.port == 0 && !origin.authority.empty())
    if (const auto said = http::parse_authority(origin.authority)) told.port = said->port.value_or(0);
  // A proxy that says the scheme and no port was asked at the scheme's own.
  if (told.port == 0 && !origin.scheme.empty()) told.port = origin.scheme == "https" ? 443 : 80;
  if (told.port == 0) told.port = way.port;
  told.forwarded = config.forwarded;
  told.via = way.via;
  told.timeout_name = config.timeouts.header;
  told.timeout = config.timeouts.total;
  return told;
}

Exchange::Exchange(Services& services, const ListenerSettings& listener, Inbound& inbound, Pin snapshot, Dice& ids) noexcept
    : services_(services), listener_(listener), inbound_(inbound), snapshot_(std::move(snapshot)), arena_(inbound.arena()),
      head_(inbound.head()), record_(arena_),
      input_{head_, {}, inbound.client(), {}, nullptr, {}, {}, arena_, scratch_, snapshot_->detailed},
      io_began_(inbound.began()) {
  inbound_.on_cut(&upstream_token_);
  begin(ids);
}

void Exchange::begin(Dice& ids) noexcept {
  input_.dice = ids.next();
  write_hex(input_.dice, request_id_);
  write_hex(ids.next(), request_id_ + 16);
  origin_.client = inbound_.client();
  const Clock& clock = services_.loop.clock();
  input_.now = clock.policy_now();
  input_.scheme = inbound_.scheme();
  record_.request_id = {request_id_, sizeof request_id_};
  record_.began = input_.now + (io_began_ - clock.io_now());
  record_.client = record_.peer = inbound_.client();
  record_.connection = inbound_.connection();
  record_.listener = listener_.name;
  record_.method = head_.method_text;
  record_.host = head_.host;
  record_.target = head_.target;
  record_.version = head_.version == http::Version::Http11 ? "1.1" : "1.0";
  record_.route = snapshot_->no_route.name;
  input_.tls = inbound_.tls();
  record_.tls = note_of(input_.tls);
  if (const http::Field* f = head_.fields.find(http::FieldId::UserAgent)) record_.user_agent = f->value;
  if (const http::Field* f = head_.fields.find(http::FieldId::Referer)) record_.referer = f->value;
}

// The usual course of an exchange makes few coroutines: what needs no waiting is a plain call.
io::Task<void> Exchange::run(const Refusal* refusal) {
  if (snapshot_->trace != nullptr) begin_trace();
  if (refusal != nullptr) hide_secrets(snapshot_->secret_query);
  const Refusal early = refusal != nullptr ? *refusal : before_policies();
  if (!early.word.empty()) {
    co_await refuse(early);
    co_return finish();
  }
  walk_.emplace(matching_.route->policies, input_, scratch_, record_);
  if (record_.trace.timed) walk_->keep_times(services_.loop.clock(), io_began_);
  Walk::End end = walk_->run();
  while (end == Walk::End::Effect) {
    input_.effect_done = co_await perform(walk_->effect());
    input_.now = services_.loop.clock().policy_now();
    if (upstream_token_.cancelled()) {
      Refusal why = aborted_.word.empty() ? refusal_of(observe::reason::kShutdown) : aborted_;
      why.phase = walk_->stopped_by().phase();
      note_consumer();
      co_await refuse(why);
      co_return finish();
    }
    end = walk_->run();
  }
  note_consumer();
  if (end == Walk::End::Through) {
    matching_.forwarded = input_.forwarded;
    if (matching_.route->caches) record_.cache = "bypass";
    const Refusal late = before_forward();
    if (input_.cache != nullptr) mark(looked_up_);
    if (late.word.empty() && input_.cache != nullptr && begin_caching()) {
      auto caching = through_cache();
      co_await caching;
    } else if (late.word.empty()) {
      set_deadline(*snapshot_->upstreams[static_cast<std::size_t>(record_.upstream_index)], Instant::max());
      upstream::Upstream& upstream = begin_forward();
      if (has_target(upstream)) {
        const Try first = co_await attempt(upstream);
        if (first == Try::Again) co_await try_again(upstream);
      } else {
        co_await without_target(upstream);
      }
    } else {
      co_await refuse(late);
    }
    co_return finish();
  }
  const policy::Policy& by = walk_->stopped_by();
  this->end(by.kind(), by.id, walk_->reason(), by.phase());
  if (end == Walk::End::Abort) inbound_.reset();
  else co_await answer(*walk_->answer());
  finish();
}

io::Task<void> Exchange::call(const Route& route, const CallRequest& request) {
  record_.parent = request.parent;
  if (!request.request_id.empty()) record_.request_id = request.request_id;
  if (!request.trace.id.empty()) begin_trace(request.trace);
  hide_secrets(snapshot_->secret_query);
  asked_method_ = request.asked_method;
  asked_uri_ = request.asked_uri;
  matching_.route = &route;
  matching_.path = matching_.forwarded = input_.path = head_.path;
  record_.route = route.name;
  const Refusal late = before_forward();
  if (late.word.empty()) {
    set_deadline(*snapshot_->upstreams[static_cast<std::size_t>(record_.upstream_index)], request.deadline);
    if (request.refreshing != nullptr) begin_refreshing(*request.refreshing);
    input_.cache = request.cache;
    auto going = request.cache != nullptr && begin_caching() ? through_cache() : forward();
    co_await going;
    if (caching_ != nullptr) record_.cache = caching_->word;
  } else {
    co_await refuse(late);
  }
  record_.total = since_begin();
  services_.sink.called(record_);
}

// Up to the policies; word empty: they have their turn. A request for a path that no route has is theirs too.
Refusal Exchange::before_policies() noexcept {
  find_client();
  match();
  if (inbound_.misdirected()) {
    Refusal misdirected = refusal_of(observe::reason::kMisdirected);
    misdirected.phase = observe::Phase::Match;
    return misdirected;
  }
  return matching_.refusal.phase == observe::Phase::Parse && !matching_.refusal.word.empty() ? matching_.refusal : check_size();
}

// Behind trusted proxies the client, its scheme and the request's id are what they say.
void Exchange::find_client() noexcept {
  if (listener_.trusted_proxies.empty()) return;
  const Address& peer = record_.peer;
  origin_ = http::find_origin(head_.fields, peer, listener_.trusted_proxies, listener_.forwarded_style);
  record_.client = input_.client = origin_.client;
  record_.proxied = !origin_.hops.empty();
  if (!origin_.scheme.empty()) input_.scheme = origin_.scheme;
  if (!listener_.request_id_from_trusted || !listener_.trusted_proxies.contains(peer.ip)) return;
  const http::Field* id = head_.fields.find(listener_.request_id_name);
  if (id != nullptr && is_request_id(id->value)) record_.request_id = id->value;
}

void Exchange::match() noexcept {
  matching_ = match_request(head_, listener_.path, listener_.hop, *snapshot_, arena_);
  input_.path = matching_.path;
  input_.forwarded = matching_.forwarded;
  input_.path_options = &listener_.path;
  input_.route = matching_.route->name;
  input_.parameters = matching_.parameters;
  record_.route = matching_.route->name;
  record_.route_index = matching_.route_index;
  // Who has met no route may have meant any.
  hide_secrets(matching_.route_index < 0 ? snapshot_->secret_query : matching_.route->secret_query);
  if (record_.trace.timed) note_match();
}

// Browsers name the page that they come from, whose address may be one of ours.
void Exchange::hide_secrets(std::span<const std::string_view> secrets) noexcept {
  record_.target = redact(head_.target, secrets, arena_);
  if (!secrets.empty()) record_.referer = redact(record_.referer, secrets, arena_);
}

void Exchange::note_consumer() noexcept {
  record_.consumer = input_.principal;
  if (input_.consumer == nullptr) return;
  record_.consumer = input_.consumer->name;
  record_.consumer_index = input_.consumer->index;
}

Refusal Exchange::check_size() const noexcept {
  if (listener_.max_body == 0 || head_.body.kind != http::Framing::Length || head_.body.length <= listener_.max_body) return {};
  Refusal refusal = refusal_of(observe::reason::kBodyTooLarge);
  refusal.phase = observe::Phase::Access;
  return refusal;
}

void Exchange::end(std::string_view by, std::string_view id, std::string_view reason, observe::Phase phase) noexcept {
  record_.ended.by = by;
  record_.ended.id = id;
  record_.ended.reason = reason;
  record_.ended.phase = phase;
}

void Exchange::finish() noexcept {
  record_.total = services_.loop.now() - io_began_;
  record_.request_octets = inbound_.body_octets();
  if (answer_filtering_) record_.response_octets = answer_filtering_->octets;
  if (record_.ended.by.empty()) end("gateway", {}, observe::reason::kInternal.word, observe::Phase::Respond);
  if (input_.copies != nullptr) drop_copies();
  record_.variant = input_.variant;
  record_.injected = input_.injected;
  if (caching_ != nullptr) record_.cache = caching_->word;
  if (record_.trace.timed) note_timings();
  if (walk_) walk_->on_end(record_);
  services_.sink.finished(record_);
}

}  // namespace gatelab::proxy
