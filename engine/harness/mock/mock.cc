// SPDX-License-Identifier: Apache-2.0
#include "harness/mock/mock.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <optional>

#include "base/base64.h"
#include "base/spread.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "http/parser.h"
#include "http/proxy_protocol.h"
#include "http/websocket.h"
#include "io/tls_transport.h"

namespace gatelab::harness {
namespace {

constexpr std::size_t kMaxBody = 16 * 1024 * 1024;
constexpr std::size_t kMostMisses = 100;  // that are kept, of requests which are not remembered

std::string echo_of(const SeenRequest& request) {
  nlohmann::ordered_json out{{"method", request.method}, {"path", request.path}, {"query", request.query}, {"headers", nlohmann::ordered_json::object()}, {"body", request.body}};
  for (const auto& [name, value] : request.headers) out["headers"][name] = value;
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

constexpr std::size_t kMisses = 8;  // stubs that are shown of those that did not answer

std::string name_of(const Stub& stub) {
  const std::string wanted = stub.when.method + (stub.when.method.empty() ? "" : " ") + stub.when.path;
  return wanted.empty() ? "any request" : wanted;
}

// What a 101 to this request says of itself; empty: it asks for no WebSocket.
std::string upgrade_of(const http::RequestHead& head) {
  if (http::websocket::asked(head) != http::websocket::Ask::Valid) return {};
  const crypto::Sha1 digest = crypto::sha1(std::string(http::websocket::key_of(head)) + std::string(http::websocket::kGuid));
  return "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()}) + "\r\n";
}

// A connection may begin with a PROXY header: it is noted and taken off. False: the rest of it has to come.
bool take_proxy_header(std::vector<char>& block, std::size_t& filled, std::string& said) {
  const http::ProxyHeader header = http::parse_proxy_header({block.data(), filled});
  if (header.state == http::ProxyHeader::State::NeedMore) return false;
  if (header.state != http::ProxyHeader::State::Done) return true;
  said = std::string(block.front() == 'P' ? "v1 " : "v2 ") + (header.known ? format(header.source) : "unknown");
  filled -= header.size;
  std::copy_n(block.begin() + static_cast<std::ptrdiff_t>(header.size), filled, block.begin());
  return true;
}

}  // namespace

MockServers::MockServers(io::Network& network, io::Loop& loop, bool remember, Random random) : network_(network), loop_(loop), remember_(remember), random_(random), scope_(loop) {}
MockServers::~MockServers() = default;

void MockServers::add(const std::string& upstream, const std::string& target, std::vector<Stub> stubs, std::shared_ptr<const crypto::TlsContext> tls, const Address& at) {
  auto server = std::make_unique<Server>();
  server->upstream = upstream;
  server->target = target;
  server->stubs = std::move(stubs);
  server->tls = std::move(tls);
  server->at = at;
  servers_.push_back(std::move(server));
}

void MockServers::provide(const std::string& upstream, std::vector<Stub> stubs, std::shared_ptr<const crypto::TlsContext> tls, const Address& at) {
  add(upstream, upstream, std::move(stubs), std::move(tls), at);
  servers_.back()->quiet = true;
}

void MockServers::add_all(const gateway::Model& model, diag::Sink& sink) {
  for (const auto& upstream : model.upstreams)
    if (upstream.mock != nullptr) add(upstream.name, upstream.name, parse_stubs(*upstream.mock, sink, upstream.name));
}

Status MockServers::start() {
  for (const auto& server : servers_) {
    auto listener = network_.listen(loop_, server->at);
    if (!listener) return fail(listener.error().id, "mock of `" + server->upstream + "`: " + listener.error().message);
    server->listener = std::move(*listener);
    addresses_[server->upstream + "/" + server->target] = server->listener->local();
    server->listener->start({&loop_}, [this, s = server.get()](std::uint32_t, io::TransportPtr transport) {
      if (!scope_.token().cancelled()) scope_.spawn(serve(*s, std::move(transport)));
    });
  }
  return success();
}

void MockServers::stop() noexcept {
  for (const auto& server : servers_)
    if (server->listener) server->listener->close();
  scope_.cancel();
}

std::size_t MockServers::seen_count() const {
  const std::lock_guard lock(mutex_);
  return seen_.size();
}
std::vector<SeenRequest> MockServers::seen(std::size_t first) const {
  std::lock_guard lock(mutex_);
  return {seen_.begin() + static_cast<std::ptrdiff_t>(std::min(first, seen_.size())), seen_.end()};
}

std::vector<SeenMessage> MockServers::messages() const {
  std::lock_guard lock(mutex_);
  return messages_;
}

std::size_t MockServers::calls(std::string_view upstream) const {
  std::lock_guard lock(mutex_);
  const auto known = calls_.find(upstream);
  return known == calls_.end() ? 0 : known->second;
}

std::size_t MockServers::unmatched() const {
  std::lock_guard lock(mutex_);
  return unmatched_;
}

std::vector<std::uint32_t> MockServers::used() const {
  std::lock_guard lock(mutex_);
  std::vector<std::uint32_t> out;
  for (const auto& [offset, count] : used_) out.push_back(offset);
  return out;
}

io::Task<void> MockServers::serve(Server& server, io::TransportPtr transport) {
  Connection c;
  if (server.tls) {
    auto secured = std::make_unique<io::TlsTransport>(std::move(transport), server.tls);
    io::Wait wait;
    wait.cancel = &scope_.token();
    wait.what = "mock: TLS handshake";
    wait.background = true;
    auto shaking = secured->handshake(wait);
    const io::Code code = co_await shaking;
    if (code != io::Code::Ok) co_return secured->close();
    transport = std::move(secured);
  }
  c.transport = std::move(transport);
  for (bool again = true; again;) {
    again = co_await read_request(c);
    if (again) again = co_await answer(c, server);
  }
  c.transport->close();
}

// One whole request. False: the connection is over.
io::Task<bool> MockServers::read_request(Connection& c) {
  io::Wait wait;
  wait.cancel = &scope_.token();
  wait.what = "mock: next request";
  wait.background = true;
  Arena arena;
  http::RequestHead head(arena);
  http::RequestParser parser(head, {kBlock - 1, kBlock - 1, 1000});
  http::ParseState state = parser.parse({c.block.data(), c.filled});
  while (state == http::ParseState::NeedMore) {
    const io::Count read = c.transport->try_read({c.block.data() + c.filled, kBlock - c.filled});
    if (read.code == io::Code::WouldBlock) {
      const io::Code code = co_await c.transport->readable(wait);
      if (code != io::Code::Ok) co_return false;
      continue;
    }
    if (read.code != io::Code::Ok) co_return false;
    c.filled += read.octets;
    if (c.fresh && !take_proxy_header(c.block, c.filled, c.proxied)) continue;
    c.fresh = false;
    if (c.filled > 0) state = parser.parse({c.block.data(), c.filled});
  }
  if (state == http::ParseState::Failed) co_return false;
  c.request = {};
  c.request.proxied = c.proxied;
  if (const crypto::TlsFacts* tls = c.transport->tls()) c.request.certificate = tls->peer_subject;
  c.request.method = head.method_text;
  c.request.path = head.path;
  c.request.query = head.query;
  for (const http::Field& f : head.fields) {
    c.request.headers.emplace_back(f.name, f.value);
    if (f.id == http::FieldId::XRequestId) c.request.request_id = f.value;
  }
  c.upgrade = upgrade_of(head);
  c.head_only = head.method == http::Method::Head;
  c.keep = head.keep_alive;
  http::Fields trailers(arena);
  http::BodyDecoder decoder(head.body, &trailers);
  c.used = parser.consumed();
  if (head.expect_continue && c.used == c.filled) {
    io::Task<bool> saying = write(c, "HTTP/1.1 100 Continue\r\n\r\n");
    const bool said = co_await saying;
    if (!said) co_return false;
  }
  for (;;) {
    const auto piece = decoder.next({c.block.data() + c.used, c.filled - c.used});
    c.used += piece.consumed;
    if (piece.state == http::BodyDecoder::State::Done) break;
    if (piece.state == http::BodyDecoder::State::Failed) co_return false;
    if (piece.state == http::BodyDecoder::State::Data) {
      // A body that is too large to remember is read and forgotten, so that uploads can be measured against mocks.
      if (c.request.body.size() + piece.data.size() <= kMaxBody) c.request.body.append(piece.data);
      continue;
    }
    c.used = c.filled = 0;
    const io::Count read = c.transport->try_read({c.block.data(), kBlock});
    if (read.code == io::Code::Ok) {
      c.filled = read.octets;
      continue;
    }
    if (read.code != io::Code::WouldBlock) co_return false;
    const io::Code code = co_await c.transport->readable(wait);
    if (code != io::Code::Ok) co_return false;
  }
  std::copy(c.block.begin() + static_cast<std::ptrdiff_t>(c.used), c.block.begin() + static_cast<std::ptrdiff_t>(c.filled), c.block.begin());
  c.filled -= c.used;
  c.used = 0;
  co_return true;
}

namespace {

const Stub& well() {
  static const Stub stub;
  return stub;
}

bool is_health_check(const SeenRequest& request) noexcept {
  return std::any_of(request.headers.begin(), request.headers.end(), [](const auto& h) { return iequals(h.first, "User-Agent") && h.second == upstream::kCheckAgent; });
}

}  // namespace

// Why no stub answered: the stubs, nearest first, each with the first thing in which the request differs from it.
void MockServers::tell_misses(const Server& server, SeenRequest& request) const {
  request.near_miss = "the mock has no stubs";
  std::vector<std::pair<const Stub*, Fit>> all;
  for (const Stub& stub : server.stubs) all.emplace_back(&stub, fit_now(server, stub, request));
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second.score > b.second.score; });
  if (all.empty()) return;
  request.near_miss = "nearest is " + name_of(*all.front().first) + " at " + diag::place(all.front().first->span) + ", but " + all.front().second.why;
  const std::size_t shown = std::min(all.size(), kMisses);
  std::size_t name = 0, place = 0;
  for (std::size_t i = 0; i < shown; ++i) {
    name = std::max(name, name_of(*all[i].first).size());
    place = std::max(place, diag::place(all[i].first->span).size());
  }
  const auto padded = [](std::string text, std::size_t width) { return text += std::string(width - text.size() + 2, ' '); };
  for (std::size_t i = 0; i < shown; ++i)
    request.misses.push_back(padded(name_of(*all[i].first), name) + padded(diag::place(all[i].first->span), place) + all[i].second.why);
  if (shown < all.size()) request.misses.push_back("and " + std::to_string(all.size() - shown) + " more");
}

const std::string& MockServers::state_of(const Server& server, const Stub& stub) const {
  static const std::string first(StubState::kFirst);
  const auto known = states_.find({server.upstream, stub.state->of});
  return known == states_.end() ? first : known->second;
}

Fit MockServers::fit_now(const Server& server, const Stub& stub, const SeenRequest& request) const {
  Fit out = fit(stub.when, request);
  if (!out.fits) return out;
  const auto answered = stub.times > 0 ? answered_.find({server.upstream, stub.number}) : answered_.end();
  if (answered != answered_.end() && answered->second >= stub.times) {
    out.fits = false;
    out.why = "times: it has answered " + std::to_string(stub.times) + (stub.times == 1 ? " request" : " requests") + ", and does no more";
  } else if (stub.state && !stub.state->is.empty() && stub.state->is != state_of(server, stub)) {
    out.fits = false;
    out.why = "state: " + (stub.state->of.empty() ? "" : "`" + stub.state->of + "` ") + "is " + state_of(server, stub) + ", not " + stub.state->is;
  }
  return out;
}

const Stub* MockServers::choose(Server& server, SeenRequest& request) {
  request.upstream = server.upstream;
  request.target = server.target;
  const auto found = std::find_if(server.stubs.begin(), server.stubs.end(), [&](const Stub& stub) { return fit_now(server, stub, request).fits; });
  request.matched = found != server.stubs.end();
  const bool check = is_health_check(request);
  if (!request.matched && !check) tell_misses(server, request);
  if (request.matched && found->times > 0) ++answered_[{server.upstream, found->number}];
  if (request.matched && found->state && !found->state->then.empty()) states_[{server.upstream, found->state->of}] = found->state->then;
  std::lock_guard lock(mutex_);
  if (request.matched && !found->recorded) ++used_[found->span.begin];
  // The gateway's own questions are no calls. Where no stub says otherwise a mock is well.
  if (check) return request.matched ? &*found : &well();
  ++calls_[server.upstream];
  const bool is_miss = !request.matched && !server.quiet;
  if (is_miss) ++unmatched_;
  if ((remember_ && !server.quiet) || (is_miss && unmatched_ <= kMostMisses)) seen_.push_back(request);
  return request.matched ? &*found : nullptr;
}

// Of a distribution: by this server's dice, one after another.
Duration MockServers::delay_of(const Server& server, const Reply& reply) noexcept {
  if (reply.delay_p99 == Duration{}) return reply.delay;
  Dice dice = random_.fork("mock/" + server.upstream + "/" + server.target, server.answers);
  return Spread{reply.delay, reply.delay_p99}.draw(dice);
}

io::Task<bool> MockServers::answer(Connection& c, Server& server) {
  const Stub* stub = choose(server, c.request);
  Reply missing;
  missing.status = 404;
  missing.headers.emplace_back("Content-Type", "application/problem+json");
  if (stub == nullptr)
    missing.body = nlohmann::ordered_json{{"status", 404}, {"title", "No stub answers this request"}, {"reason", "unmatched-stub"}, {"detail", c.request.near_miss}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (stub != nullptr && stub->fault != StubFault::None && stub->fault != StubFault::Truncate) {
    co_await break_connection(c, stub->fault);
    co_return false;
  }
  const bool truncated = stub != nullptr && stub->fault == StubFault::Truncate;
  const std::shared_ptr<const Reply> made = stub != nullptr && stub->reply.make ? stub->reply.make(c.request) : nullptr;
  const Reply& reply = made ? *made : stub != nullptr ? stub->reply : missing;
  ++server.answers;
  const Duration delay = delay_of(server, reply);
  if (delay > Duration{}) {
    const bool on = co_await pause(delay);
    if (!on) co_return false;
  }
  if (reply.websocket) {
    co_await websocket(c, *reply.websocket);
    co_return false;
  }
  if (reply.raw) {
    io::Task<bool> writing = write(c, *reply.raw);
    const bool written = co_await writing;
    co_return written && c.keep && !reply.close;
  }
  const std::string body = reply.echo ? echo_of(c.request) : reply.body;
  const bool bodiless = c.head_only || reply.status == 204 || reply.status == 304;
  std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " " + std::string(http::default_reason_phrase(reply.status)) + "\r\n";
  for (const auto& [name, value] : reply.headers) text += name + ": " + value + "\r\n";
  if (reply.close) text += "Connection: close\r\n";
  if (reply.pieces && !bodiless) {
    text += "Transfer-Encoding: chunked\r\n\r\n";
    io::Task<bool> head = write(c, std::move(text));
    bool whole = co_await head;
    if (whole) whole = co_await stream(c, *reply.pieces);
    co_return whole && c.keep && !reply.close;
  }
  if (reply.chunked && !bodiless) {
    text += "Transfer-Encoding: chunked\r\n\r\n";
    char size[17];
    if (!body.empty()) text.append(size, static_cast<std::size_t>(std::snprintf(size, sizeof size, "%zx", body.size()))).append("\r\n").append(body).append("\r\n");
    text += "0\r\n";
    for (const auto& [name, value] : reply.trailers) text += name + ": " + value + "\r\n";
    text += "\r\n";
  } else {
    if (reply.status != 204 && reply.status != 304) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n";
    if (!bodiless) text += truncated ? body.substr(0, body.size() / 2) : body;
  }
  io::Task<bool> writing = write(c, std::move(text));  // named first: GCC 12 copies texts inside co_await octet by octet
  const bool written = co_await writing;
  co_return written && c.keep && !reply.close && !truncated;
}

io::Task<void> MockServers::break_connection(Connection& c, StubFault fault) {
  if (fault == StubFault::Reset) c.transport->reset();
  if (fault != StubFault::Stall) co_return;
  io::Wait wait;
  wait.cancel = &scope_.token();
  wait.what = "mock: an answer that never comes";
  wait.background = true;
  for (bool there = true; there;) {
    const io::Code code = co_await c.transport->readable(wait);
    const io::Transport::Peer peer = c.transport->peer_state();
    there = code == io::Code::Ok && peer == io::Transport::Peer::Quiet;
  }
}

io::Task<bool> MockServers::write(Connection& c, std::string text) {
  io::Wait wait;
  wait.cancel = &scope_.token();
  wait.what = "mock: to write";
  io::Task<io::Code> writing = io::write_all(*c.transport, text, wait);
  const io::Code code = co_await writing;
  co_return code == io::Code::Ok;
}

}  // namespace gatelab::harness
