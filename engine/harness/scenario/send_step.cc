// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/send_step.h"

#include <algorithm>
#include <atomic>
#include <map>

#include "base/text.h"
#include "harness/scenario/bodies.h"
#include "harness/scenario/saved.h"

namespace gatelab::harness {
namespace {

constexpr Duration kStepBudget = kPatience;

std::string host_name(const Texts& headers) {
  for (const auto& [name, value] : headers)
    if (iequals(name, "host")) return value.substr(0, value.find(':'));
  return {};
}

}  // namespace

struct SendStep::Batch {
  std::vector<Answer> answers;
  std::vector<std::size_t> seen;  // how many requests the mocks had seen when each was over
  std::string octets, method;
  std::size_t body = 0;           // where it begins
  Upload upload;
  Dial dial;
  Duration every{}, timeout{};
  Instant began;
  std::uint32_t next = 0;
  std::atomic<std::uint32_t> lanes{0};
  std::atomic<std::uint32_t> waiting{0};  // for their instant, of `during`
  std::uint32_t happened = 0;
  std::string problem;                    // of one that happened
  io::CancelToken over;
};

bool SendStep::secured(const Step& s, const gateway::Bound& bound, const Credential* credential, Secured& out) {
  if (!bound.tls && !s.send.tls) return true;
  ClientTls tls = s.send.tls.value_or(ClientTls{});
  if (tls.off) return true;
  const ForeignGateway* foreign = world_.foreign();
  if (tls.trust.empty()) tls.trust = world_.trust();
  if (!tls.certificate.empty()) {
    credential = &world_.of().world.credentials.at(tls.certificate);
    world_.result().used_credentials.insert(tls.certificate);
  }
  std::shared_ptr<const crypto::Identity> identity;
  if (credential != nullptr && !credential->certificate.empty()) {
    auto loaded = load_identity(credential->certificate, credential->certificate_key, world_.files(), world_.directory());
    if (!loaded) return world_.fail(credential->span, loaded.error().message), false;
    identity = std::move(*loaded);
  }
  auto context = client_context(tls, std::move(identity), world_.authority(), world_.files(), world_.directory());
  if (!context) return world_.fail(s.span, context.error().message), false;
  out.context = std::move(*context);
  out.name = tls.sni ? *tls.sni : host_name(s.send.headers);
  if (foreign != nullptr && out.name.empty()) out.name = foreign->url().host;
  if (tls.session.empty()) return true;
  auto& kept = sessions_[tls.session];
  if (!kept) kept = std::make_shared<crypto::TlsSessions>();
  out.sessions = kept;
  return true;
}

const gateway::Bound* SendStep::listener(const Step& s) {
  bound_ = world_.listeners();
  for (const gateway::Bound& bound : bound_)
    if (s.send.listener.empty() || bound.name == s.send.listener) return &bound;
  world_.fail(s.span, s.send.listener.empty() ? "the gateway has no listener" : "the gateway has no listener `" + s.send.listener + "`");
  return nullptr;
}

// A gateway that is not ours may know itself by its name.
Send SendStep::addressed(const Send& send) {
  Send out = send;
  if (world_.foreign() != nullptr && !out.raw && host_name(out.headers).empty()) out.headers.emplace_back("Host", world_.foreign()->url().authority);
  return out;
}

void SendStep::run(const Step& s) {
  const gateway::Bound* to = listener(s);
  if (to == nullptr) return;
  Send out = addressed(s.send);
  if (!out.body_file.empty()) {
    auto body = read_body(out, world_.files(), world_.directory());
    if (!body) return world_.fail(out.body_span, body.error().message);
    out.body = std::move(*body);
  }
  std::optional<Credential> used;
  if (!s.send.as.empty()) {
    auto usable = world_.identities().use(s.send.as, world_.driver().now());
    if (!usable) return world_.fail(s.span, usable.error().message);
    used = std::move(*usable);
    const bool plain = s.send.tls ? s.send.tls->off : !to->tls;
    const Status made = used->signature ? world_.identities().sign(*used, out, to->address, plain ? "http" : "https", world_.driver().now(), world_.files(), world_.directory()) : success();
    if (!made) return world_.fail(s.span, made.error().message);
  }
  const Credential* credential = used ? &*used : nullptr;
  Dial dial{to->address, to->path, s.send.from, s.send.preface, s.send.connection, {}};
  if (!secured(s, *to, credential, dial.tls)) return;
  if (s.send.stream.kind != StreamUse::Kind::None) return streams_.open(s, std::move(dial), octets_of(out, credential, to->address));
  const Before before{world_.records().size(), world_.mocks().seen_count()};
  // Shared with the lanes, so that a step that is given up leaves nothing hanging.
  auto batch = std::make_shared<Batch>();
  batch->answers.resize(s.send.count);
  batch->seen.resize(s.send.count);
  batch->octets = octets_of(out, credential, to->address);
  batch->body = batch->octets.size() - (out.raw ? 0 : out.body.size());
  batch->upload = out.upload;
  batch->dial = std::move(dial);
  batch->method = s.send.raw ? s.send.raw->substr(0, s.send.raw->find(' ')) : s.send.method;
  batch->every = s.send.every;
  batch->timeout = s.send.timeout.value_or(world_.driver().simulated() ? kPatience : kSocketPatience);
  world_.driver().on(world_.driver().outside(), [this, batch, &s, lanes = std::min(s.send.concurrency, s.send.count)] {
    batch->began = world_.driver().outside().now();
    for (std::uint32_t lane = 0; lane < lanes; ++lane) {
      ++batch->lanes;
      world_.scope().spawn(run_lane(batch));
    }
    for (const During& during : s.send.during) {
      ++batch->waiting;
      world_.scope().spawn(happen(batch, during));
    }
  });
  const std::string problem = world_.driver().run_until([batch] { return batch->lanes.load() == 0; }, kStepBudget);
  world_.driver().on(world_.driver().outside(), [batch] { batch->over.cancel(); });
  world_.driver().run_until([batch] { return batch->waiting.load() == 0; }, kStepBudget);
  if (!problem.empty()) return world_.fail(s.span, problem);
  if (!batch->problem.empty()) return world_.fail(s.span, batch->problem);
  if (batch->happened < s.send.during.size())
    return world_.fail(s.send.during[batch->happened].span, "the step was over before this: it took " + format(world_.driver().now() - batch->began), "an earlier `at`, or more requests");
  settle(before.records, batch->answers);
  for (const Answer& answer : batch->answers) trace(answer);
  judge(s, *batch, before);
}

// `during` lives in the step, which waits for this.
io::Task<void> SendStep::happen(std::shared_ptr<Batch> batch, const During& during) {
  io::Wait wait;
  wait.deadline = batch->began + during.at;
  wait.cancel = &batch->over;
  wait.background = true;
  wait.what = "an instant of `during`";
  const io::Code code = co_await io::sleep_until(world_.driver().outside(), wait);
  if (code == io::Code::TimedOut) {
    ++batch->happened;
    const Status applied = world_.apply_fault(during.fault);
    if (!applied && batch->problem.empty()) batch->problem = applied.error().message;
  }
  --batch->waiting;
}

io::Task<void> SendStep::run_lane(std::shared_ptr<Batch> batch) {
  while (batch->next < batch->answers.size()) {
    const std::uint32_t i = batch->next++;
    if (batch->every > Duration{} && i > 0) {
      io::Wait wait;
      wait.deadline = batch->began + batch->every * i;
      wait.cancel = &world_.scope().token();
      wait.what = "the next of a repeated request";
      co_await io::sleep_until(world_.driver().outside(), wait);
    }
    if (world_.scope().token().cancelled()) break;
    io::Task<void> sending = world_.client().send(batch->dial, batch->octets, batch->body, batch->upload, batch->method, batch->timeout, batch->answers[i]);
    co_await sending;
    batch->seen[i] = world_.mocks().seen_count();
  }
  --batch->lanes;
}

// On sockets the answer can be here before its record: wait for as many as there are answers.
void SendStep::settle(std::size_t first, const std::vector<Answer>& answers) {
  if (world_.foreign() != nullptr) return;
  // That a client has broken off is noticed a little later: in simulated time, too.
  if (world_.driver().simulated() && std::none_of(answers.begin(), answers.end(), [](const Answer& a) { return a.error == "aborted"; })) return;
  const auto whole = static_cast<std::size_t>(std::count_if(answers.begin(), answers.end(), [](const Answer& a) { return a.status != 0 || a.error == "tls-alert" || a.error == "aborted"; }));
  world_.driver().run_until([this, first, whole] { return world_.records().size() >= first + whole; }, std::chrono::seconds(5));
}

void SendStep::judge(const Step& s, const Batch& batch, const Before& before) {
  const std::vector<Answer>& answers = batch.answers;
  const std::vector<SeenRequest> seen = world_.mocks().seen();
  for (std::size_t i = before.seen; i < seen.size(); ++i) trace(seen[i]);
  const std::vector<const RecordBook::Entry*> logged = world_.records().since(before.records);
  std::map<std::string, std::size_t> by_id;
  for (std::size_t i = 0; i < logged.size(); ++i) by_id[logged[i]->record.request_id] = i;
  std::vector<Observation> all;
  // A policy may hide the id from the client or the upstream, and an answer without a head has none. One request has one
  // record, and requests that follow each other have theirs in order.
  const bool in_order = s.send.concurrency == 1 && logged.size() == answers.size();
  // Of a gateway that is not ours: what reached a mock between one answer and the next was for the next.
  const bool by_time = world_.foreign() != nullptr && s.send.concurrency == 1;
  for (std::size_t n = 0; n < answers.size(); ++n) {
    Observation one;
    one.answer = answers[n];
    const auto known = by_id.find(answers[n].request_id);
    std::size_t at = logged.size();
    if (known != by_id.end()) at = known->second;
    else if (in_order) at = n;
    else if (answers.size() == 1 && at > 0) --at;
    if (at < logged.size()) {
      one.record = &logged[at]->record;
      one.log_line = &logged[at]->line;
    }
    const auto in_its_time = [&](std::size_t i) { return i >= (n == 0 ? before.seen : batch.seen[n - 1]) && i < batch.seen[n]; };
    for (std::size_t i = before.seen; i < seen.size(); ++i)
      if (answers.size() == 1 || (by_time && in_its_time(i)) || (one.record != nullptr && seen[i].request_id == one.record->request_id)) one.upstream.push_back(&seen[i]);
    all.push_back(std::move(one));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string which = s.name + (all.size() > 1 ? (s.name.empty() ? "" : " ") + ("(" + std::to_string(i + 1) + " of " + std::to_string(all.size()) + ")") : "");
    if (s.expect) check_answer(*s.expect, all[i], which, world_.result());
    else if (!s.totals && !all[i].answer.error.empty()) world_.result().failures.push_back({s.span, "the request ended with: " + all[i].answer.error, which, trace_of(all[i]), {}});
    if (world_.go_on()) continue;
    // Plain requests wait for the end of an answer.
    if (all[i].answer.error == "timeout" && !s.send.timeout)
      world_.result().failures.back().hint = "a request is given up after " + format(world_.driver().simulated() ? kPatience : kSocketPatience) + ": `timeout: 5s` beside it waits as long as it says, `stream: name` looks at an answer that stays open";
    return;
  }
  if (s.totals) check_totals(*s.totals, all, s.name, world_.result());
  unmatched(s, all, seen, before.seen);
  if (world_.go_on()) save_from(all.back().answer, s.send, s.span, saved_, world_.result());
}

void SendStep::unmatched(const Step& s, const std::vector<Observation>& all, const std::vector<SeenRequest>& seen, std::size_t first_seen) {
  for (std::size_t i = first_seen; i < seen.size() && world_.go_on(); ++i) {
    if (seen[i].matched) continue;
    world_.result().failures.push_back({s.span, "no stub of `" + seen[i].upstream + "` answers " + seen[i].method + " " + seen[i].path + (seen[i].query.empty() ? "" : "?" + seen[i].query), s.name,
                                all.empty() ? std::vector<std::string>{} : trace_of(all.front()), seen[i].near_miss, seen[i].misses});
  }
  for (const Observation& one : all) {
    if (!world_.go_on() || one.record == nullptr || one.record->ended_reason != observe::reason::kUnmocked.word) continue;
    if (s.expect && !s.expect->ended.empty()) continue;
    world_.result().failures.push_back({s.span, "the request went to an upstream that has no mock", s.name, trace_of(one), "add it under `mocks`"});
  }
}

// The simulation's own hash knows when how many octets moved; what they said belongs to the promise too (docs/time.md).
void SendStep::trace(std::string_view text) { plaintext_ = world_.identities().has_tokens() ? hash64(world_.identities().masked(text), plaintext_) : hash64(text, plaintext_); }
void SendStep::trace(const Texts& texts) {
  for (const auto& [name, value] : texts) {
    trace(name);
    trace(value);
  }
}
void SendStep::trace(const Answer& a) {
  plaintext_ = mix64(plaintext_ ^ static_cast<std::uint64_t>(a.status) ^ static_cast<std::uint64_t>(a.latency.count()) << 10);
  trace(a.headers);
  trace(a.body);
  trace(a.trailers);
}
void SendStep::trace(const SeenRequest& r) {
  for (const std::string* text : {&r.method, &r.path, &r.query}) trace(*text);
  trace(r.headers);
  trace(r.body);
}

}  // namespace gatelab::harness
