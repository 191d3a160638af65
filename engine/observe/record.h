// SPDX-License-Identifier: Apache-2.0
// What one exchange was: the values that the access log, metrics, `/requests`, `explain` and scenarios are made from.
// Views live in the exchange's arena or in the configuration; whoever keeps a record copies it (OwnedRecord). One thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/arena.h"
#include "base/time.h"
#include "observe/reason.h"

namespace gatelab::observe {

// One policy's (or the router's) verdict. `place` is where the configuration says it: "gateway.yaml:17".
struct Decision {
  std::string_view policy;  // kind: rate-limit
  std::string_view id;      // read-orders/rate-limit
  std::string_view place;
  std::string_view reason;  // a word of docs/errors.md, may be empty on allow
  std::string_view detail;  // for people; empty unless the trace is detailed
  Phase phase = Phase::Match;
  Outcome outcome = Outcome::Allow;
};

// One try at an upstream target.
struct Attempt {
  std::string_view upstream;
  std::string_view target;
  std::string_view reason;  // "completed", "connect-failure"…
  Address address;
  Duration started{};     // since the exchange began
  Duration connected{};   // how long connecting took; 0 if reused
  Duration first_byte{};  // from request sent to response head
  std::uint16_t status = 0;
  bool reused = false;
  bool retried = false;          // another try followed it
  bool hedge = false;            // it went out beside another that took long
  bool played = false;           // a fault has taken the request in the target's place: the target was not asked
  Duration ended{};              // since the exchange began; 0 unless spans are made
  std::uint64_t span = 0;        // its id in the trace; 0: there is none
  std::string_view not_retried;  // why none did, where the configuration might have allowed one: "not-idempotent"
};

// One call of an aggregated answer.
struct PartNote {
  std::string_view name, upstream, target;  // target: that was asked last; empty: none was
  std::string_view reason;                  // "completed", "response-timeout"…
  std::string_view cache;                   // one of kCacheResults; empty: it has none
  Duration started{};                       // since the exchange began
  Duration took{};
  std::uint16_t status = 0;
  std::uint32_t tries = 0;
};

// What a connection's TLS is. Empty without TLS.
struct TlsNote {
  std::string_view version, cipher, group, sni, alpn;
  std::string_view client;              // subject of the client's certificate
  std::string_view client_fingerprint;
  std::string_view error;               // for people: why a handshake failed
  bool resumed = false;
};

// Where an exchange stands in a distributed trace (W3C Trace Context). `id` is empty where tracing is off.
struct TraceNote {
  std::string_view id;          // 32 lower-case hexadecimal digits
  std::uint64_t span = 0;       // the exchange's own; never 0 where there is an id
  std::uint64_t parent = 0;     // of whoever asked; 0: the trace begins here
  std::string_view what;        // of a call of the gateway's own: what makes it ("forward-auth"); empty: a client's exchange
  std::string_view route_path;  // as the route's `match` has it
  std::string_view scheme;
  bool sampled = false;         // somebody keeps its spans
  bool timed = false;           // this gateway makes them: `timings` are filled
};

// How long a phase lasted, or one policy in it. Only of exchanges whose spans are made.
struct Timing {
  Phase phase = Phase::Match;
  Duration began{}, ended{};    // since the exchange began
  std::int32_t decision = -1;   // index of the policy's; -1: the phase has none
};

// Who ended the exchange, where and why. `by`: a policy kind, "upstream", "client", "gateway".
struct Ended {
  std::string_view by;
  std::string_view id;
  std::string_view reason;
  Phase phase = Phase::Respond;
};

// Grows in the arena.
template <class T>
class ArenaList {
 public:
  explicit ArenaList(Arena& arena) noexcept : arena_(&arena) {}
  T& add(const T& value) noexcept {
    if (size_ == capacity_) grow();
    return *std::construct_at(data_ + size_++, value);
  }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size_; }
  std::size_t size() const noexcept { return size_; }
  T& back() noexcept { return data_[size_ - 1]; }

 private:
  void grow() noexcept {
    capacity_ = capacity_ == 0 ? 8 : capacity_ * 2;
    T* bigger = arena_->template room<T>(capacity_);
    std::uninitialized_copy(data_, data_ + size_, bigger);
    data_ = bigger;
  }
  Arena* arena_;
  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// What a cache had to do with an exchange. collapsed: it waited for what another had asked for; bypass: it was none for the cache.
inline constexpr std::array<std::string_view, 6> kCacheResults{"hit", "miss", "revalidated", "stale", "collapsed", "bypass"};

struct Record {
  explicit Record(Arena& arena) noexcept : decisions(arena), attempts(arena), parts(arena), timings(arena) {}
  std::string_view request_id;
  std::string_view parent;  // of a call of the gateway's own: the request that it was made for, or what it fetches
  Instant began;       // policy_now at the request's first octet
  Duration total{};    // io time until the last octet of the answer
  Duration upstream{}; // of which waiting for the upstream
  Address client;               // behind trusted proxies
  Address peer;                 // who connected; differs from `client` when it is a trusted proxy
  bool proxied = false;         // it does
  std::uint64_t connection = 0; // that it came on, unlike all others of this gateway; 0: a call of the gateway's own
  std::string_view listener;
  std::string_view method;
  std::string_view host;
  std::string_view target;      // as received; redacted of query keys that carry credentials
  std::string_view version;     // "1.1"
  std::string_view route;       // "(none)"
  std::string_view consumer;    // empty: anonymous
  std::string_view user_agent;
  std::string_view referer;
  std::uint16_t status = 0;     // 0: no answer was sent
  std::uint64_t request_octets = 0;   // body octets received
  std::uint64_t response_octets = 0;  // body octets sent
  bool truncated = false;
  std::string_view variant;      // that a split has chosen
  std::string_view injected;     // what a fault policy has done: "delay 200ms"
  std::string_view cache;        // one of kCacheResults; empty: the route has no cache
  std::string_view mirrored_to;  // the upstream that is to get a copy
  TlsNote tls;
  Ended ended;
  ArenaList<Decision> decisions;
  ArenaList<Attempt> attempts;
  ArenaList<PartNote> parts;     // in the order in which they ended
  ArenaList<Timing> timings;
  TraceNote trace;
  // Indexes for counters; -1 if none.
  std::int32_t route_index = -1;
  std::int32_t upstream_index = -1;
  std::int32_t consumer_index = -1;  // of a configured consumer
};

// A deep copy that outlives the exchange; assigning over an old one reuses its storage.
struct OwnedRecord {
  struct OwnedDecision { std::string policy, id, place, reason, detail; Phase phase; Outcome outcome; };
  struct OwnedAttempt { std::string upstream, target, reason, not_retried; Address address; Duration started, connected, first_byte; std::uint16_t status; bool reused, retried, hedge; };
  std::string request_id, trace_id, parent, listener, method, host, target, version, route, consumer, user_agent, referer;
  std::string ended_by, ended_id, ended_reason;
  std::string variant, injected, mirrored_to, cache;
  std::string tls_version, tls_cipher, tls_group, tls_sni, tls_alpn, tls_client, tls_client_fingerprint, tls_error;
  bool tls_resumed = false;
  Phase ended_phase = Phase::Respond;
  Instant began;
  Duration total{}, upstream{};
  Address client, peer;
  bool proxied = false;
  std::uint16_t status = 0;
  std::uint64_t request_octets = 0, response_octets = 0;
  bool truncated = false;
  std::vector<OwnedDecision> decisions;
  std::vector<OwnedAttempt> attempts;
  struct OwnedPart { std::string name, upstream, target, reason, cache; Duration started, took; std::uint16_t status; std::uint32_t tries; };
  std::vector<OwnedPart> parts;

  void assign(const Record& r);
  std::string to_json() const;  // one object, one line; for /requests, explain --json and reports
};

}  // namespace gatelab::observe
