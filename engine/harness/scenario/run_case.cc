// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/run_case.h"

#include "harness/scenario/case_world.h"
#include "harness/scenario/load_step.h"
#include "harness/scenario/replay_step.h"
#include "harness/scenario/send_step.h"
#include "harness/scenario/stream_steps.h"

namespace gatelab::harness {
namespace {

class CaseRun {
 public:
  CaseRun(const File& file, const Case& c, const TestOptions& options, io::Files& files, CaseResult& result)
      : world_(file, c, options, files, result),
        streams_(world_.driver(), world_.mocks(), world_.scope(), result, [this](const std::string& id, observe::OwnedRecord& record, std::string& line) { return find_record(id, record, line); }),
        send_(world_, streams_, saved_), replay_(world_) {}

  void run() {
    Driver& driver = world_.driver();
    CaseResult& result = world_.result();
    const Instant began = driver.now();
    if (world_.set_up()) {
      for (std::size_t i = 0; i < world_.of().steps.size() && world_.go_on(); ++i) step(i);
      after_steps();
    }
    world_.tear_down();
    result.virtual_time = driver.now() - began;
    result.trace = mix64(driver.trace() ^ send_.plaintext() ^ replay_.plaintext());
  }

 private:
  bool find_record(const std::string& id, observe::OwnedRecord& record, std::string& line) const {
    const RecordBook::Entry* found = world_.records().find(id);
    if (found == nullptr) return false;
    record = found->record;
    line = found->line;
    return true;
  }

  void step(std::size_t i) {
    Step late;
    const Step* s = &world_.of().steps[i];
    if (s->late) {
      diag::Sink sink;
      const Values values{world_.of().row_node.get(), world_.of().vars_node.get(), world_.env(), &saved_};
      late = parse_step(substitute(*world_.of().step_nodes[i], values, sink), world_.of().world, sink);
      if (sink.has_errors()) {
        for (const diag::Diagnostic& d : sink.all()) world_.fail(d.span, d.message, d.hint);
        return;
      }
      s = &late;
    }
    switch (s->verb) {
      case Step::Verb::Send: return s->send.message ? streams_.message(*s) : send_.run(*s);
      case Step::Verb::Receive: return streams_.receive(*s);
      case Step::Verb::Drop: return streams_.drop(*s);
      case Step::Verb::Advance: return advance(*s);
      case Step::Verb::Check: return check(*s);
      case Step::Verb::Reload: return world_.reload(*s);
      case Step::Verb::Restart: return world_.restart(*s);
      case Step::Verb::Fault: return fault(*s);
      case Step::Verb::Load: return LoadStep(world_).run(*s);
      case Step::Verb::Replay: return replay_.run(*s);
      case Step::Verb::Admin: return admin(*s);
      case Step::Verb::Issuer: return world_.identities().change(s->issuer);
    }
  }

  void advance(const Step& s) {
    if (!world_.driver().simulated()) {
      const std::string busy = world_.driver().run_until([this] { return world_.gateway().in_flight() <= streams_.open_ones(); }, std::chrono::seconds(30));
      if (!busy.empty()) return world_.fail(s.span, busy);
    }
    const std::string problem = world_.driver().advance(s.advance);
    if (!problem.empty()) world_.fail(s.span, problem);
  }

  void fault(const Step& s) {
    const Status applied = world_.apply_fault(s.fault);
    if (!applied) world_.fail(s.fault.target_span, applied.error().message);
    // What is open hears of it before the next step.
    const std::string busy = world_.driver().run_until([] { return true; }, std::chrono::seconds(1));
    if (!busy.empty()) world_.fail(s.span, busy);
  }

  // Null, and the case has failed: nothing is known of such a target.
  const gateway::TargetReport* target(const Check& c) {
    targets_ = world_.gateway().targets();
    for (const gateway::TargetReport& t : targets_)
      if (t.upstream + "/" + t.target == c.name) return &t;
    world_.fail(c.name_span, "nothing is known of a target `" + c.name + "`", "targets are known of upstreams with several, or with a breaker, health checks, ejection or limits");
    return nullptr;
  }

  // Null, and the case has failed.
  const gateway::CacheReport* cache_of(const Check& c) {
    caches_ = world_.gateway().caches();
    for (const gateway::CacheReport& one : caches_)
      if (one.name == c.name) return &one;
    world_.fail(c.name_span, "there is no cache `" + c.name + "`", "a cache is named by a policy: cache: { in: NAME }, else it is `default`");
    return nullptr;
  }

  void admin(const Step& s) {
    const Result<std::size_t> purged = world_.gateway().purge(s.purge.request);
    if (!purged) return world_.fail(s.span, purged.error().message);
    if (!s.purge.purged) return;
    ++world_.result().expectations;
    if (const auto bad = s.purge.purged->match(Value(nlohmann::json(*purged)))) world_.fail(bad->span, "purged: " + bad->got);
  }

  void check(const Step& s) {
    for (const Check& c : s.checks) {
      ++world_.result().expectations;
      Value value;
      if (c.what == Check::What::Calls) {
        value = nlohmann::json(world_.mocks().calls(c.name));
      } else if (c.what == Check::What::Limit) {
        const Result<std::uint64_t> left = world_.gateway().remaining(c.name, c.key);
        if (!left) return world_.fail(c.name_span, left.error().message);
        value = nlohmann::json(*left);
      } else if (c.what == Check::What::Cache) {
        const gateway::CacheReport* cache = cache_of(c);
        if (cache == nullptr) return;
        value = nlohmann::json(cache->entries);
      } else if (c.what == Check::What::Log) {
        const std::vector<std::string> lines = world_.log_lines();
        value = c.counts ? nlohmann::json(lines.size()) : nlohmann::json(lines);
      } else if (c.what != Check::What::Metric) {
        const gateway::TargetReport* t = target(c);
        if (t == nullptr) return;
        if (c.what == Check::What::Breaker) value = nlohmann::json(std::string(balance::name(t->view.breaker)));
        else if (c.what == Check::What::Health) value = nlohmann::json(std::string(balance::name(t->view.health)));
        else value = nlohmann::json(t->view.checks);
      } else {
        double number = 0;
        if (world_.gateway().metrics().value(c.name, c.labels, number)) value = number == static_cast<double>(static_cast<std::int64_t>(number)) ? nlohmann::json(static_cast<std::int64_t>(number)) : nlohmann::json(number);
      }
      if (const auto bad = c.value->match(value)) world_.fail(bad->span, c.name + ": " + bad->got);
    }
  }

  void after_steps() {
    if (world_.go_on() && world_.result().expectations == 0) world_.fail(world_.of().span, "the case looked at nothing: it could not fail", "give a step an `expect`");
    world_.check_faults();
  }

  CaseWorld world_;
  std::vector<gateway::TargetReport> targets_;
  std::vector<gateway::CacheReport> caches_;
  StreamSteps streams_;
  std::map<std::string, config::Node> saved_;
  SendStep send_;
  ReplayStep replay_;
};

}  // namespace

CaseResult run_case(const File& file, const Case& c, std::uint64_t seed, const TestOptions& options, io::Files& files) {
  CaseResult result;
  result.seed = seed;
  CaseRun(file, c, options, files, result).run();
  return result;
}

}  // namespace gatelab::harness
