// SPDX-License-Identifier: Apache-2.0
#include "proxy/call.h"

#include <memory>
#include <string>
#include <utility>

#include "proxy/exchange.h"

namespace gatelab::proxy {
namespace {

// The client of an exchange that has none: it has sent its request already, and takes the answer whole.
class Caller final : public Inbound {
 public:
  Caller(Services& services, const CallRequest& request, Arena& arena) noexcept
      : request_(request), began_(services.loop.now()), arena_(arena), head_(arena), trailers_(arena), fields_(arena) {
    head_.method = http::method_of(request.method);
    head_.method_text = request.method;
    head_.path = request.path;
    head_.authority = request.authority;
    head_.query = request.query;
    head_.has_query = !request.query.empty();
    head_.target = head_.has_query ? arena.concat(request.path, "?", request.query) : request.path;
    if (!request.body.empty()) head_.body = {http::Framing::Length, request.body.size()};
    if (request.fields != nullptr)
      for (const http::Field& f : *request.fields) head_.fields.add(f.id, f.name, f.value);
  }

  http::RequestHead& head() noexcept override { return head_; }
  Address client() const noexcept override { return request_.client; }
  Address local() const noexcept override { return request_.local; }
  std::string_view scheme() const noexcept override { return request_.scheme; }
  Instant began() const noexcept override { return began_; }
  Arena& arena() noexcept override { return arena_; }

  BodyPiece next_body() noexcept override {
    if (taken_ || request_.body.empty()) return {};
    taken_ = true;
    return {BodyPiece::Kind::Data, request_.body};
  }
  io::Task<io::Code> body_ready(io::Wait) override { co_return io::Code::Ok; }
  std::uint64_t body_octets() const noexcept override { return taken_ ? request_.body.size() : 0; }
  const http::Fields& trailers() const noexcept override { return trailers_; }
  bool skip_body() noexcept override { return true; }

  io::Task<io::Code> write_interim(std::uint16_t, const http::Fields&) override { co_return io::Code::Ok; }
  void write_head(const AnswerHead& head) noexcept override {
    status_ = head.status;
    if (request_.drops_answer) return;
    for (const http::Field& f : *head.fields) fields_.add(f.id, arena_.copy(f.name), arena_.copy(f.value));
  }
  io::Code write_body(std::string_view data, bool, const http::Fields*) noexcept override {
    if (request_.drops_answer) return io::Code::Ok;
    if (left_) return io::Code::Reset;
    if (data.size() > request_.max_octets - body_.size()) {
      too_large_ = true;
      return io::Code::Reset;
    }
    body_ += data;
    return io::Code::Ok;
  }
  io::Task<io::Code> written() override { co_return io::Code::Ok; }
  void reset() noexcept override {}
  // Nobody can go: what ends a call early cancels it.
  io::Task<io::Code> gone(io::Wait) override { co_return io::Code::Ok; }
  void on_cut(io::CancelToken* token) noexcept override { cut_ = token; }
  void on_drain(io::CancelToken*) noexcept override {}

  io::Task<io::Code> open_tunnel(const http::Fields&) override { co_return io::Code::Reset; }
  io::Count tunnel_write(std::string_view) noexcept override { return {io::Code::Reset, 0}; }
  io::Task<io::Code> tunnel_writable(io::Wait) override { co_return io::Code::Reset; }
  void tunnel_finish() noexcept override {}
  Instant body_deadline() const noexcept override { return Instant::max(); }

  void cut() noexcept {
    if (cut_ != nullptr) cut_->cancel();
  }
  // The client has gone: what it has asked for may go on for others.
  void leave() noexcept { left_ = true; }
  bool too_large() const noexcept { return too_large_; }
  void copy_to(policy::CallAnswer& answer, Arena& into) const noexcept {
    answer.status = status_;
    for (const http::Field& f : fields_) answer.fields.add(f.id, into.copy(f.name), into.copy(f.value));
    answer.body = into.copy(body_);
  }

 private:
  const CallRequest& request_;
  Instant began_;
  Arena& arena_;
  http::RequestHead head_;
  http::Fields trailers_, fields_;
  std::string body_;
  io::CancelToken* cut_ = nullptr;
  std::uint16_t status_ = 0;
  bool taken_ = false, too_large_ = false, left_ = false;
};

void tell(observe::PartNote& note, const observe::Record& record, Arena& into) {
  note.tries = static_cast<std::uint32_t>(record.attempts.size());
  note.took = record.total;
  note.status = record.status;
  note.cache = record.cache;
  for (const observe::Attempt& a : record.attempts) note.target = a.target == a.upstream ? std::string_view() : a.target;
  note.target = into.copy(note.target);
}

// A call may be over before anybody waits for that.
struct Over {
  bool is_over = false;
  io::Signal signal, other_signal;     // one waits at each
  const Exchange* exchange = nullptr;  // as long as it is under way
};

// What ends first: the call, or the patience of whoever made it.
io::Task<void> watch(Caller& caller, Over& over, io::Signal& signal, io::Loop& loop, io::CancelToken& cancel, bool leaves_to_others) {
  if (over.is_over) co_return;
  io::Wait wait;
  wait.cancel = &cancel;
  wait.what = "a call's end";
  wait.background = true;
  const io::Code code = co_await signal.wait(loop, wait);
  if (code == io::Code::Ok) co_return;
  if (leaves_to_others && over.exchange != nullptr && over.exchange->fills_for_others()) caller.leave();
  else caller.cut();
}

const ListenerSettings& no_listener() noexcept {
  static const ListenerSettings settings;
  return settings;
}

io::Task<void> fetch_resource(Services& services, Pin snapshot, policy::Fetch fetch) {
  std::unique_ptr<Arena> arena = services.take_arena();
  policy::Resource& resource = *fetch.resource;
  CallRequest request;
  request.upstream = fetch.upstream;
  const std::string_view target = resource.target();
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
  request.max_octets = resource.max_octets();
  request.route = "(fetch)";
  policy::CallAnswer answer(*arena);
  auto calling = call(services, snapshot, request, services.background->token(), answer, *arena);
  co_await calling;
  resource.end(answer.failure, answer.status, answer.body, services.loop.clock().policy_now());
  services.give_arena(std::move(arena));
}

}  // namespace

io::Task<void> call(Services& services, Pin snapshot, const CallRequest& request, io::CancelToken& cancel, policy::CallAnswer& answer, Arena& into) {
  std::unique_ptr<Arena> arena = services.take_arena();
  {
    Caller caller(services, request, *arena);
    io::Scope beside(services.loop);
    Over over;
    beside.spawn(watch(caller, over, over.signal, services.loop, cancel, false));
    if (request.given_up != nullptr) beside.spawn(watch(caller, over, over.other_signal, services.loop, *request.given_up, true));
    Route route;
    route.name = request.route;
    route.upstream = request.upstream;
    route.host = request.host;
    route.timeouts = request.timeouts;
    {
      Exchange exchange(services, no_listener(), caller, std::move(snapshot), services.own);
      over.exchange = &exchange;
      auto running = exchange.call(route, request);
      co_await running;
      over.exchange = nullptr;
      const std::string_view reason = exchange.record().ended.reason;
      if (request.note != nullptr) tell(*request.note, exchange.record(), into);
      if (caller.too_large()) answer.failure = observe::reason::kAnswerTooLarge.word;
      else if (reason != observe::reason::kCompleted.word) answer.failure = into.copy(reason);
    }
    if (answer.failure.empty()) caller.copy_to(answer, into);
    over.is_over = true;
    over.signal.signal();
    over.other_signal.signal();
    io::Wait wait;
    wait.what = "a call's end";
    co_await beside.join(wait);
  }
  services.give_arena(std::move(arena));
}

void begin_fetch(Services& services, const Pin& snapshot, const policy::Fetch& fetch) {
  if (!fetch.resource->begin(services.loop.clock().policy_now())) return;
  services.background->spawn(fetch_resource(services, snapshot, fetch));
}

}  // namespace gatelab::proxy
