// SPDX-License-Identifier: Apache-2.0
#include "harness/diff/sources.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "config/node.h"
#include "harness/replay/import.h"
#include "harness/replay/recorded_upstreams.h"
#include "harness/replay/request.h"
#include "harness/select.h"

namespace gatelab::harness::diff {
namespace {

Request request_of(const RecordedExchange& exchange) {
  Request out;
  out.method = exchange.request.method;
  out.target = exchange.request.target;
  bool hosted = false;
  // HTTP/2 has its pseudo fields; a browser's HAR lists them.
  for (const auto& [name, value] : exchange.request.headers) {
    if (name.starts_with(":")) continue;
    hosted = hosted || iequals(name, "host");
    if (!is_of_connection(name)) out.headers.emplace_back(name, value);
  }
  // A proxy's form: http://api.local/x is Host api.local, target /x.
  const std::size_t scheme = out.target.starts_with('/') ? std::string::npos : out.target.find("://");
  if (scheme != std::string::npos) {
    const std::size_t path = out.target.find_first_of("/?", scheme + 3);
    const std::string host = out.target.substr(scheme + 3, path == std::string::npos ? path : path - scheme - 3);
    out.target = path == std::string::npos ? "/" : out.target.substr(path);
    if (out.target.front() != '/') out.target.insert(0, 1, '/');
    if (!hosted) out.headers.insert(out.headers.begin(), {"Host", host});
    hosted = true;
  }
  if (!hosted) out.headers.insert(out.headers.begin(), {"Host", "localhost"});
  out.has_body = exchange.request.body.size > 0;
  if (exchange.request.body.octets) out.body = *exchange.request.body.octets;
  else if (out.has_body) out.body.assign(std::min<std::uint64_t>(exchange.request.body.size, std::uint64_t{64} << 20), 'x');
  return out;
}

// What upstreams answered when it was recorded: the first answer to such a request.
void answer_from(const std::vector<RecordedExchange>& exchanges, Common& common) {
  auto answers = std::make_shared<std::map<std::string, std::shared_ptr<const Reply>>>();
  for (const RecordedExchange& exchange : exchanges)
    for (const RecordedAttempt& attempt : exchange.attempts)
      if (attempt.answer.status >= 200) answers->try_emplace(attempt.upstream + " " + attempt.request.method + " " + attempt.request.target, std::make_shared<const Reply>(harness::reply_of(attempt.answer)));
  if (answers->empty()) return;
  common.answers = [answers](const SeenRequest& request) -> std::shared_ptr<const Reply> {
    const auto known = answers->find(request.upstream + " " + request.method + " " + request.path + (request.query.empty() ? "" : "?" + request.query));
    return known == answers->end() ? nullptr : known->second;
  };
}

// The steps of one case, without what they expect.
class CaseProbe {
 public:
  CaseProbe(const Case& c, const Common& common, Tokens& tokens, std::set<std::string>& left_out) : case_(c), common_(common), tokens_(tokens), left_out_(left_out) {}

  Probe make(const std::string& file) {
    probe_.about = file + ": " + case_.name;
    probe_.start = now_ = case_.world.start;
    probe_.mocks = std::make_shared<const std::map<std::string, std::vector<Stub>>>(case_.world.mocks);
    for (const harness::Step& step : case_.steps) add(step);
    return std::move(probe_);
  }

 private:
  void add(const harness::Step& step) {
    using Verb = harness::Step::Verb;
    if (step.late) return leave_out("steps that speak of saved values");
    switch (step.verb) {
      case Verb::Send: return send(step.send);
      case Verb::Advance:
        now_ = now_ + step.advance;
        probe_.advance(step.advance);
        return;
      case Verb::Fault:
        if (step.fault.clear) probe_.clear(step.fault.target);
        else probe_.suffer(step.fault.target, step.fault.fault);
        return;
      case Verb::Check: return;
      case Verb::Receive: case Verb::Drop: return leave_out("open streams");
      case Verb::Reload: case Verb::Restart: return leave_out("reloads and restarts");
      case Verb::Replay: return leave_out("replays");
      case Verb::Admin: return leave_out("commands of the admin API");
      case Verb::Issuer: return leave_out("changes of issuers' keys");
      case Verb::Load: return leave_out("loads");
    }
  }

  void send(const harness::Send& send) {
    if (send.raw) return leave_out("`raw` requests");
    if (send.message || send.stream.kind != StreamUse::Kind::None) return leave_out("open streams");
    Request request;
    request.method = send.method;
    request.target = send.target;
    request.headers = send.headers;
    request.body = send.body;
    request.has_body = send.has_body;
    request.listener = send.listener;
    request.from = send.from;
    request.connection = send.connection;
    if (!send.as.empty() && !identify(send.as, request)) return;
    const bool hosted = std::any_of(request.headers.begin(), request.headers.end(), [](const auto& h) { return iequals(h.first, "host"); });
    if (!hosted) request.headers.insert(request.headers.begin(), {"Host", "localhost"});
    probe_.send(std::move(request), send.count, send.concurrency);
  }

  bool identify(const std::string& name, Request& request) {
    const Credential& c = case_.world.credentials.at(name);
    if (c.signature || !c.certificate.empty()) return leave_out("signatures and client certificates"), false;
    std::string key(c.key.reveal());
    if (c.token) {
      const auto issuer = common_.issuers.find(c.token->issuer);
      if (issuer == common_.issuers.end()) return leave_out("tokens of issuers that the configurations have not"), false;
      TokenSpec spec = *c.token;
      if (!spec.kid) spec.kid = "diff";
      // One that a scenario uses twice is the same token.
      const auto [at, fresh] = minted_.try_emplace(name);
      if (fresh) {
        auto token = issuer->second->mint(spec, now_);
        if (!token) return leave_out("tokens that can't be minted here"), false;
        at->second = std::move(*token);
        TokenSpec& said = tokens_[name] = *c.token;
        if (!said.claims.contains("iat")) said.claims["iat"] = now_.seconds();
        if (!said.claims.contains("exp")) said.claims["exp"] = (now_ + said.ttl).seconds();
      }
      key = at->second;
      if (c.where == Credential::Where::Header && iequals(c.name, "authorization")) request.token = name;
    }
    if (!c.scheme.empty()) key = c.scheme + " " + key;
    switch (c.where) {
      case Credential::Where::Header: request.headers.emplace_back(c.name, key); break;
      case Credential::Where::Cookie: request.headers.emplace_back("Cookie", c.name + "=" + key); break;
      case Credential::Where::Query: request.target += (request.target.find('?') == std::string::npos ? "?" : "&") + c.name + "=" + key; break;
    }
    return true;
  }

  void leave_out(const char* what) { left_out_.insert(what); }

  const Case& case_;
  const Common& common_;
  Tokens& tokens_;
  std::set<std::string>& left_out_;
  std::map<std::string, std::string> minted_;
  Instant now_;
  Probe probe_;
};

}  // namespace

void add_traffic(const diag::SourcePtr& source, const std::vector<Replay::Secret>& secrets, Common& common, std::vector<Probe>& probes, diag::Sink& sink, std::vector<std::string>& notes) {
  std::vector<RecordedExchange> exchanges = import_traffic(source, sink);
  if (sink.has_errors()) return;
  if (exchanges.empty()) {
    sink.error("no-traffic", {source, 0, 0}, "there is no request in it", "a recording, a HAR, an access log or a list of curl commands");
    return;
  }
  std::stable_sort(exchanges.begin(), exchanges.end(), [](const auto& a, const auto& b) { return a.began < b.began; });
  answer_from(exchanges, common);
  Probe probe;
  probe.about = source->name;
  if (exchanges.front().began.ns > 0) probe.start = exchanges.front().began;
  Instant now = exchanges.front().began;
  std::size_t marked = 0;
  std::string mark;
  std::vector<bool> used;
  for (RecordedExchange& exchange : exchanges) {
    if (exchange.began > now) probe.advance(exchange.began - now);
    now = exchange.began;
    put_back(exchange.request, secrets, used);
    Request request = request_of(exchange);
    const std::string left = first_mark(exchange.request);
    request.marked = !left.empty();
    marked += request.marked;
    if (mark.empty()) mark = left;
    probe.send(std::move(request));
  }
  for (std::size_t i = 0; i < secrets.size(); ++i)
    if (i >= used.size() || !used[i]) sink.error("unused-secret", {source, 0, 0}, "no request has the mark <redacted:" + secrets[i].mark + ">", "leave it out; each recording has marks of its own");
  if (marked > 0) notes.push_back(std::to_string(marked) + " of " + std::to_string(exchanges.size()) + " requests have lost a secret to the recording: --secret " + mark + "=VARIABLE puts one back");
  probes.push_back(std::move(probe));
}

void add_scenarios(const std::vector<std::string>& paths, Common& common, std::vector<Probe>& probes, Tokens& tokens, diag::Sink& sink, std::vector<std::string>& notes) {
  std::string problem;
  std::set<std::string> left_out;
  for (const Found& found : find_files(paths, problem)) {
    const auto text = common.files->read(found.path);
    auto source = std::make_shared<diag::SourceFile>();
    source->name = found.path;
    if (text) source->text = *text;
    else problem = text.error().message;
    config::ParseOptions parse;
    parse.substitute_env = false;
    diag::Sink own;
    auto tree = config::parse(source, parse, own);
    // In a directory stand other YAML files too.
    if (!found.named && (!tree || tree->find("cases") == nullptr)) continue;
    std::unique_ptr<File> file;
    if (tree) file = parse_file(found.path, source, std::move(tree), common.env, own);
    for (const diag::Diagnostic& d : own.all()) sink.report(d);
    if (!file) continue;
    common.references.find(source->text, common.env);
    for (const Case& c : file->cases) {
      Probe probe = CaseProbe(c, common, tokens, left_out).make(found.path);
      if (std::any_of(probe.steps.begin(), probe.steps.end(), [](const Step& s) { return s.kind == Step::Kind::Send; })) probes.push_back(std::move(probe));
    }
  }
  if (!problem.empty()) sink.error("no-file", {}, problem);
  for (const std::string& what : left_out) notes.push_back("left out: " + what);
}

}  // namespace gatelab::harness::diff
