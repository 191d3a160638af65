// SPDX-License-Identifier: Apache-2.0
// One request on its way through the phases (docs/life-of-a-request.md), once, in one direction. Whatever happens it
// reaches finish() exactly once. Lives in its connection's coroutine; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/facts.h"
#include "cache/fill.h"
#include "cache/reuse.h"
#include "io/scope.h"
#include "observe/record.h"
#include "proxy/inbound.h"
#include "proxy/services.h"
#include "proxy/walk.h"

namespace gatelab::proxy {

// Why the gateway itself answers instead of forwarding. Status 0: no answer can be sent.
struct Refusal {
  std::uint16_t status = 0;
  std::string_view word;
  std::string_view title;
  std::string_view detail;
  std::string_view by = "gateway";
  std::string_view id;
  observe::Phase phase = observe::Phase::Parse;
  std::string_view allow;  // of a 405
  Duration retry_after{};  // zero: nobody knows
};
Refusal refusal_of(http::Rule rule) noexcept;
Refusal refusal_of(const observe::Reason& reason) noexcept;
// Of a request that asks for what the route does not offer. A word that is empty: none. upgrade.cc
Refusal upgrade_refusal(const http::RequestHead& head, const Route& route) noexcept;

// The route, canonical path and parameters of one request: phase Match, shared with `explain`.
struct Matching {
  Refusal refusal;  // word empty: none
  std::string_view path;       // canonical
  std::string_view forwarded;  // as a target would get it
  std::string_view prefix;     // that the route has taken off; empty: none
  const Route* route = nullptr;  // never null; the implicit route if none matched
  std::int32_t route_index = -1;
  std::span<const route::Parameter> parameters;
  std::string_view method;  // that the route was looked for by: of a preflight perhaps the one that it asks for
};
// Ends the hop first (http/hop.h): `head` is then as policies see it.
Matching match_request(http::RequestHead& head, const http::PathOptions& options, const http::HopOptions& hop, const Snapshot& snapshot, Arena& arena) noexcept;

// What a target of that upstream is told, for an exchange and for `explain`. `origin` must outlive it.
struct Way {
  const http::Origin& origin;
  Address peer;
  std::string_view peer_scheme, request_id;
  std::uint16_t port = 0;  // that the client connected to
  std::string_view via;
};
Told tell(const http::RequestHead& head, const Matching& matching, const upstream::Config& config, std::string_view target_authority,
          const ListenerSettings& listener, const Way& way) noexcept;

struct CallRequest;
struct CallTrace;
struct Caching;
struct Refreshing;
struct Waking;

class Exchange {
 public:
  Exchange(Services& services, const ListenerSettings& listener, Inbound& inbound) noexcept : Exchange(services, listener, inbound, services.snapshot, services.ids) {}
  // With a snapshot of its maker's.
  Exchange(Services& services, const ListenerSettings& listener, Inbound& inbound, Pin snapshot, Dice& ids) noexcept;
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // To the end, whatever it is. `refusal`: what was wrong with the head, or null.
  io::Task<void> run(const Refusal* refusal);
  // The same for a call of the gateway's own (call.h), which goes straight to its upstream.
  io::Task<void> call(const Route& route, const CallRequest& request);
  const observe::Record& record() const noexcept { return record_; }
  // Its answer is on its way into a cache, and others read it.
  bool fills_for_others() const noexcept;

 private:
  // exchange.cc: phases up to Forward, and Log; effects.cc: what policies ask for
  void begin(Dice& ids) noexcept;
  void find_client() noexcept;
  void hide_secrets(std::span<const std::string_view> secrets) noexcept;
  void match() noexcept;
  Refusal before_policies() noexcept;
  void note_consumer() noexcept;
  Refusal check_size() const noexcept;
  io::Task<bool> perform(policy::Effect* effect);
  io::Task<bool> perform_call(const policy::Call& call);
  struct Parts;
  CallRequest request_of(const policy::Call& call) const noexcept;
  io::Task<bool> perform_calls(const policy::Calls& calls);
  void begin_parts(Parts& parts, const policy::Call* first) noexcept;
  io::Task<void> run_part(Parts& parts, const policy::Call& call);
  io::Task<bool> perform_fetch(const policy::Fetch& fetch);
  io::Task<bool> perform_acquire(const policy::Acquire& acquire);
  io::Task<bool> perform_read(std::uint64_t at_most);
  io::Task<bool> until_more_body();
  io::Task<bool> until_called(std::shared_ptr<Waking> waking, io::Wait wait, bool half_close_is_gone);
  io::Task<void> watch_waiting(io::Scope& beside, bool half_close_is_gone);
  void end(std::string_view by, std::string_view id, std::string_view reason, observe::Phase phase) noexcept;
  void finish() noexcept;

  // tracing.cc: where it stands in a trace, and how long its phases last
  void begin_trace() noexcept;
  void begin_trace(const CallTrace& trace) noexcept;
  std::string_view traceparent_of(const observe::Attempt& note) const noexcept;
  CallTrace trace_of(std::string_view what, observe::Phase phase, Arena& arena) const noexcept;
  Duration since_begin() const noexcept { return services_.loop.now() - io_began_; }
  void mark(Duration& when) const noexcept {
    if (record_.trace.timed) when = since_begin();
  }
  void note_match() noexcept;
  void note_timings() noexcept;

  // answer.cc: answers of the gateway's own
  io::Task<void> refuse(Refusal refusal);
  io::Task<void> answer(policy::Answer& answer);
  std::string_view problem(std::uint16_t status, std::string_view word, std::string_view title, std::string_view detail, std::string_view members = {}) noexcept;
  void finish_fields(std::uint16_t& status, http::Fields& fields, bool local, http::BodyFraming& body) noexcept;
  void add_date(http::Fields& fields) noexcept;
  void send_head(const AnswerHead& head) noexcept;

  // caching.cc: what is stored answers, or what somebody else has asked for; refreshing.cc: and is validated beside it
  struct Cut;
  enum class Followed : std::uint8_t { Answered, Again, Asks };
  Caching& make_caching(const policy::CacheUse& use) noexcept;
  bool begin_caching() noexcept;
  cache::Reuse look_up() noexcept;
  io::Task<void> through_cache();
  void begin_asking() noexcept;
  io::Task<Followed> follow(cache::Follower& follower, std::shared_ptr<Waking> waking);
  io::Task<Followed> stop_waiting();
  io::Task<void> read_along(cache::Follower& follower, std::shared_ptr<Waking> waking, Cut cut);
  io::Task<void> serve(cache::Hit hit);
  bool may_serve_stale() const noexcept;
  io::Task<void> serve_stale();
  void refresh_beside() noexcept;
  void refresh(cache::Fill fill) noexcept;
  void begin_refreshing(Refreshing& what) noexcept;

  // caching_answer.cc: stored answers as one client gets them
  Cut begin_stored(std::uint16_t status, http::Fields& fields, const cache::Facts& facts, std::optional<std::uint64_t> length) noexcept;
  void keep_for_304(http::Fields& fields) noexcept;
  std::uint16_t cut_range(std::uint16_t status, http::Fields& fields, const cache::Facts& facts, std::uint64_t length, Cut& cut, http::BodyFraming& framing) noexcept;
  void tell_cache(http::Fields& fields, const cache::Facts* facts) noexcept;
  io::Task<void> end_stored(io::Code code);
  io::Task<void> break_off(const observe::Reason& reason);
  void invalidate(std::uint16_t status, const http::Fields& response) noexcept;

  // tries.cc: which target, and whether another try follows
  struct Attempt;
  enum class Try : std::uint8_t { Over, Again };
  io::Task<void> forward();
  void set_deadline(const upstream::Upstream& upstream, Instant deadline) noexcept;
  upstream::Upstream& begin_forward() noexcept;
  void take_deadline(std::string_view name) noexcept;
  bool has_target(upstream::Upstream& upstream) noexcept;
  io::Task<void> without_target(upstream::Upstream& upstream);
  io::Task<bool> wait_for_target(upstream::Upstream& upstream);
  bool choose(upstream::Upstream& upstream) noexcept;
  io::Task<void> try_again(upstream::Upstream& upstream);
  io::Task<void> refuse_forward();
  bool is_repeatable() const noexcept;
  bool is_stale(const Attempt& attempt, const observe::Reason* failure) const noexcept;
  bool body_is_there() const noexcept;
  const std::string* kept_body() const noexcept;
  bool tries_again(Attempt& attempt, const observe::Reason* failure) noexcept;
  void prepare_another(Attempt& attempt, Duration pause) noexcept;
  void took(const upstream::Upstream& upstream, const BodyPiece& piece) noexcept;
  void tell_target(Attempt& attempt) noexcept;
  void set_sticky(const Attempt& attempt, http::Fields& fields) noexcept;

  // caching_fill.cc: an answer that may be stored
  io::Task<const observe::Reason*> answer_caching(Attempt& attempt);
  bool asks_anew(const Attempt& attempt) noexcept;
  std::size_t selected(const http::Fields& not_modified) noexcept;
  cache::Exchanged exchanged(std::uint16_t status, const http::Fields& response, const cache::Control& control) const noexcept;
  cache::Hit freshen_by_304(const http::Fields& response) noexcept;
  void freshen_by_head(const Attempt& attempt, const http::Fields& response) noexcept;
  bool begin_fill(const Attempt& attempt, const http::Fields& response, cache::Facts& facts) noexcept;
  io::Task<const observe::Reason*> store_whole(Attempt& attempt, http::Fields& response, const cache::Facts& facts);
  io::Task<const observe::Reason*> lead(Attempt& attempt, http::Fields& response, const cache::Facts& facts);
  io::Task<const observe::Reason*> pump(Attempt& attempt);
  io::Task<void> until_read();
  void finish_unread(Attempt& attempt) noexcept;

  // hedge.cc: a second try beside one that takes long
  struct Hedge;
  std::unique_ptr<Hedge> hedge_of(const Attempt& own) noexcept;
  io::Task<Attempt*> race(Attempt& own, Hedge& hedge);
  io::Task<void> run_beside(Attempt& attempt, Hedge& hedge);
  bool begin_another(Attempt& own, Hedge& hedge) noexcept;
  bool is_good(const Attempt& attempt) const noexcept;
  io::Task<bool> until_news(Hedge& hedge, Instant deadline);
  void give_up(Attempt& lost) noexcept;
  void tell_latencies(const Attempt& attempt) noexcept;

  // forward.cc: one try at a target
  Refusal before_forward() noexcept;
  bool is_loop() const noexcept;
  io::Task<Try> attempt(upstream::Upstream& upstream);
  void begin_try(Attempt& attempt) noexcept;
  bool take_pooled(Attempt& attempt) noexcept;
  io::Task<const observe::Reason*> connect(Attempt& attempt);
  io::Code begin_request(Attempt& attempt) noexcept;
  const observe::Reason* end_request(Attempt& attempt, io::Code code) noexcept;
  io::Task<const observe::Reason*> read_answer(Attempt& attempt);
  io::Task<const observe::Reason*> pass_interim(Attempt& attempt);
  io::Task<void> fail(Attempt& attempt, const observe::Reason& reason);
  io::Task<void> leave(Attempt& attempt);
  void settle(Attempt& attempt) noexcept;
  void abort(Refusal why) noexcept;

  // upgrade.cc: WebSocket
  Refusal check_upgrade() noexcept;
  bool is_upgraded(const http::ResponseHead& head) const;
  io::Task<const observe::Reason*> tunnel(Attempt& attempt);

  // relay.cc: the answer's body down, the request's body up
  void begin_answer(Attempt& attempt) noexcept;
  void begin_stream(Attempt& attempt) noexcept;
  const observe::Reason* end_answer(Attempt& attempt, io::Code code, std::size_t octets) noexcept;
  io::Task<const observe::Reason*> relay(Attempt& attempt);
  io::Task<const observe::Reason*> fill(Attempt& attempt);
  io::Wait upstream_wait(Attempt& attempt, Instant deadline, std::string_view what) noexcept;
  bool goes_on(Attempt& attempt, io::Code code, Instant waited, Instant deadline) noexcept;
  io::Task<void> upload(Attempt& attempt);
  io::Code begin_piece(Attempt& attempt, std::string_view head, std::string_view data, bool last) noexcept;
  io::Code push(Attempt& attempt) noexcept;
  io::Task<io::Code> finish_piece(Attempt& attempt, io::CancelToken& token);
  void begin_watch(Attempt& attempt) noexcept;
  io::Task<void> watch_client(Attempt& attempt);
  bool client_failed(io::Code code) noexcept;

  // body_check.cc: what policies want of the request's body
  bool body_failed(const BodyPiece& piece) noexcept;
  bool digest_failed(const BodyPiece& piece) noexcept;
  const policy::BodyLimit* passed_limit() noexcept;
  void refuse_body(const policy::Policy& by, const observe::Reason& reason, std::string_view detail) noexcept;
  void note(const policy::Policy& by, const observe::Reason& reason, observe::Outcome outcome, std::string_view detail) noexcept;

  // filtered.cc, whole.cc: bodies that policies change. Of the answer, in the place of Inbound's write_body() and written(); of the request,
  // in that of next_body(): nullopt, if the body can't be gone on with, and abort() has been told.
  struct Filtering;
  io::Code write_body(std::string_view data, bool last, const http::Fields* trailers) noexcept {
    return input_.answer_body ? filter_answer(data, last, trailers) : inbound_.write_body(data, last, trailers);
  }
  io::Task<io::Code> written() { return input_.answer_body ? answer_written() : inbound_.written(); }
  std::optional<BodyPiece> next_piece() noexcept {
    if (whole_ && whole_behind_filter_ && !whole_given_) return give_whole();
    return input_.request_body ? filtered_piece() : unfiltered_piece();
  }
  std::optional<BodyPiece> unfiltered_piece() noexcept {
    if (whole_ && !whole_behind_filter_ && !whole_given_) return give_whole();
    const BodyPiece piece = inbound_.next_body();
    return body_failed(piece) ? std::nullopt : std::optional(piece);
  }
  BodyPiece give_whole() noexcept;
  io::Code filter_answer(std::string_view data, bool last, const http::Fields* trailers) noexcept;
  io::Code pump_answer() noexcept;
  void release_head() noexcept;
  io::Task<io::Code> answer_written();
  std::optional<BodyPiece> filtered_piece() noexcept;
  const http::Fields* behind_changed(const http::Fields& trailers) noexcept;

  // copies.cc: what other upstreams get of the request
  void keep_for_copies(std::string_view piece) noexcept;
  void send_copies() noexcept;
  void send_copy(const policy::Copy& copy, std::string_view body) noexcept;
  void drop_copies() noexcept;

  Services& services_;
  const ListenerSettings& listener_;
  Inbound& inbound_;
  Pin snapshot_;
  Arena& arena_;
  http::RequestHead& head_;
  observe::Record record_;
  policy::Scratch scratch_;
  Matching matching_;
  policy::Input input_;
  std::optional<Walk> walk_;
  Instant io_began_;
  const upstream::Timeouts* timeouts_ = nullptr;  // the route's or the upstream's, from set_deadline() on
  Instant total_deadline_ = Instant::max();
  Instant asked_deadline_ = Instant::max();  // what whoever asks has said, or the policy whose call this is; may be later than the total
  char request_id_[32];
  std::string_view tracestate_;
  // Where spans are made: since the beginning; negative: it has not come to that.
  Duration looked_up_{-1}, forwarded_{-1}, answered_{-1};
  std::uint32_t tries_begun_ = 0;
  http::Origin origin_;
  std::string_view asked_method_, asked_uri_;  // of a call: what the client has asked for

  // Cancelled when the exchange is not worth going on with: the client has gone, its body is broken, the gateway closes.
  io::CancelToken upstream_token_;
  Refusal aborted_;            // why upstream_token_ was cancelled; word empty: the gateway closes
  bool websocket_ = false;     // asked for, and offered to the target
  bool client_finished_ = false;  // the client has sent its FIN
  bool committed_ = false;     // the answer's head has been handed to the client
  bool upload_done_ = false;   // the request is at the upstream as a whole
  bool body_whole_ = false;    // the client has sent all of its body
  bool upload_begun_ = false;  // octets of the request's body were taken from the client
  Instant upload_end_;

  // What lasts from one try to the next.
  upstream::Upstream::Choice choice_;
  bool stale_ = false;         // the connection was: the same target once more, over a new one
  std::uint32_t retries_ = 0;
  Duration pause_{};           // before the next
  const observe::Reason* last_failure_ = nullptr;
  std::unique_ptr<upstream::TriedTargets> tried_;  // null: no target yet
  struct Kept {
    std::string octets;
    bool all = true;
  };
  std::unique_ptr<Kept> kept_;  // of the request's body; null: nothing needs to be kept
  std::unique_ptr<Kept> copied_;  // likewise, for copies
  Caching* caching_ = nullptr;  // in the arena; null: no cache has to do with it
  std::unique_ptr<Filtering> answer_filtering_, request_filtering_;  // null: nothing was filtered
  const AnswerHead* held_ = nullptr;  // in the arena: the answer's head, while the filter may still refuse the body
  std::unique_ptr<policy::WholeBody> whole_;  // of the request, or its beginning; null: no policy has asked for it
  std::vector<std::unique_ptr<policy::WholeBody>> whole_before_;  // what was read before: the filter may not have taken all of it yet
  bool whole_given_ = false;          // next_piece() has given it
  bool body_changed_ = false;         // it came out of a filter that is at its end
  bool whole_behind_filter_ = false;  // it came out of the filter that goes on with the rest
};

}  // namespace gatelab::proxy
