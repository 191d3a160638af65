// SPDX-License-Identifier: Apache-2.0
// A policy is a small state machine over values: it is stepped through its phase, may answer, and never does anything
// itself (docs/writing-a-policy.md). Pure: no clock, dice, I/O, thread, coroutine or throw; state that outlives a
// request is handed in by reference and safe for several workers at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/arena.h"
#include "base/time.h"
#include "crypto/claims.h"
#include "crypto/running_digest.h"
#include "crypto/tls_engine.h"
#include "diag/diagnostic.h"
#include "http/message.h"
#include "http/uri.h"
#include "observe/reason.h"
#include "observe/record.h"
#include "policy/body_filter.h"
#include "policy/gate.h"
#include "policy/resource.h"

namespace gatelab::policy {

using observe::Outcome;
using observe::Phase;

struct Issuer;
struct CachePlan;
struct CacheUse;
class PartValues;
class Condition;

struct Consumer {
  std::string name;
  std::vector<std::string> groups;  // in file order
  bool has_credential = false;      // a key or a certificate
  diag::Span span;                  // of its name
  std::int32_t index = -1;          // in file order
  bool in_group(std::string_view group) const noexcept;
  bool in_any_of(const std::vector<std::string>& groups) const noexcept;
};

// Two words of memory that a policy has for one request, from step to on_end. Zero at first.
struct Scratch {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  // Where two words are too little, `a` leads to what the policy keeps in the request's arena. Null at first.
  template <class T>
  T* memo() const noexcept {
    return reinterpret_cast<T*>(static_cast<std::uintptr_t>(a));
  }
  void keep(const void* memo) noexcept { a = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(memo)); }
};

// An answer made by the gateway itself. With an empty `body` and a status of 400 and over the proxy writes a problem
// document (RFC 9457) from status, reason and `detail`. Views live in the arena or the configuration.
struct Answer {
  explicit Answer(Arena& arena) noexcept : fields(arena) {}
  std::uint16_t status = 200;
  std::string_view content_type;
  std::string_view body;
  std::string_view detail;  // for the client; must not help a guesser
  std::string_view members;  // more of the problem document, as JSON: "errors":[…]
  http::Fields fields;
};

// What a policy's own call to an upstream was answered. Lives in the arena.
struct CallAnswer {
  explicit CallAnswer(Arena& arena) noexcept : fields(arena) {}
  std::string_view failure;  // a reason's word: there is no answer; empty: there is
  std::uint16_t status = 0;
  http::Fields fields;
  std::string_view body;
};

// Effects that a policy may need; the proxy performs them and steps the policy again with the result.
struct Until {                                          // wait, on policy_now
  Instant when;
  bool abort_on_half_close = false;  // a client that has finished sending has gone
};
struct ComputeJob { std::function<void()> job; };       // heavy work, off the loop
// A request of the policy's own, on behalf of the client's. Views live in the arena or the configuration.
struct Call {
  std::int32_t upstream = -1;  // index
  std::string_view method, path, query;
  const http::Fields* fields = nullptr;
  std::string_view body;
  // What the client has asked for, told as X-Forwarded-Method and X-Forwarded-Uri. Empty: not told.
  std::string_view asked_method, asked_uri;
  Duration timeout{};          // of the whole call, at most what is left of the exchange
  std::size_t max_octets = 0;  // of the answer's body
  CallAnswer* answer = nullptr;
  std::string_view name;             // that the trace calls it by, in a group
  const CacheUse* cache = nullptr;   // it may be answered from there; null: it may not
  const Call* next = nullptr;        // of a group
};
// Calls that begin at once, and those that follow from what others were answered. Lives until the step behind them.
class CallGroup {
 public:
  // Those to begin now, linked by `next`; null: none. `ended` has an answer since now; null at first.
  virtual const Call* after(const Call* ended) noexcept = 0;
  // Nobody needs what is still under way.
  virtual bool is_over() const noexcept = 0;

 protected:
  ~CallGroup() = default;
};
// All of a group, at most so long.
struct Calls {
  CallGroup* group = nullptr;
  Duration timeout{};
};
// Fetch a resource, unless somebody does already. Without `wait` the policy is stepped again at once.
struct Fetch {
  Resource* resource = nullptr;
  std::int32_t upstream = -1;
  bool wait = true;
};
// Wait for a place in a gate, at most so long. Done: it is no longer waited for.
struct Acquire {
  Gate* gate = nullptr;
  Gate::Place* place = nullptr;
  Duration at_most{};
  bool abort_on_half_close = false;  // a client that has finished sending has gone
};
// Read the request's body, all of it if it has no more octets than that: Input::body has it then. What is left of a longer one
// goes up behind it as it comes, should the policy let it.
struct ReadBody { std::uint64_t at_most = 0; };
using Effect = std::variant<Until, ComputeJob, Call, Calls, Fetch, Acquire, ReadBody>;

class Policy;

// A request's body that was read before it goes anywhere. A policy may put another one in its place if it is complete, and says
// then how long that is (RequestHead::body).
struct WholeBody {
  std::string octets;
  bool complete = false;  // false: more follows, it is longer than ReadBody allowed
};

// How many octets of the request's body a policy lets through. What has a length is the policy's to refuse; the proxy counts
// the rest while it streams, by every limit that was set. In the arena.
struct BodyLimit {
  std::uint64_t octets = 0;
  const Policy* by = nullptr;
  BodyLimit* next = nullptr;
};

// What the request's body has to hash to. The proxy hashes it while it streams, and lets its end go up only if it does: a
// target never gets a whole request with another body. In the arena.
struct BodyDigest {
  crypto::RunningDigest digest;
  std::string_view expected;
  const Policy* by = nullptr;
  BodyDigest* next = nullptr;
};

class Copies;

// The request is to go to another upstream too, once its own has all of it: nobody waits for that, and what is answered is
// dropped. In the arena.
struct Copy {
  std::int32_t upstream = -1;
  std::size_t max_body = 0;       // octets; a request with more is not copied
  std::uint32_t max_in_flight = 0;
  Duration timeout{};
  std::string_view host_suffix;   // behind the host's name that the client has asked for; empty: the upstream says which Host it gets
  std::string_view mark, value;   // a field that tells it from the original
  const std::vector<std::string>* without = nullptr;  // fields that it does not have; never null, the policy's
  Copies* copies = nullptr;       // how many are under way
  Copy* next = nullptr;
};

struct Input {
  http::RequestHead& request;       // as it would be sent upstream so far; Transform policies edit it
  std::string_view path;            // canonical
  Address client;
  std::string_view route;           // "(none)" when nothing matched
  const Consumer* consumer;         // null: anonymous; an authenticator sets it
  std::string_view principal_by;    // kind of the authenticator that let the request pass; empty: none did
  Instant now;                      // policy_now
  Arena& arena;
  Scratch& scratch;
  bool detailed;                    // someone will read `detail`: write it
  // After an effect: true if it was done, false if it failed or its time was up. step() is called again.
  bool effect_done = false;
  std::string_view scheme = "http";  // "https" over TLS
  // Who the request is from, where no configured consumer is: what an authenticator tells principals apart by.
  std::string_view principal = {};
  const crypto::TlsFacts* tls = nullptr;   // of the client's connection; null: plain
  const crypto::Claims* claims = nullptr;  // what a token says of the principal; lives until on_end
  BodyLimit* body_limits = nullptr;
  BodyDigest* body_digests = nullptr;
  Copy* copies = nullptr;
  const PartValues* parts = nullptr;     // what calls for it were answered; null: there are none
  const CacheUse* cache = nullptr;       // it may be answered from there; null: it may not (policy/cache/plan.h)
  std::uint64_t dice = 0;                // this request's own; a policy mixes in what it is called
  bool is_explained = false;             // nobody asks: nothing is rolled, and nothing goes anywhere
  std::int32_t upstream = -1;            // instead of the route's
  std::string_view forwarded = {};       // the path as a target will get it, in place of `path`; empty: that one
  const http::PathOptions* path_options = nullptr;  // the listener's; null: the defaults
  WholeBody* body = nullptr;             // null: no policy has asked for it
  BodyFilterPtr request_body;            // what changes the request's body on its way up; null: nothing does
  BodyFilterPtr answer_body;             // the same for the answer's; set by on_response()
  std::string_view variant, injected;  // for the log
  std::string_view parameter(std::string_view name) const noexcept;  // of the route's template; empty if none
  std::span<const std::pair<std::string_view, std::string_view>> parameters;
};

enum class Verdict : std::uint8_t { Continue, Respond, Need, Abort };

// What step() says. `reason` and `outcome` go into the trace; `answer` is in the arena.
struct Step {
  Verdict verdict = Verdict::Continue;
  Outcome outcome = Outcome::Allow;
  std::string_view reason{};
  std::string_view detail{};   // only if input.detailed; never a secret
  Answer* answer = nullptr;
  Effect* effect = nullptr;    // owned by the policy's caller frame: valid until the next step

  static Step go_on(std::string_view detail = {}) noexcept { return {Verdict::Continue, Outcome::Allow, {}, detail, nullptr, nullptr}; }
  static Step skip(std::string_view why) noexcept { return {Verdict::Continue, Outcome::Skip, {}, why, nullptr, nullptr}; }
};
// Makes an answer in the arena from a reason's status and word.
Step deny(Input& in, const observe::Reason& reason, std::string_view detail = {}) noexcept;
// The same where the fault is not the client's: an error, and worth another try.
Step unavailable(Input& in, const observe::Reason& reason, std::string_view detail = {}) noexcept;

// The response on its way to the client; TransformResponse runs policies in reverse order, for forwarded and for local
// answers alike.
struct ResponseInput {
  std::uint16_t& status;
  http::Fields& fields;
  bool local;                 // made by the gateway, not by an upstream
  Input& request;
  // How its body is framed, as far as that is known; None of an answer to HEAD: nothing is. Whoever changes the body says
  // Chunked: its length is not known any more.
  http::BodyFraming& body;
};

// For lints: a rate that every request of `key` uses up one of.
struct PlainRate {
  std::string key, text;
  std::uint64_t count = 0, burst = 0;  // `burst`: at once, where that is not `count`
  Duration per{};
  bool aligned = false;                // counted in windows of the clock
};

// One key of a limit, as people write it: a consumer's name, an address, a header's value.
struct Whose {
  std::string_view key;
  const Consumer* consumer = nullptr;  // of that name, if there is one
  Instant now;
};

class Policy {
 public:
  virtual ~Policy() = default;
  virtual std::string_view kind() const noexcept = 0;  // literal: rate-limit
  virtual Phase phase() const noexcept = 0;
  virtual Step step(Input& in) const noexcept = 0;
  // Called in reverse order for every policy whose step() was called, unless the exchange was aborted. Once more if the body
  // that it wanted changed could not be gone on with: for the answer that takes its place.
  virtual void on_response(ResponseInput&) const noexcept {}
  virtual bool has_on_response() const noexcept { return false; }
  // A later limit refused the request: take back what step() charged.
  virtual void undo(Input&) const noexcept {}
  // The exchange is over.
  virtual void on_end(Input&, const observe::Record&) const noexcept {}
  // The kind of authenticator, or empty: two on one route are an error.
  virtual bool authenticates() const noexcept { return false; }
  // Of an authenticator: lets this consumer pass, whatever else it asks for (groups).
  virtual bool admits(const Consumer&) const noexcept { return true; }
  // Answers CORS preflights, which are therefore matched as the method that they ask for.
  virtual bool answers_preflight() const noexcept { return false; }
  // Takes from the request what only this policy may tell the upstream, and credentials that it has not looked at: it is not
  // stepped, as another authenticator has let the request pass, or its condition does not hold.
  virtual void untell(Input&) const noexcept {}
  // Adds names of query parameters whose values are credentials, for redaction of logged targets.
  virtual void secret_query(std::vector<std::string_view>&) const {}

  // Sends another path to the upstream than the request's.
  virtual bool rewrites_path() const noexcept { return false; }
  // What a cache policy says; null: it is none.
  virtual const CachePlan* cache_plan() const noexcept { return nullptr; }
  // Adds what it says of answers to calls of its own.
  virtual void part_plans(std::vector<const CachePlan*>&) const {}
  // Adds the upstreams that it may send the request to, instead of the route's.
  virtual void sends_to(std::vector<std::int32_t>&) const {}

  // Of a limit: how many more requests one of its keys has; nullopt: it is no limit. For scenarios.
  virtual std::optional<std::uint64_t> remaining(const Whose&) const { return std::nullopt; }

  // For lints. The field whose value, chosen by the client, tells one bucket from another; empty: none does.
  virtual std::string_view key_field() const noexcept { return {}; }
  // Adds the rates that it holds everyone to alike.
  virtual void plain_rates(std::vector<PlainRate>&) const {}
  // Adds the issuers whose tokens it takes.
  virtual void issuers(std::set<const Issuer*>&) const {}

  std::string id;     // route/kind unless the file says `id`
  std::string place;  // gateway.yaml:17
  diag::Span span;    // of the policy's key
  enum class Mode : std::uint8_t { Enforce, Observe } mode = Mode::Enforce;  // Observe: a denial is recorded, not carried out
  std::shared_ptr<const Condition> condition;  // null: every request; else those for which it holds, the others never meet the policy
  // What it decides holds for every request.
  bool is_certain() const noexcept { return mode == Mode::Enforce && !condition; }
};

}  // namespace gatelab::policy
