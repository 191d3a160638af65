// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/load_step.h"

#include <algorithm>
#include <atomic>
#include <sstream>

#include "base/text.h"
#include "harness/scenario/load_data.h"
#include "io/real.h"

namespace gatelab::harness {
namespace {

std::string mark_text(const FaultStep& fault) { return fault.target + (fault.clear ? " well again" : " " + std::string(fault.fault.word())); }

}  // namespace

struct LoadStep::Round {
  std::atomic<std::size_t> waiting{0};  // for their instant, of `during`
  std::atomic<std::size_t> happened{0};
  std::string problem;                  // of one that happened; the outside's loop
  io::CancelToken over;
};

bool LoadStep::make_flows(const LoadSpec& spec, const gateway::Bound& bound, load::Load& load) {
  auto data = read_load_data(spec, world_.files(), world_.directory());
  if (!data) return world_.fail(spec.data_span, data.error().message), false;
  load.data = std::move(*data);
  for (const LoadFlow& from : spec.flows) {
    load::Flow flow;
    flow.weight = from.weight;
    std::vector<std::string> saved;
    for (const LoadRequest& r : from.requests) {
      std::optional<Credential> used;
      if (!r.send.as.empty()) {
        auto usable = world_.identities().use(r.send.as, world_.driver().now());
        if (!usable) return world_.fail(r.span, usable.error().message), false;
        used = std::move(*usable);
      }
      Send send = r.send;
      // A gateway that is not ours may know itself by its name.
      const bool said = std::any_of(send.headers.begin(), send.headers.end(), [](const auto& h) { return iequals(h.first, "host"); });
      if (world_.foreign() != nullptr && !said) send.headers.emplace_back("Host", world_.foreign()->url().authority);
      if (!load.keep_alive) send.headers.emplace_back("Connection", "close");
      auto made = template_of(octets_of(send, used ? &*used : nullptr, bound.address), send, load.data, saved);
      if (!made) return world_.fail(r.span, made.error().message), false;
      load::Request request;
      request.octets = std::move(*made);
      request.method = http::method_of(send.method);
      request.expected = r.expected;
      const auto slot = [&saved](const std::string& name) { return static_cast<std::size_t>(std::find(saved.begin(), saved.end(), name) - saved.begin()); };
      for (const auto& [name, path] : send.save_json) request.saves.push_back({slot(name), {}, path});
      for (const auto& [name, header] : send.save_headers) request.saves.push_back({slot(name), header, std::nullopt});
      flow.requests.push_back(std::move(request));
    }
    load.slots = std::max(load.slots, saved.size());
    load.flows.push_back(std::move(flow));
  }
  return true;
}

bool LoadStep::aim(const Step& s, load::Target& target, load::Load& load) {
  const std::vector<gateway::Bound> bound = world_.listeners();
  if (bound.empty()) return world_.fail(s.span, "the gateway has no listener"), false;
  target.address = bound.front().address;
  target.path = bound.front().path;
  target.name = world_.foreign() != nullptr ? world_.foreign()->url().host : "localhost";
  target.said = bound.front().name;
  if (bound.front().tls) {
    ClientTls tls;
    tls.trust = world_.trust();
    auto context = client_context(tls, nullptr, world_.authority(), world_.files(), world_.directory());
    if (!context) return world_.fail(s.span, context.error().message), false;
    target.tls = std::move(*context);
  }
  return make_flows(*s.load, bound.front(), load);
}

void LoadStep::run(const Step& s) {
  const LoadSpec& spec = *s.load;
  load::Load load = spec.plan;
  load.seed = world_.result().seed;
  load::Target target;
  if (!aim(s, target, load)) return;
  const bool simulated = world_.driver().simulated();
  // Generators must not wait for the mocks' turn.
  const std::unique_ptr<RealDriver> own = simulated ? nullptr : world_.options().real_world(spec.threads, load.seed);
  io::Environment& environment = simulated ? world_.driver().environment() : own->environment();
  const load::Generators generators{environment.network, environment.clock, simulated ? std::vector<io::Loop*>{&world_.driver().outside()} : environment.loops, simulated ? nullptr : &io::thread_time};
  if (own) own->start();
  load::Outcome outcome = load::begin_outcome("the gateway", load, spec.threads, spec.confidence, spec.thresholds);
  for (const During& d : spec.during) outcome.marks.push_back({d.at, mark_text(d.fault)});
  const Before before{world_.mocks().seen_count(), world_.mocks().unmatched()};
  world_.remember(false);
  bool good = true;
  for (std::uint32_t i = 0; good && i < spec.rounds; ++i) good = one_round(s, generators, load, target, i, outcome);
  world_.remember(true);
  outcome.served = load::served_by(world_.gateway());
  // Before what came of it: that totals fail is no wonder then.
  unmatched(s, before);
  if (good) judge(s, outcome);
}

bool LoadStep::one_round(const Step& s, const load::Generators& generators, const load::Load& load, const load::Target& target, std::uint32_t number, load::Outcome& outcome) {
  const LoadSpec& spec = *s.load;
  auto round = std::make_shared<Round>();
  load::RoundRun run(generators, load, target, number);
  run.start();
  world_.driver().on(world_.driver().outside(), [this, round, &spec, began = run.began()] {
    for (const During& during : spec.during) {
      ++round->waiting;
      world_.scope().spawn(happen(round, during, began + during.at));
    }
  });
  const std::string problem = world_.driver().run_until([&run] { return run.done(); }, load.curve.length() + load.timeout + std::chrono::minutes(1));
  const Duration lasted = world_.driver().outside().now() - run.began();
  if (!problem.empty()) {
    run.stop();
    world_.driver().wind_down();
    world_.driver().run_until([&run] { return run.done(); }, std::chrono::minutes(1));
  }
  world_.driver().on(world_.driver().outside(), [round] { round->over.cancel(); });
  world_.driver().run_until([round] { return round->waiting.load() == 0; }, std::chrono::minutes(1));
  if (!problem.empty()) return world_.fail(s.span, problem), false;
  if (!round->problem.empty()) return world_.fail(s.span, round->problem), false;
  if (round->happened < spec.during.size())
    return world_.fail(spec.during[round->happened].span, "the round was over before this: it took " + format(lasted), "an earlier `at`, or a longer load"), false;
  outcome.rounds.push_back(run.result());
  // The next round begins as this one did.
  for (const During& d : spec.during)
    if (number + 1 < spec.rounds && !d.fault.clear) (void)world_.gateway().clear_faults(d.fault.target, d.fault.fault.name);
  return true;
}

// `during` lives in the step, which waits for this.
io::Task<void> LoadStep::happen(std::shared_ptr<Round> round, const During& during, Instant at) {
  io::Wait wait;
  wait.deadline = at;
  wait.cancel = &round->over;
  wait.background = true;
  wait.what = "an instant of `during`";
  const io::Code code = co_await io::sleep_until(world_.driver().outside(), wait);
  if (code == io::Code::TimedOut) {
    ++round->happened;
    const Status applied = world_.apply_fault(during.fault);
    if (!applied && round->problem.empty()) round->problem = applied.error().message;
  }
  --round->waiting;
}

// A request that no stub answers fails the case, here as in `send`: the first of them stands for the others.
void LoadStep::unmatched(const Step& s, const Before& before) {
  const std::size_t n = world_.mocks().unmatched() - before.unmatched;
  if (n == 0) return;
  const std::vector<SeenRequest> seen = world_.mocks().seen(before.seen);
  const auto miss = std::find_if(seen.begin(), seen.end(), [](const SeenRequest& one) { return !one.matched; });
  if (miss == seen.end()) return world_.fail(s.span, "no stub answers " + std::to_string(n) + " requests");
  const std::string what = miss->method + " " + miss->path + (miss->query.empty() ? "" : "?" + miss->query);
  world_.result().failures.push_back({s.span, "no stub of `" + miss->upstream + "` answers " + what + (n == 1 ? "" : ", and " + std::to_string(n - 1) + " more found none"), s.name, {}, miss->near_miss, miss->misses});
}

void LoadStep::judge(const Step& s, const load::Outcome& outcome) {
  const LoadSpec& spec = *s.load;
  const load::Judgement judgement = load::judge(outcome.rounds, spec.thresholds, spec.confidence, outcome.model, outcome.connections);
  CaseResult& result = world_.result();
  result.expectations += spec.thresholds.size();
  std::vector<std::string> lines;
  std::istringstream text(load::to_text(outcome, judgement, nullptr));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  for (const std::string& why : judgement.invalid) result.failures.push_back({s.span, "the load proves nothing: " + why, s.name, lines, {}});
  if (!judgement.invalid.empty()) return;
  for (const load::Finding& f : judgement.findings) {
    if (f.verdict == load::Verdict::Pass || (f.verdict == load::Verdict::Inconclusive && spec.pass_inconclusive)) continue;
    const bool open = f.verdict == load::Verdict::Inconclusive;
    result.failures.push_back({f.threshold.span, (open ? "inconclusive: " : "got ") + f.text, s.name, lines, open ? "more requests or `rounds` tell; on_inconclusive: pass takes it as it is" : ""});
  }
}

}  // namespace gatelab::harness
