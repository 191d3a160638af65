// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/expect.h"

#include <algorithm>

#include "base/units.h"
#include "harness/match/json_text.h"

namespace gatelab::harness {
namespace {

class Judge {
 public:
  Judge(const Observation& seen, const std::string& step, CaseResult& result) : seen_(seen), step_(step), result_(result) {}

  void fail(const diag::Span& span, std::string message, std::string hint = {}) {
    result_.failures.push_back({span, std::move(message), step_, trace_of(seen_), std::move(hint)});
  }
  void match(const MatcherPtr& matcher, const Value& value, const std::string& what = {}) {
    if (!matcher) return;
    ++result_.expectations;
    if (const auto bad = matcher->match(value)) fail(bad->span, (what.empty() ? "" : what + ": ") + bad->got);
  }
  void match_all(const Matchers& matchers, const Texts& values, const std::string& what) {
    for (const auto& [name, matcher] : matchers) match(matcher, header_value(values, name), what + " " + name);
  }
  void count() { ++result_.expectations; }
  CaseResult& result() { return result_; }

 private:
  const Observation& seen_;
  const std::string& step_;
  CaseResult& result_;
};

Texts ended_of(const observe::OwnedRecord* record) {
  if (record == nullptr) return {};
  return {{"by", record->ended_by}, {"id", record->ended_id}, {"phase", std::string(observe::name(record->ended_phase))}, {"reason", record->ended_reason}};
}

Texts decision_of(const observe::OwnedRecord::OwnedDecision& d) {
  return {{"policy", d.policy}, {"id", d.id}, {"phase", std::string(observe::name(d.phase))}, {"outcome", std::string(observe::name(d.outcome))}, {"reason", d.reason}};
}

bool fits(const DecisionExpectation& expected, const observe::OwnedRecord::OwnedDecision& d) {
  const Texts fields = decision_of(d);
  return std::all_of(expected.fields.begin(), expected.fields.end(), [&fields](const auto& f) { return !f.second->match(header_value(fields, f.first)); });
}

// Each must occur, in this order; others may stand between.
void check_decisions(const Expect& expect, const Observation& seen, Judge& judge) {
  std::size_t at = 0;
  for (const DecisionExpectation& expected : expect.decisions) {
    judge.count();
    const std::size_t size = seen.record == nullptr ? 0 : seen.record->decisions.size();
    while (at < size && !fits(expected, seen.record->decisions[at])) ++at;
    if (at == size) return judge.fail(expected.span, size == 0 ? "no policy decided anything" : "no such decision, or not in this order");
    ++at;
  }
}

// The last to arrive may be one that was given up for another (`hedge`): then the one whose answer the client got.
const SeenRequest& answered(const Observation& seen) {
  if (seen.record != nullptr && !seen.record->attempts.empty())
    for (auto it = seen.upstream.rbegin(); it != seen.upstream.rend(); ++it)
      if ((*it)->upstream == seen.record->attempts.back().upstream && (*it)->target == seen.record->attempts.back().target) return **it;
  return *seen.upstream.back();
}

bool given_up(const SeenRequest& request, const observe::OwnedRecord* record) {
  if (record == nullptr) return false;
  return std::any_of(record->attempts.begin(), record->attempts.end(), [&request](const observe::OwnedRecord::OwnedAttempt& a) {
    return a.reason == observe::reason::kHedged.word && a.upstream == request.upstream && a.target == request.target;
  });
}

void check_upstream(const UpstreamExpectation& expected, const Observation& seen, Judge& judge) {
  judge.count();
  if (expected.none) {
    if (!seen.upstream.empty()) judge.fail(expected.span, "got a request: " + seen.upstream.front()->method + " " + seen.upstream.front()->path + " reached " + seen.upstream.front()->upstream);
    return;
  }
  if (seen.upstream.empty()) return judge.fail(expected.span, "nothing reached an upstream");
  const SeenRequest& last = answered(seen);
  judge.match(expected.name, nlohmann::json(last.upstream), "upstream");
  judge.match(expected.target, nlohmann::json(last.upstream + "/" + last.target), "target");
  judge.match(expected.attempts, nlohmann::json(seen.record == nullptr ? 0 : seen.record->attempts.size()), "attempts");
  judge.match(expected.proxied, last.proxied.empty() ? Value() : Value(nlohmann::json(last.proxied)), "proxied");
  judge.match(expected.certificate, last.certificate.empty() ? Value() : Value(nlohmann::json(last.certificate)), "certificate");
  if (!expected.request) return;
  const Fit fitting = fit(*expected.request, last);
  if (!fitting.fits) judge.fail(fitting.span ? fitting.span : expected.span, "the request that reached " + last.upstream + ": " + fitting.why);
}

void check_error(const Expect& expect, const Observation& seen, Judge& judge) {
  if (!expect.error.empty()) {
    judge.count();
    if (seen.answer.error != expect.error) judge.fail(expect.error_span, seen.answer.error.empty() ? "got a whole answer with status " + std::to_string(seen.answer.status) : "got " + seen.answer.error);
    return;
  }
  // An answer that was not expected to break off is a failure, whatever else was expected of it.
  if (!seen.answer.error.empty()) judge.fail(expect.span, "the request ended with: " + seen.answer.error);
}

// What no stub answered explains most of what was not expected.
void explain_misses(const Observation& seen, Failure& failure) {
  for (const SeenRequest* request : seen.upstream) {
    if (request->matched) continue;
    failure.hint = "no stub of `" + request->upstream + "` answers " + request->method + " " + request->path + ": " + request->near_miss;
    failure.stubs = request->misses;
    return;
  }
}

}  // namespace

std::vector<std::string> trace_of(const Observation& seen) {
  std::vector<std::string> out;
  if (seen.record == nullptr) return out;
  const observe::OwnedRecord& r = *seen.record;
  out.push_back("route " + r.route + "  " + r.method + " " + r.target + "  " + (r.status == 0 ? "no answer" : std::to_string(r.status)) + "  ended by " + r.ended_by + " (" + r.ended_reason + ") in " + std::string(observe::name(r.ended_phase)));
  for (const auto& d : r.decisions) {
    const char* mark = d.outcome == observe::Outcome::Allow ? "✓ " : d.outcome == observe::Outcome::Deny ? "✗ " : "– ";
    out.push_back(d.policy + "  " + mark + (d.reason.empty() ? std::string(observe::name(d.outcome)) : d.reason) + (d.detail.empty() ? "" : "  " + d.detail) + "  (" + d.place + ")");
  }
  for (const auto& a : r.attempts)
    out.push_back("upstream " + a.upstream + "/" + a.target + " → " + (a.status != 0 ? std::to_string(a.status) : a.reason) + " in " + format(a.connected + a.first_byte) + (a.reused ? " (kept connection)" : "") + (a.hedge ? " (hedge)" : ""));
  return out;
}

void check_answer(const Expect& expect, const Observation& seen, const std::string& step, CaseResult& result) {
  Judge judge(seen, step, result);
  const std::size_t before = result.failures.size();
  const Answer& a = seen.answer;
  check_error(expect, seen, judge);
  judge.match(expect.status, a.status == 0 ? Value() : Value(a.status));
  judge.match_all(expect.headers, a.headers, "header");
  judge.match_all(expect.trailers, a.trailers, "trailer");
  judge.match_all(expect.tls, a.tls, "tls");
  const std::string content = expect.body || !expect.json.lines.empty() ? content_of(a) : std::string();
  judge.match(expect.body, nlohmann::json(content));
  judge.match(expect.latency, nlohmann::json(a.latency.count()));
  if (!expect.json.lines.empty()) {
    judge.count();
    const auto body = parse_json_text(content);
    if (body.is_discarded()) judge.fail(expect.json.lines.front().span, std::string(is_nested_too_deep(content) ? "the body is nested too deep: " : "the body is not JSON: ") + shown(nlohmann::json(content), Dimension::Text));
    else if (const auto bad = match_json(expect.json, body)) judge.fail(bad->span, bad->got);
  }
  if (expect.has_interim) {
    judge.count();
    bool same = a.interim.size() == expect.interim.size();
    for (std::size_t i = 0; same && i < a.interim.size(); ++i) same = !expect.interim[i]->match(nlohmann::json(a.interim[i]));
    if (!same) judge.fail(expect.span, "got the interim answers " + nlohmann::json(a.interim).dump());
  }
  if (!expect.ended.empty() && seen.record == nullptr) judge.fail(expect.span, "the gateway logged no such request");
  else judge.match_all(expect.ended, ended_of(seen.record), "ended");
  if (expect.cache) judge.match(expect.cache, nlohmann::json(seen.record == nullptr || seen.record->cache.empty() ? std::string("none") : seen.record->cache));
  check_decisions(expect, seen, judge);
  if (expect.upstream) check_upstream(*expect.upstream, seen, judge);
  if (expect.closed) {
    judge.count();
    if (a.closed != *expect.closed) judge.fail(expect.closed_span, a.closed ? "the connection was closed" : "the connection was kept");
  }
  if (!expect.log.empty()) {
    const auto line = seen.log_line == nullptr ? nlohmann::json() : nlohmann::json::parse(*seen.log_line, nullptr, false);
    for (const auto& [name, matcher] : expect.log) {
      const auto found = line.find(name);
      judge.match(matcher, found == line.end() ? Value() : Value(*found), "log " + name);
    }
  }
  if (result.failures.size() > before && result.failures.back().hint.empty()) explain_misses(seen, result.failures.back());
}

// One failure for all that don't fit: how many, and the longest of them.
void judge_latencies(Judge& judge, const Totals& totals, const std::vector<Observation>& all) {
  if (!totals.latency) return;
  std::size_t misfits = 0;
  Duration longest{};
  std::optional<Mismatch> worst;
  for (const Observation& one : all) {
    judge.count();
    auto bad = totals.latency->match(Value(nlohmann::json(one.answer.latency.count())));
    if (!bad) continue;
    if (misfits++ > 0 && one.answer.latency <= longest) continue;
    longest = one.answer.latency;
    worst = std::move(bad);
  }
  if (worst) judge.fail(worst->span, "latency of " + std::to_string(misfits) + " of " + std::to_string(all.size()) + ", the longest: " + worst->got);
}

// "200 × 19, 503 × 11": what there was, where it is not what was expected.
std::string counts_of(const std::map<std::string, std::size_t>& by) {
  std::string out;
  for (const auto& [what, count] : by)
    if (count > 0) out += (out.empty() ? "" : ", ") + what + " × " + std::to_string(count);
  return out.empty() ? "there was none" : "there were " + out;
}

namespace {

// Those over a new connection as a kept one had gone stale are none.
std::size_t retries_of(const std::vector<Observation>& all) {
  std::size_t n = 0;
  for (const Observation& one : all)
    if (one.record != nullptr)
      for (const auto& a : one.record->attempts) n += a.retried ? 1 : 0;
  return n;
}

}  // namespace

void check_totals(const Totals& totals, const std::vector<Observation>& all, const std::string& step, CaseResult& result) {
  const Observation none;
  Judge judge(none, step, result);
  std::map<std::string, std::size_t> by_status, by_target;
  std::size_t errors = 0, attempts = 0;
  for (const Observation& one : all) {
    if (!one.answer.error.empty()) ++errors;
    if (one.answer.status != 0) ++by_status[std::to_string(one.answer.status)];
    for (const SeenRequest* request : one.upstream) {
      if (given_up(*request, one.record)) continue;
      ++by_target[request->upstream];
      ++by_target[request->upstream + "/" + request->target];
    }
    if (one.record != nullptr) attempts = std::max(attempts, one.record->attempts.size());
  }
  const std::size_t before = result.failures.size();
  for (const auto& [status, matcher] : totals.status) judge.match(matcher, nlohmann::json(by_status[status]), "answers with status " + status);
  if (result.failures.size() > before) result.failures.back().hint = counts_of(by_status);
  for (const auto& [target, matcher] : totals.served_by) judge.match(matcher, nlohmann::json(by_target[target]), "served by " + target);
  judge.match(totals.errors, nlohmann::json(errors), "errors");
  judge.match(totals.attempts_max, nlohmann::json(attempts), "attempts_max");
  judge.match(totals.retries, nlohmann::json(retries_of(all)), "retries");
  judge_latencies(judge, totals, all);
}

}  // namespace gatelab::harness
