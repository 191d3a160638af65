// SPDX-License-Identifier: Apache-2.0
// A scenario file as checked values (docs/scenarios.md). Immutable once parsed; any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "coding/coder.h"
#include "gateway/gateway.h"
#include "harness/idp/provider.h"
#include "harness/match/matcher.h"
#include "harness/match/message.h"
#include "harness/mock/stub.h"
#include "harness/replay/replay.h"
#include "harness/scenario/signature.h"
#include "harness/scenario/tls.h"
#include "harness/scenario/values.h"

namespace gatelab::harness {

// One concept: an API key, a token, a client certificate, or a signature.
struct Credential {
  enum class Where : std::uint8_t { Header, Query, Cookie } where = Where::Header;
  std::string name = "X-Api-Key";
  std::string scheme;              // in front of it: "Bearer"
  Secret key;
  std::optional<TokenSpec> token;  // made when it is first used
  std::string from;                // the credential that it was derived from
  std::string certificate, certificate_key;  // files: a client certificate instead of a key
  std::optional<SignatureSpec> signature;    // made for each request, instead of a key
  std::vector<std::pair<std::string, std::string>> headers;  // of a signature that was made
  diag::Span span;
};

using Texts = std::vector<std::pair<std::string, std::string>>;
using Matchers = std::vector<std::pair<std::string, MatcherPtr>>;

// A connection that stays open under a name.
struct StreamUse {
  enum class Kind : std::uint8_t { None, Websocket, Answer } kind = Kind::None;
  std::string name;
};

// For an answer, of a request that says nothing of it. Virtual time costs nothing.
constexpr Duration kPatience = std::chrono::minutes(10), kSocketPatience = std::chrono::seconds(30);

// What a target is made to suffer from now on, or no longer.
struct FaultStep {
  std::string target;  // "orders/primary", or "orders" for all of its targets
  upstream::Fault fault;
  bool clear = false;  // `fault.name`, or all
  diag::Span span, target_span;
};

// At an instant of a step that goes on.
struct During {
  Duration at{};
  FaultStep fault;
  diag::Span span;
};

// How a request's body goes out, where not at once and whole.
struct Upload {
  std::uint64_t rate = 0;                  // octets a second; 0: as fast as they are taken
  std::optional<std::uint64_t> abort_after;  // octets of the body; then the client goes away, or stops if `half_close`
  bool half_close = false;                 // the client sends nothing more: it says so, and reads on
  bool is_plain() const noexcept { return rate == 0 && !abort_after && !half_close; }
};

struct Send {
  std::string method, target;
  Texts headers;
  std::string body;
  bool has_body = false;
  std::string body_file;                 // relative to the scenario's directory: its octets are the body
  std::optional<coding::Coding> coding;  // that they are sent in; `body` is in it already
  diag::Span body_span;
  Upload upload;
  std::optional<std::string> raw;  // octets instead of all of the above
  std::string as;
  bool http10 = false;
  std::string connection;  // a name: kept open between steps
  std::string listener;
  diag::Span listener_span;
  IpAddress from;          // None: wherever
  std::string preface;     // a PROXY header
  std::optional<ClientTls> tls;
  StreamUse stream;                   // a request that opens one, or
  std::optional<OutMessage> message;  // a message on the WebSocket `stream`
  std::uint32_t count = 1, concurrency = 1;
  Duration every{};
  std::vector<During> during;
  std::optional<Duration> timeout;  // else kPatience, or kSocketPatience on sockets
  std::vector<std::pair<std::string, JsonPath>> save_json;
  Texts save_headers;  // name, header
};

struct UpstreamExpectation {
  bool none = false;
  MatcherPtr name, target, attempts, proxied, certificate;
  std::optional<RequestMatcher> request;
  std::optional<std::vector<MessageMatcher>> messages;  // of a WebSocket
  diag::Span span;
};

struct DecisionExpectation {
  Matchers fields;  // policy, id, phase, outcome, reason
  diag::Span span;
};

struct Expect {
  MatcherPtr status, body, latency, cache;
  Matchers headers, trailers, ended, log, tls;
  JsonExpectation json;
  std::vector<MatcherPtr> interim;
  bool has_interim = false;
  std::optional<std::vector<MessageMatcher>> messages;  // that came since the last look
  diag::Span messages_span;
  std::vector<DecisionExpectation> decisions;
  std::optional<UpstreamExpectation> upstream;
  std::string error;  // refused, closed, timeout, truncated, tls-alert, tls-certificate, tls-handshake, not-tls
  diag::Span error_span;
  std::optional<bool> closed;
  diag::Span closed_span, span;
};

// Of many answers.
struct Totals {
  Matchers status;  // "200": how many; only exact codes
  MatcherPtr errors, latency, attempts_max, retries;
  Matchers served_by;  // upstreams, and targets as "orders/primary"
  std::vector<std::pair<std::string, diag::Span>> served_by_spans;  // of the names
  diag::Span span;
};

struct Check {
  enum class What : std::uint8_t { Calls, Metric, Breaker, Health, Probes, Limit, Cache, Log } what = What::Calls;
  std::string name;
  std::string key;  // of a limit
  bool counts = false;  // of Log: how many lines, instead of themselves
  std::map<std::string, std::string> labels;
  MatcherPtr value;
  diag::Span span, name_span;
};

struct Reload {
  std::string gateway;                           // a file, beside the scenario
  std::vector<std::pair<std::string, config::Node>> patch;  // dotted path, value
  std::optional<bool> ok;
  MatcherPtr kept, reset, removed, error;
  bool expects() const noexcept { return ok || kept || reset || removed || error; }
};

struct Restart {
  bool crash = false;                // it is killed: what is not written yet is lost
  std::optional<std::string> state;  // what its state file holds when it starts again
  MatcherPtr told;                   // to people, at the start
};

// A command of the admin API.
struct Purge {
  gateway::PurgeRequest request;
  MatcherPtr purged;
};

// What becomes of an issuer's keys.
struct IssuerStep {
  std::string name;
  std::optional<std::vector<std::string>> publish;  // kids that are in its key set from now on
  std::optional<std::string> sign;                  // the key of tokens that are made from now on
  std::optional<std::optional<Reply>> reply;        // instead of the key set; null: the key set again
};

struct LoadSpec;  // load_spec.h

struct Step {
  enum class Verb : std::uint8_t { Send, Receive, Drop, Advance, Check, Reload, Restart, Issuer, Fault, Load, Replay, Admin } verb = Verb::Send;
  std::string name;
  diag::Span span;
  bool late = false;  // speaks of saved values: parsed again when they are known
  Send send;
  std::string stream;  // of Receive and Drop
  std::optional<Expect> expect;
  Purge purge;
  std::optional<Totals> totals;
  Duration advance{};
  std::vector<Check> checks;
  Reload reload;
  Restart restart;
  IssuerStep issuer;
  FaultStep fault;
  std::shared_ptr<const LoadSpec> load;
  std::shared_ptr<harness::Replay> replay;
};

// A gateway that is not ours (docs/running-scenarios.md): one that runs somewhere, or a program to start. Texts may speak of
// $(gateway.port), $(gateway.directory), $(mocks.NAME.port), …: foreign_places.h fills them in.
struct ForeignSpec {
  std::string url;
  std::string ca;                      // a file; empty: the system's
  std::vector<std::string> run;        // empty: it runs already
  std::vector<std::string> templates;  // files that are written into its directory
  Texts env;
  std::string ready;                   // a URL or path that it answers below 500; empty: it takes connections
  Duration within = std::chrono::seconds(10);
  diag::Span span, url_span, run_span, templates_span, env_span, ready_span;
};

struct World {
  std::string gateway;
  diag::Span gateway_span;
  std::optional<ForeignSpec> foreign;  // instead of `gateway`
  bool sim = true, real = false;  // modes
  Instant start = Instant::from_seconds(1'767'225'600);
  diag::Span recorded_start;  // of `start: recorded`: as the first recording that is replayed
  std::uint64_t seed = 1;
  std::map<std::string, IssuerSpec> issuers;
  std::map<std::string, diag::Span> issuer_spans;
  std::map<std::string, Credential> credentials;
  std::map<std::string, std::vector<Stub>> mocks;
  std::map<std::string, diag::Span> mock_spans;
  std::map<std::string, MockTls> mock_tls;
  std::map<std::string, Address> mock_addresses;  // of gateways that run already, and know where their upstreams are
};

struct Case {
  std::string name;
  diag::Span span;
  int row = 0;  // 1-based; 0: no `each`
  std::vector<std::string> tags;
  World world;
  std::vector<Step> steps;
  // For late steps: the nodes as written, in `tree`, and what they may speak of.
  std::vector<const config::Node*> step_nodes;
  std::shared_ptr<const config::Node> row_node, vars_node;
};

struct File {
  std::string rerun;  // how a case of it is run again; empty: by gatelab test
  std::string path;
  std::string name;
  diag::SourcePtr source;
  std::unique_ptr<config::Node> tree;
  bool real = false;
  std::vector<Case> cases;
};

// Null if there were errors. Never throws.
std::unique_ptr<File> parse_file(std::string path, diag::SourcePtr source, std::unique_ptr<config::Node> tree, const config::EnvSource& env, diag::Sink& sink);
// credential.cc: `issuers:` and `credentials:` of a world, and the verb `issuer`. Credentials may derive from each other.
void parse_issuers(World& world, const config::Node* node, diag::Sink& sink);
void parse_credentials(World& world, const config::Node* node, diag::Sink& sink);
void parse_issuer_step(Step& step, const config::Node& value, config::Reader& r, const World& world, diag::Sink& sink);
// parse_foreign.cc: `gateway: { url }` and `{ run }`; and what a scenario with such a gateway can't say. Each reports.
ForeignSpec parse_foreign(const config::Node& node, diag::Sink& sink);
void check_foreign(const File& file, const Case& c, const io::Files& files, diag::Sink& sink);
Expect parse_expect(const config::Node& node, const World& world, diag::Sink& sink);
// parse_stream.cc: `receive` and `drop`; `send: { websocket: name, … }`; `websocket` and `stream` beside a request.
void parse_stream_verb(Step& step, std::string_view verb, const config::Node& value, config::Reader& r, const World& world, diag::Sink& sink);
void parse_message_send(Step& step, const config::Node& value, config::Reader& r, const World& world, diag::Sink& sink);
void parse_stream_use(Step& step, config::Reader& r, diag::Sink& sink);
// parse_fault.cc: the verb `fault`, and what the admin API is told. Reports.
FaultStep parse_fault(const config::Node& node, const World& world, diag::Sink& sink);
// { url: …, soft: true }; the admin API takes the same.
gateway::PurgeRequest parse_purge(const config::Node& node, diag::Sink& sink);
// ids: as of Gateway::fault() and clear_faults().
Status apply(const FaultStep& step, gateway::Gateway& gateway);
// One step whose values are known. Reports.
Step parse_step(const config::Node& node, const World& world, diag::Sink& sink);

}  // namespace gatelab::harness
