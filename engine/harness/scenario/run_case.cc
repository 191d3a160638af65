// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/run_case.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>

#include "base/text.h"
#include "gateway/gateway.h"
#include "harness/mock/mock.h"
#include "harness/scenario/client.h"
#include "harness/scenario/driver.h"
#include "harness/scenario/expect.h"
#include "harness/scenario/gateway_file.h"
#include "harness/scenario/identities.h"
#include "harness/scenario/saved.h"
#include "harness/scenario/stream_steps.h"
#include "io/scope.h"
#include "observe/access_log.h"

namespace gatelab::harness {
namespace {

constexpr Duration kStepBudget = kPatience;
constexpr std::uint32_t kWorkers = 2;

class CaseRun {
 public:
  CaseRun(const File& file, const Case& c, const TestOptions& options, io::Files& files, CaseResult& result)
      : file_(file), case_(c), options_(options), files_(files), result_(result), identities_(c.world, result),
        driver_(options.real ? make_real(options.real_world(kWorkers, result.seed), options.interrupted) : make_simulated(result.seed, c.world.start)),
        mocks_(driver_->environment().network, driver_->outside(), true),
        scope_(driver_->outside()), client_(driver_->environment().network, driver_->outside(), scope_.token()),
        gateway_(std::make_unique<gateway::Gateway>(driver_->environment(), gateway_options())),
        streams_(*driver_, mocks_, scope_, result, [this](const std::string& id, observe::OwnedRecord& record, std::string& line) { return find_record(id, record, line); }) {}

  void run() {
    const Instant began = driver_->now();
    if (set_up()) {
      for (std::size_t i = 0; i < case_.steps.size() && go_on(); ++i) step(i);
      after_steps();
    }
    tear_down();
    result_.virtual_time = driver_->now() - began;
    result_.trace = mix64(driver_->trace() ^ plaintext_);
  }

 private:
  std::string directory() const { return file_.path.substr(0, file_.path.rfind('/') + 1); }  // what paths are relative to
  bool go_on() const { return result_.failures.empty(); }

  gateway::Options gateway_options() {
    gateway::Options out;
    out.hermetic = true;
    out.ephemeral_listeners = options_.real;
    out.keep_state = driver_->simulated();
    out.tell = [this](std::string_view line) {
      std::lock_guard lock(mutex_);
      told_.emplace_back(line);
    };
    out.locate = [this](const std::string& target) -> std::optional<Address> {
      const auto known = mocks_.addresses().find(target);
      return known == mocks_.addresses().end() ? std::nullopt : std::optional(known->second);
    };
    out.on_record = [this](const observe::Record& record) {
      std::string line;
      observe::append_line(line, record, observe::LogFormat::Json, false);
      std::lock_guard lock(mutex_);
      records_.emplace_back().assign(record);
      lines_.push_back(std::move(line));
    };
    return out;
  }

  bool find_record(const std::string& id, observe::OwnedRecord& record, std::string& line) {
    std::lock_guard lock(mutex_);
    for (std::size_t i = records_.size(); i-- > 0;) {
      if (records_[i].request_id != id) continue;
      record = records_[i];
      line = lines_[i];
      return true;
    }
    return false;
  }

  void fail(const diag::Span& span, std::string message, std::string hint = {}) { result_.failures.push_back({span, std::move(message), {}, {}, std::move(hint)}); }

  std::shared_ptr<const gateway::Model> model(const std::string& path, const Reload* reload, std::string& problem) {
    diag::Sink sink;
    const GatewayFile from{path, options_.env, gateway_->states(), result_.seed, driver_->now(), authority_, reload, &identities_.keys()};
    auto built = read_gateway(from, files_, sink, problem);
    if (!built && problem.empty()) problem = diag::render_all(sink, diag::Colour::Off);
    return built;
  }

  bool set_up() {
    gateway_file_ = gateway_path(file_, case_.world);
    if (const Status made = identities_.make(); !made) return fail(case_.span, made.error().message), false;
    std::string problem;
    const auto built = model(gateway_file_, nullptr, problem);
    if (!built) return fail(case_.world.gateway_span, "the gateway's configuration is refused:\n" + problem), false;
    for (const auto& upstream : built->upstreams) {
      const auto given = case_.world.mocks.find(upstream.name);
      const std::string target = upstream.targets.empty() ? upstream.name : upstream.targets.front().name;
      if (given != case_.world.mocks.end()) {
        std::shared_ptr<const crypto::TlsContext> tls;
        if (!mock_tls(upstream, tls)) return false;
        mocks_.add(upstream.name, target, given->second, std::move(tls));
      }
      else if (upstream.mock != nullptr) {
        diag::Sink sink;
        mocks_.add(upstream.name, target, parse_stubs(*upstream.mock, sink, upstream.name));
      }
    }
    Status started = identities_.meet(*built, mocks_, *authority_, driver_->now());
    if (started) started = mocks_.start();
    if (started) started = gateway_->start(built);
    if (!started) return fail(case_.world.gateway_span, started.error().message), false;
    serving_ = true;
    driver_->start();
    return true;
  }

  // Mocks of https targets speak TLS, with a certificate that the gateway trusts unless the scenario says otherwise.
  bool mock_tls(const upstream::Config& upstream, std::shared_ptr<const crypto::TlsContext>& out) {
    if (!upstream.tls) return true;
    const auto said = case_.world.mock_tls.find(upstream.name);
    const MockTls tls = said == case_.world.mock_tls.end() ? MockTls{} : said->second;
    std::shared_ptr<const crypto::Authorities> clients;
    if (!tls.client_ca.empty()) {
      auto loaded = load_authorities(tls.client_ca, files_, directory());
      if (!loaded) return fail(case_.world.mock_spans.at(upstream.name), loaded.error().message), false;
      clients = std::move(*loaded);
    }
    auto made = mock_context(tls, upstream.server_name, *authority_, driver_->now(), std::move(clients));
    if (!made) return fail(case_.world.mock_spans.at(upstream.name), made.error().message), false;
    out = std::move(*made);
    return true;
  }

  bool secured(const Step& s, const gateway::Bound& bound, const Credential* credential, Secured& out) {
    if (!bound.tls && !s.send.tls) return true;
    const ClientTls tls = s.send.tls.value_or(ClientTls{});
    if (tls.off) return true;
    if (!tls.certificate.empty()) {
      credential = &case_.world.credentials.at(tls.certificate);
      result_.used_credentials.insert(tls.certificate);
    }
    std::shared_ptr<const crypto::Identity> identity;
    if (credential != nullptr && !credential->certificate.empty()) {
      auto loaded = load_identity(credential->certificate, credential->certificate_key, files_, directory());
      if (!loaded) return fail(credential->span, loaded.error().message), false;
      identity = std::move(*loaded);
    }
    auto context = client_context(tls, std::move(identity), *authority_, files_, directory());
    if (!context) return fail(s.span, context.error().message), false;
    out.context = std::move(*context);
    out.name = tls.sni ? *tls.sni : host_name(s.send.headers);
    if (tls.session.empty()) return true;
    auto& kept = sessions_[tls.session];
    if (!kept) kept = std::make_shared<crypto::TlsSessions>();
    out.sessions = kept;
    return true;
  }

  static std::string host_name(const Texts& headers) {
    for (const auto& [name, value] : headers)
      if (iequals(name, "host")) return value.substr(0, value.find(':'));
    return {};
  }

  void tear_down() {
    result_.interrupted = driver_->wind_down();
    // A step that was given up has left requests behind.
    client_on_loop([this] {
      scope_.cancel();
      client_.close();
    });
    if (serving_) shut_down(false);
    client_on_loop([this] { mocks_.stop(); });
    auto ended = std::make_shared<std::atomic<bool>>(false);
    driver_->run_until([this, ended] {
      client_on_loop([this, ended] { ended->store(mocks_.stopped() && scope_.running() == 0); });
      return ended->load();
    }, std::chrono::minutes(1));
    for (const std::uint32_t at : mocks_.used()) result_.used_stubs.insert(at);
  }

  void shut_down(bool crash) {
    auto done = std::make_shared<std::atomic<bool>>(false);
    driver_->on(*driver_->environment().loops.front(), [this, done, crash] {
      if (crash) gateway_->forget_state();
      gateway_->drain(Duration{}, [done] { done->store(true); });
    });
    const std::string stuck = driver_->run_until([done] { return done->load(); }, std::chrono::minutes(1));
    if (!stuck.empty()) fail(case_.span, "the gateway did not shut down: " + stuck);
  }

  void client_on_loop(const std::function<void()>& job) {
    if (serving_ || driver_->simulated()) driver_->on(driver_->outside(), job);
    else job();
  }

  void step(std::size_t i) {
    Step late;
    const Step* s = &case_.steps[i];
    if (s->late) {
      diag::Sink sink;
      const Values values{case_.row_node.get(), case_.vars_node.get(), options_.env, &saved_};
      late = parse_step(substitute(*case_.step_nodes[i], values, sink), case_.world, sink);
      if (sink.has_errors()) {
        for (const diag::Diagnostic& d : sink.all()) fail(d.span, d.message, d.hint);
        return;
      }
      s = &late;
    }
    switch (s->verb) {
      case Step::Verb::Send: return s->send.message ? streams_.message(*s) : send(*s);
      case Step::Verb::Receive: return streams_.receive(*s);
      case Step::Verb::Drop: return streams_.drop(*s);
      case Step::Verb::Advance: return advance(*s);
      case Step::Verb::Check: return check(*s);
      case Step::Verb::Reload: return reload(*s);
      case Step::Verb::Restart: return restart(*s);
      case Step::Verb::Issuer: return identities_.change(s->issuer);
    }
  }

  void advance(const Step& s) {
    if (!driver_->simulated()) {
      const std::string busy = driver_->run_until([this] { return gateway_->in_flight() <= streams_.open_ones(); }, std::chrono::seconds(30));
      if (!busy.empty()) return fail(s.span, busy);
    }
    const std::string problem = driver_->advance(s.advance);
    if (!problem.empty()) fail(s.span, problem);
  }

  const gateway::Bound* listener(const Step& s) {
    bound_ = gateway_->listeners();
    for (const gateway::Bound& bound : bound_)
      if (s.send.listener.empty() || bound.name == s.send.listener) return &bound;
    fail(s.span, s.send.listener.empty() ? "the gateway has no listener" : "the gateway has no listener `" + s.send.listener + "`");
    return nullptr;
  }

  void send(const Step& s) {
    const gateway::Bound* to = listener(s);
    if (to == nullptr) return;
    std::optional<Credential> used;
    if (!s.send.as.empty()) {
      auto usable = identities_.use(s.send.as, driver_->now());
      if (!usable) return fail(s.span, usable.error().message);
      used = std::move(*usable);
      const bool plain = s.send.tls ? s.send.tls->off : !to->tls;
      const Status made = used->signature ? identities_.sign(*used, s.send, to->address, plain ? "http" : "https", driver_->now(), files_, directory()) : success();
      if (!made) return fail(s.span, made.error().message);
    }
    const Credential* credential = used ? &*used : nullptr;
    Dial dial{to->address, to->path, s.send.from, s.send.preface, s.send.connection, {}};
    if (!secured(s, *to, credential, dial.tls)) return;
    if (s.send.stream.kind != StreamUse::Kind::None) return streams_.open(s, std::move(dial), octets_of(s.send, credential, to->address));
    const std::size_t first_record = record_count(), first_seen = mocks_.seen().size();
    // Shared with the lanes, so that a step that is given up leaves nothing hanging.
    auto batch = std::make_shared<Batch>();
    batch->answers.resize(s.send.count);
    batch->octets = octets_of(s.send, credential, to->address);
    batch->dial = std::move(dial);
    batch->method = s.send.raw ? s.send.raw->substr(0, s.send.raw->find(' ')) : s.send.method;
    batch->every = s.send.every;
    batch->timeout = s.send.timeout.value_or(driver_->simulated() ? kPatience : kSocketPatience);
    driver_->on(driver_->outside(), [this, batch, lanes = std::min(s.send.concurrency, s.send.count)] {
      batch->began = driver_->outside().now();
      for (std::uint32_t lane = 0; lane < lanes; ++lane) {
        ++batch->lanes;
        scope_.spawn(run_lane(batch));
      }
    });
    const std::string problem = driver_->run_until([batch] { return batch->lanes.load() == 0; }, kStepBudget);
    if (!problem.empty()) return fail(s.span, problem);
    settle(first_record, batch->answers);
    const std::vector<SeenRequest> seen = mocks_.seen();
    for (const Answer& answer : batch->answers) trace(answer);
    for (std::size_t i = first_seen; i < seen.size(); ++i) trace(seen[i]);
    judge(s, batch->answers, first_record, seen, first_seen);
  }

  // The simulation's own hash knows when how many octets moved; what they said belongs to the promise too (docs/time.md).
  void trace(std::string_view text) { plaintext_ = identities_.has_tokens() ? hash64(identities_.masked(text), plaintext_) : hash64(text, plaintext_); }
  void trace(const Texts& texts) {
    for (const auto& [name, value] : texts) {
      trace(name);
      trace(value);
    }
  }
  void trace(const Answer& a) {
    plaintext_ = mix64(plaintext_ ^ static_cast<std::uint64_t>(a.status) ^ static_cast<std::uint64_t>(a.latency.count()) << 10);
    trace(a.headers);
    trace(a.body);
    trace(a.trailers);
  }
  void trace(const SeenRequest& r) {
    for (const std::string* text : {&r.method, &r.path, &r.query}) trace(*text);
    trace(r.headers);
    trace(r.body);
  }

  struct Batch {
    std::vector<Answer> answers;
    std::string octets, method;
    Dial dial;
    Duration every{}, timeout{};
    Instant began;
    std::uint32_t next = 0;
    std::atomic<std::uint32_t> lanes{0};
  };

  io::Task<void> run_lane(std::shared_ptr<Batch> batch) {
    while (batch->next < batch->answers.size()) {
      const std::uint32_t i = batch->next++;
      if (batch->every > Duration{} && i > 0) {
        io::Wait wait;
        wait.deadline = batch->began + batch->every * i;
        wait.cancel = &scope_.token();
        wait.what = "the next of a repeated request";
        co_await io::sleep_until(driver_->outside(), wait);
      }
      if (scope_.token().cancelled()) break;
      io::Task<void> sending = client_.send(batch->dial, batch->octets, batch->method, batch->timeout, batch->answers[i]);
      co_await sending;
    }
    --batch->lanes;
  }

  std::size_t record_count() {
    std::lock_guard lock(mutex_);
    return records_.size();
  }

  // On sockets the answer can be here before its record: wait for as many as there are answers.
  void settle(std::size_t first, const std::vector<Answer>& answers) {
    if (driver_->simulated()) return;
    const auto whole = static_cast<std::size_t>(std::count_if(answers.begin(), answers.end(), [](const Answer& a) { return a.status != 0 || a.error == "tls-alert"; }));
    driver_->run_until([this, first, whole] { return record_count() >= first + whole; }, std::chrono::seconds(5));
  }

  void judge(const Step& s, const std::vector<Answer>& answers, std::size_t first_record, const std::vector<SeenRequest>& seen, std::size_t first_seen) {
    std::lock_guard lock(mutex_);
    std::map<std::string, std::size_t> by_id;
    for (std::size_t i = first_record; i < records_.size(); ++i) by_id[records_[i].request_id] = i;
    std::vector<Observation> all;
    // A policy may hide the id from the client or the upstream, and an answer without a head has none. One request has one
    // record, and requests that follow each other have theirs in order.
    const bool in_order = s.send.concurrency == 1 && records_.size() - first_record == answers.size();
    for (std::size_t n = 0; n < answers.size(); ++n) {
      Observation one;
      one.answer = answers[n];
      const auto known = by_id.find(answers[n].request_id);
      std::size_t at = records_.size();
      if (known != by_id.end()) at = known->second;
      else if (in_order) at = first_record + n;
      else if (answers.size() == 1 && at > first_record) --at;
      if (at < records_.size()) {
        one.record = &records_[at];
        one.log_line = &lines_[at];
      }
      for (std::size_t i = first_seen; i < seen.size(); ++i)
        if (answers.size() == 1 || (one.record != nullptr && seen[i].request_id == one.record->request_id)) one.upstream.push_back(&seen[i]);
      all.push_back(std::move(one));
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::string which = s.name + (all.size() > 1 ? (s.name.empty() ? "" : " ") + ("(" + std::to_string(i + 1) + " of " + std::to_string(all.size()) + ")") : "");
      if (s.expect) check_answer(*s.expect, all[i], which, result_);
      else if (!s.totals && !all[i].answer.error.empty()) result_.failures.push_back({s.span, "the request ended with: " + all[i].answer.error, which, trace_of(all[i]), {}});
      if (go_on()) continue;
      // Plain requests wait for the end of an answer.
      if (all[i].answer.error == "timeout" && !s.send.timeout)
        result_.failures.back().hint = "a request is given up after " + format(driver_->simulated() ? kPatience : kSocketPatience) + ": `timeout: 5s` beside it waits as long as it says, `stream: name` looks at an answer that stays open";
      return;
    }
    if (s.totals) check_totals(*s.totals, all, s.name, result_);
    unmatched(s, all, seen, first_seen);
    if (go_on()) save_from(all.back().answer, s.send, s.span, saved_, result_);
  }

  void unmatched(const Step& s, const std::vector<Observation>& all, const std::vector<SeenRequest>& seen, std::size_t first_seen) {
    for (std::size_t i = first_seen; i < seen.size() && go_on(); ++i) {
      if (seen[i].matched) continue;
      result_.failures.push_back({s.span, "no stub of `" + seen[i].upstream + "` answers " + seen[i].method + " " + seen[i].path + (seen[i].query.empty() ? "" : "?" + seen[i].query), s.name,
                                  all.empty() ? std::vector<std::string>{} : trace_of(all.front()), seen[i].near_miss, seen[i].misses});
    }
    for (const Observation& one : all) {
      if (!go_on() || one.record == nullptr || one.record->ended_reason != observe::reason::kUnmocked.word) continue;
      if (s.expect && !s.expect->ended.empty()) continue;
      result_.failures.push_back({s.span, "the request went to an upstream that has no mock", s.name, trace_of(one), "add it under `mocks`"});
    }
  }

  void check(const Step& s) {
    for (const Check& c : s.checks) {
      ++result_.expectations;
      Value value;
      if (c.what == Check::What::Calls) {
        value = nlohmann::json(mocks_.calls(c.name));
      } else {
        double number = 0;
        if (gateway_->metrics().value(c.name, c.labels, number)) value = number == static_cast<double>(static_cast<std::int64_t>(number)) ? nlohmann::json(static_cast<std::int64_t>(number)) : nlohmann::json(number);
      }
      if (const auto bad = c.value->match(value)) fail(bad->span, c.name + ": " + bad->got);
    }
  }

  void reload(const Step& s) {
    std::string problem;
    World world = case_.world;
    if (!s.reload.gateway.empty()) world.gateway = s.reload.gateway;
    const std::string path = s.reload.gateway.empty() ? gateway_file_ : gateway_path(file_, world);
    const auto built = model(path, &s.reload, problem);
    gateway::ReloadReport report;
    if (built) driver_->on(*driver_->environment().loops.front(), [&] { report = gateway_->reload(built); });
    else report.error = problem;
    // Workers adopt by message.
    if (built) driver_->run_until([] { return true; }, std::chrono::seconds(1));
    if (built && report.ok) gateway_file_ = path;
    if (report.ok != s.reload.ok.value_or(!s.reload.error)) return fail(s.span, report.ok ? "the configuration was taken" : "the reload was refused:\n" + report.error);
    if (s.reload.ok || s.reload.error) ++result_.expectations;
    const auto lists = [this](const MatcherPtr& matcher, const std::vector<std::string>& list, const char* what) {
      if (!matcher) return;
      ++result_.expectations;
      if (const auto bad = matcher->match(nlohmann::json(list))) fail(bad->span, std::string(what) + ": " + bad->got);
    };
    lists(s.reload.kept, report.states.kept, "kept");
    lists(s.reload.reset, report.states.reset, "reset");
    lists(s.reload.removed, report.states.removed, "removed");
    if (!s.reload.error) return;
    if (const auto bad = s.reload.error->match(nlohmann::json(report.error))) fail(bad->span, bad->got);
  }

  // The same configuration, a fresh engine, and nothing of the old one but its state file. Virtual time only.
  void restart(const Step& s) {
    shut_down(s.restart.crash);
    if (!go_on()) return;
    serving_ = false;
    gateway_ = std::make_unique<gateway::Gateway>(driver_->environment(), gateway_options());
    std::string problem;
    const auto built = model(gateway_file_, nullptr, problem);
    if (!built) return fail(s.span, "the gateway's configuration is refused:\n" + problem);
    if (s.restart.state && !built->state) return fail(s.span, "the gateway keeps no state", "state: { file: gatelab.state } in its configuration");
    if (s.restart.state) (void)driver_->environment().state_files.write(built->state->path, *s.restart.state);
    told_.clear();
    if (const Status started = gateway_->start(built); !started) return fail(s.span, started.error().message);
    serving_ = true;
    driver_->start();
    if (!s.restart.told) return;
    ++result_.expectations;
    std::string told;
    for (const std::string& line : told_) told += (told.empty() ? "" : "\n") + line;
    if (const auto bad = s.restart.told->match(told_.empty() ? Value() : Value(nlohmann::json(told)))) fail(bad->span, "told: " + bad->got);
  }

  void after_steps() {
    if (go_on() && result_.expectations == 0) fail(case_.span, "the case looked at nothing: it could not fail", "give a step an `expect`");
  }

  const File& file_;
  const Case& case_;
  const TestOptions& options_;
  io::Files& files_;
  CaseResult& result_;
  Identities identities_;
  std::shared_ptr<crypto::LocalAuthority> authority_ = crypto::LocalAuthority::simulation();
  std::unique_ptr<Driver> driver_;
  MockServers mocks_;
  io::Scope scope_;
  Client client_;
  std::mutex mutex_;
  std::deque<observe::OwnedRecord> records_;
  std::deque<std::string> lines_;
  std::vector<std::string> told_;
  std::unique_ptr<gateway::Gateway> gateway_;
  StreamSteps streams_;
  std::string gateway_file_;
  std::vector<gateway::Bound> bound_;
  std::map<std::string, config::Node> saved_;
  std::map<std::string, std::shared_ptr<crypto::TlsSessions>> sessions_;
  bool serving_ = false;
  std::uint64_t plaintext_ = 0;
};

}  // namespace

CaseResult run_case(const File& file, const Case& c, std::uint64_t seed, const TestOptions& options, io::Files& files) {
  CaseResult result;
  result.seed = seed;
  CaseRun(file, c, options, files, result).run();
  return result;
}

}  // namespace gatelab::harness
