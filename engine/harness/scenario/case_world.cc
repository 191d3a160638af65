// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/case_world.h"

#include <algorithm>
#include <atomic>
#include <set>

#include "harness/scenario/gateway_file.h"

namespace gatelab::harness {
namespace {

bool has_target(const upstream::Config& upstream, std::string_view name) {
  return std::any_of(upstream.targets.begin(), upstream.targets.end(), [name](const upstream::TargetConfig& t) { return t.name == name; });
}

bool calls_live(const Case& c) {
  return std::any_of(c.steps.begin(), c.steps.end(), [](const Step& step) { return step.replay && step.replay->upstreams == Replay::Upstreams::Live; });
}

constexpr std::uint32_t kWorkers = 2;

}  // namespace

CaseWorld::CaseWorld(const File& file, const Case& c, const TestOptions& options, io::Files& files, CaseResult& result)
    : file_(file), case_(c), options_(options), files_(files), result_(result), identities_(c.world, result),
      driver_(options.real ? make_real(options.real_world(kWorkers, result.seed), options.interrupted) : make_simulated(result.seed, c.world.start)),
      mocks_(driver_->environment().network, driver_->outside(), true, driver_->environment().random),
      scope_(driver_->outside()), client_(driver_->environment().network, driver_->outside(), scope_.token()),
      gateway_(std::make_unique<gateway::Gateway>(driver_->environment(), gateway_options())) {}

gateway::Options CaseWorld::gateway_options() {
  gateway::Options out;
  out.hermetic = !calls_live(case_);
  out.ephemeral_listeners = options_.real;
  out.export_traces = true;
  out.keep_state = driver_->simulated();
  out.tell = [this](std::string_view line) {
    std::lock_guard lock(told_mutex_);
    told_.emplace_back(line);
  };
  out.log_sink = [this](std::string_view lines) {
    if (!remember_) return;
    std::lock_guard lock(log_mutex_);
    log_ += lines;
  };
  out.locate = [this](const std::string& target) -> std::optional<Address> {
    const auto known = mocks_.addresses().find(target);
    return known == mocks_.addresses().end() ? std::nullopt : std::optional(known->second);
  };
  out.on_record = [this](const observe::Record& record) {
    if (remember_) records_.add(record);
  };
  return out;
}

std::shared_ptr<const gateway::Model> CaseWorld::model(const std::string& path, const Reload* reload, std::string& problem) {
  diag::Sink sink;
  const GatewayFile from{path, options_.env, gateway_->states(), result_.seed, driver_->now(), authority_, reload, &identities_.keys()};
  auto built = read_gateway(from, files_, sink, problem);
  if (!built && problem.empty()) problem = diag::render_all(sink, diag::Colour::Off);
  return built;
}

bool CaseWorld::set_up() {
  if (case_.world.foreign) return set_up_foreign();
  gateway_file_ = gateway_path(file_, case_.world);
  if (const Status made = identities_.make(); !made) return fail(case_.span, made.error().message), false;
  std::string problem;
  const auto built = model(gateway_file_, nullptr, problem);
  if (!built) return fail(case_.world.gateway_span, "the gateway's configuration is refused:\n" + problem), false;
  if (!add_mocks(*built)) return false;
  Status started = identities_.meet(*built, mocks_, *authority_, driver_->now());
  if (started) started = mocks_.start();
  if (started) started = gateway_->start(built);
  if (!started) return fail(case_.world.gateway_span, started.error().message), false;
  serving_ = true;
  driver_->start();
  running_ = !driver_->simulated();
  return true;
}

std::vector<gateway::Bound> CaseWorld::listeners() const { return foreign_ ? std::vector{foreign_->bound()} : gateway_->listeners(); }

std::string CaseWorld::trust() const {
  if (!foreign_) return {};
  return case_.world.foreign->ca.empty() ? "system" : case_.world.foreign->ca;
}

bool CaseWorld::set_up_foreign() {
  const World& world = case_.world;
  for (const auto& [name, stubs] : world.mocks) {
    const auto place = world.mock_addresses.find(name);
    std::shared_ptr<const crypto::TlsContext> tls;
    if (const auto said = world.mock_tls.find(name); said != world.mock_tls.end()) {
      auto made = mock_context(said->second, "localhost", *authority_, driver_->now());
      if (!made) return fail(world.mock_spans.at(name), made.error().message), false;
      tls = std::move(*made);
    }
    std::map<std::string, std::vector<Stub>> targets;
    for (const Stub& stub : stubs) targets[stub.target.empty() ? name : stub.target].push_back(stub);
    for (auto& [target, own] : targets) mocks_.add(name, target, std::move(own), tls, place == world.mock_addresses.end() ? MockServers::kLoopback : place->second);
  }
  if (const Status made = identities_.make(); !made) return fail(case_.span, made.error().message), false;
  if (const Status listening = mocks_.start(); !listening) return fail(world.gateway_span, listening.error().message), false;
  driver_->start();
  running_ = true;
  foreign_ = std::make_unique<ForeignGateway>(world, directory(), files_, *driver_);
  if (const Status started = foreign_->start(mocks_, authority_->pem(), scope_); !started) return fail(world.gateway_span, started.error().message), false;
  return true;
}

// What it said on the way often says why.
void CaseWorld::end_foreign() {
  if (const std::string gone = foreign_->gone(); !gone.empty() && go_on()) fail(case_.world.gateway_span, gone + " before the case was over");
  foreign_->stop();
  // Of one that did not get ready it has been told.
  if (foreign_->bound().name.empty() || go_on() || !result_.failures.back().trace.empty()) return;
  for (const std::string& line : foreign_->output(10)) result_.failures.back().trace.push_back("gateway: " + line);
}

// What replays of this case say that upstreams answer.
void CaseWorld::read_recorded(const gateway::Model& model) {
  std::set<std::string> known;
  for (const auto& upstream : model.upstreams) known.insert(upstream.name);
  for (const Step& step : case_.steps) {
    if (!step.replay || step.replay->upstreams != Replay::Upstreams::Recorded) continue;
    if (!recorded_) recorded_ = std::make_unique<RecordedUpstreams>(known);
    recorded_->add(*step.replay);
  }
}

bool CaseWorld::add_mocks(const gateway::Model& model) {
  read_recorded(model);
  for (const auto& upstream : model.upstreams) {
    const auto written = case_.world.mocks.find(upstream.name);
    std::vector<Stub> all = written == case_.world.mocks.end() ? std::vector<Stub>{} : written->second;
    // Whoever issues tokens is stood in for.
    if (recorded_ && !gateway::is_own_upstream(upstream.name))
      for (Stub& stub : recorded_->stubs(upstream.name)) all.push_back(std::move(stub));
    if (all.empty()) {
      diag::Sink sink;
      if (upstream.mock != nullptr) mocks_.add(upstream.name, upstream.name, parse_stubs(*upstream.mock, sink, upstream.name));
      continue;
    }
    if (upstream.targets.empty()) mocks_.add(upstream.name, upstream.name, all);
    for (const upstream::TargetConfig& target : upstream.targets) {
      std::vector<Stub> stubs;
      for (const Stub& stub : all)
        if (stub.target.empty() || stub.target == target.name) stubs.push_back(stub);
      if (stubs.empty()) continue;
      std::shared_ptr<const crypto::TlsContext> tls;
      if (!mock_tls(upstream, target.server_name, tls)) return false;
      mocks_.add(upstream.name, target.name, std::move(stubs), std::move(tls));
    }
    for (const Stub& stub : all)
      if (!stub.target.empty() && !has_target(upstream, stub.target)) return fail(stub.span, "upstream `" + upstream.name + "` has no target `" + stub.target + "`"), false;
  }
  return true;
}

// Mocks of https targets speak TLS, with a certificate that the gateway trusts unless the scenario says otherwise.
bool CaseWorld::mock_tls(const upstream::Config& upstream, const std::string& server_name, std::shared_ptr<const crypto::TlsContext>& out) {
  if (!upstream.tls) return true;
  const auto said = case_.world.mock_tls.find(upstream.name);
  const MockTls tls = said == case_.world.mock_tls.end() ? MockTls{} : said->second;
  const auto place = case_.world.mock_spans.find(upstream.name);
  const diag::Span span = place == case_.world.mock_spans.end() ? case_.span : place->second;
  std::shared_ptr<const crypto::Authorities> clients;
  if (!tls.client_ca.empty()) {
    auto loaded = load_authorities(tls.client_ca, files_, directory());
    if (!loaded) return fail(span, loaded.error().message), false;
    clients = std::move(*loaded);
  }
  auto made = mock_context(tls, server_name, *authority_, driver_->now(), std::move(clients));
  if (!made) return fail(span, made.error().message), false;
  out = std::move(*made);
  return true;
}

std::vector<std::string> CaseWorld::log_lines() {
  gateway_->flush_logs();
  std::lock_guard lock(log_mutex_);
  std::vector<std::string> out;
  for (std::size_t at = 0, end = 0; (end = log_.find('\n', at)) != std::string::npos; at = end + 1) out.push_back(log_.substr(at, end - at));
  return out;
}

Status CaseWorld::apply_fault(const FaultStep& step) {
  const upstream::Fault& fault = step.fault;
  if (step.clear || fault.path.empty() || fault.share.millionths < 1'000'000) return apply(step, *gateway_);
  FaultStep counted = step;
  counted.fault.counter = std::make_shared<std::atomic<std::uint64_t>>(0);
  Status applied = apply(counted, *gateway_);
  if (applied) watched_faults_.push_back({step.span, fault.method + (fault.method.empty() ? "" : " ") + fault.path, counted.fault.counter});
  return applied;
}

void CaseWorld::check_faults() {
  for (const Watched& fault : watched_faults_)
    if (*fault.met == 0) fail(fault.span, "no request has met this fault: its `when` is " + fault.when, "`when` is the request that the target gets: method and path, a prefix where it ends in *");
}

void CaseWorld::tear_down() {
  result_.interrupted = driver_->wind_down();
  // A step that was given up has left requests behind.
  client_on_loop([this] {
    scope_.cancel();
    client_.close();
  });
  if (serving_) shut_down(false);
  if (foreign_) end_foreign();
  client_on_loop([this] { mocks_.stop(); });
  auto ended = std::make_shared<std::atomic<bool>>(false);
  driver_->run_until([this, ended] {
    client_on_loop([this, ended] { ended->store(mocks_.stopped() && scope_.running() == 0); });
    return ended->load();
  }, std::chrono::minutes(1));
  for (const std::uint32_t at : mocks_.used()) result_.used_stubs.insert(at);
}

void CaseWorld::shut_down(bool crash) {
  auto done = std::make_shared<std::atomic<bool>>(false);
  driver_->on(*driver_->environment().loops.front(), [this, done, crash] {
    if (crash) gateway_->forget_state();
    gateway_->drain(Duration{}, [done] { done->store(true); });
  });
  const std::string stuck = driver_->run_until([done] { return done->load(); }, std::chrono::minutes(1));
  if (!stuck.empty()) fail(case_.span, "the gateway did not shut down: " + stuck);
}

void CaseWorld::client_on_loop(const std::function<void()>& job) {
  if (running_ || driver_->simulated()) driver_->on(driver_->outside(), job);
  else job();
}

}  // namespace gatelab::harness
