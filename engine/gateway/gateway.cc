// SPDX-License-Identifier: Apache-2.0
#include "gateway/gateway.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <tuple>

#include "gateway/state_keeper.h"
#include "gateway/worker.h"

namespace gatelab::gateway {

struct Gateway::Inner {
  Inner(io::Environment& e, Options o) : environment(e), options(std::move(o)), faults(e.random) {
    for (io::Loop* loop : environment.loops) workers.push_back(std::make_unique<Worker>(environment, *loop, options, faults, spans));
    Worker& first = *workers.front();
    options.spans_wait = [&first] { first.loop().post_remote([&first] { first.spans_wait(); }); };
  }

  // Binds what `model` names and is not bound yet. On failure what was bound here is closed again.
  Status bind_new(const Model& model, std::vector<std::shared_ptr<Bind>>& fresh);
  void serve(const std::vector<std::shared_ptr<Bind>>& fresh);
  std::shared_ptr<Bind> bound(const std::string& key) const;
  void close_unused(const Model& model);
  std::vector<Bound> listeners() const;
  Status keep_state(const Model& model);
  void watch_targets(const Model& model);
  std::vector<std::shared_ptr<upstream::TargetState>> target_states() const;

  io::Environment& environment;
  Options options;
  upstream::Faults faults;  // of targets, set from outside; before the workers, who lend it to their targets
  SpanQueue spans;
  policy::StateStore states;
  std::unique_ptr<StateKeeper> keeper;  // made by start(), then never changed; null: nothing is kept
  std::vector<std::unique_ptr<Worker>> workers;
  mutable std::mutex mutex;  // binds and targets: changed on loop 0, read from any thread
  std::vector<std::shared_ptr<Bind>> binds;
  std::vector<std::weak_ptr<upstream::TargetState>> targets;  // of the configuration in force
  std::map<std::string, bool> places;                         // "orders", "orders/primary"; whether over TLS
  std::atomic<std::uint64_t> generation{0};
  // Loop 0's.
  std::shared_ptr<const Model> in_force;  // what is to be written at the end lives in it
  bool draining = false;
  bool drained = false;
  bool last_write = true;
  std::vector<std::function<void()>> when_drained;
};

std::shared_ptr<Bind> Gateway::Inner::bound(const std::string& key) const {
  std::lock_guard lock(mutex);
  for (const auto& bind : binds)
    if (bind->key == key) return bind;
  return nullptr;
}

Status Gateway::Inner::bind_new(const Model& model, std::vector<std::shared_ptr<Bind>>& fresh) {
  for (const ListenerConfig& config : model.listeners) {
    const std::string key = bind_key(config, options);
    if (bound(key)) continue;
    Endpoint endpoint = config.endpoint;
    if (options.ephemeral_listeners && endpoint.kind != Endpoint::Kind::Ip) endpoint = *parse_endpoint("127.0.0.1:0");
    endpoint.address.port = options.ephemeral_listeners ? 0 : endpoint.address.port;
    auto listener = environment.network.listen(*environment.loops.front(), endpoint);
    if (!listener) {
      for (const auto& bind : fresh) bind->listener->close();
      fresh.clear();
      return fail(listener.error().id, "listener `" + config.name + "`: " + listener.error().message);
    }
    auto bind = std::make_shared<Bind>();
    bind->key = key;
    bind->name = config.name;
    bind->tls = config.tls != nullptr;
    bind->listener = std::move(*listener);
    if (endpoint.kind == Endpoint::Kind::Unix) bind->path = endpoint.name;
    fresh.push_back(std::move(bind));
  }
  return success();
}

void Gateway::Inner::serve(const std::vector<std::shared_ptr<Bind>>& fresh) {
  for (const auto& bind : fresh) {
    {
      std::lock_guard lock(mutex);
      binds.push_back(bind);
    }
    // The listener owns the callback: a strong reference to its own owner would never go.
    const std::weak_ptr<Bind> weak = bind;
    bind->listener->start(environment.loops, [this, weak](std::uint32_t worker, io::TransportPtr transport) {
      if (const auto strong = weak.lock()) workers[worker]->accept(strong, std::move(transport));
    });
  }
}

void Gateway::Inner::close_unused(const Model& model) {
  for (const ListenerConfig& config : model.listeners)
    if (const auto kept = bound(bind_key(config, options))) kept->tls = config.tls != nullptr;
  const auto used = [this, &model](const std::shared_ptr<Bind>& bind) {
    return std::any_of(model.listeners.begin(), model.listeners.end(),
                       [&](const ListenerConfig& config) { return bind_key(config, options) == bind->key; });
  };
  std::vector<std::shared_ptr<Bind>> gone;
  {
    std::lock_guard lock(mutex);
    const auto first = std::stable_partition(binds.begin(), binds.end(), used);
    gone.assign(first, binds.end());
    binds.erase(first, binds.end());
  }
  for (const auto& bind : gone) bind->listener->close();
}

Status Gateway::Inner::keep_state(const Model& model) {
  if (!model.state || !options.keep_state) return success();
  auto made = std::make_unique<StateKeeper>(environment, states, options.tell);
  const Status started = made->start(model.state->path, model.state->place);
  if (started) keeper = std::move(made);
  return started;
}

// People are told when a target goes, and when it is back.
void Gateway::Inner::watch_targets(const Model& model) {
  std::vector<std::weak_ptr<upstream::TargetState>> all;
  std::map<std::string, bool> all_places;
  for (const upstream::Config& upstream : model.upstreams) {
    all_places[upstream.name] = upstream.tls != nullptr;
    for (const upstream::TargetConfig& target : upstream.targets) all_places[upstream.name + "/" + target.name] = upstream.tls != nullptr;
    for (const upstream::TargetConfig& target : upstream.targets) {
      if (!target.state) continue;
      all.push_back(target.state);
      if (target.state->is_told() || !options.tell) continue;
      target.state->tell([this](const upstream::TargetState& state, upstream::TargetState::Change change, std::string_view why) {
        std::string line = "target " + state.upstream() + "/" + state.target() + ": " + std::string(upstream::TargetState::name(change));
        if (!why.empty()) line.append(" (").append(why).append(")");
        options.tell(line);
      });
    }
  }
  std::lock_guard lock(mutex);
  targets = std::move(all);
  places = std::move(all_places);
}

std::vector<std::shared_ptr<upstream::TargetState>> Gateway::Inner::target_states() const {
  std::vector<std::shared_ptr<upstream::TargetState>> out;
  std::lock_guard lock(mutex);
  for (const auto& weak : targets)
    if (auto state = weak.lock()) out.push_back(std::move(state));
  return out;
}

std::vector<Bound> Gateway::Inner::listeners() const {
  std::lock_guard lock(mutex);
  std::vector<Bound> out;
  for (const auto& bind : binds) out.push_back({bind->name, bind->listener->local(), bind->tls, bind->path});
  return out;
}

Gateway::Gateway(io::Environment& environment, Options options) : inner_(std::make_unique<Inner>(environment, std::move(options))) {}
Gateway::~Gateway() = default;

policy::StateStore& Gateway::states() noexcept { return inner_->states; }
std::vector<Bound> Gateway::listeners() const { return inner_->listeners(); }
std::uint64_t Gateway::generation() const noexcept { return inner_->generation.load(std::memory_order_relaxed); }

Status Gateway::start(std::shared_ptr<const Model> model) {
  std::vector<std::shared_ptr<Bind>> fresh;
  if (const Status bound = inner_->bind_new(*model, fresh); !bound) return bound;
  if (const Status kept = inner_->keep_state(*model); !kept) {
    for (const auto& bind : fresh) bind->listener->close();
    return kept;
  }
  inner_->generation = 1;
  inner_->in_force = model;
  inner_->watch_targets(*model);
  for (const auto& worker : inner_->workers) worker->adopt(model, 1);
  inner_->serve(fresh);
  inner_->states.report();
  return success();
}

ReloadReport Gateway::reload(std::shared_ptr<const Model> model) {
  ReloadReport report;
  report.generation = generation();
  if (inner_->draining) {
    report.error = "the gateway is shutting down";
    return report;
  }
  std::vector<std::shared_ptr<Bind>> fresh;
  if (const Status bound = inner_->bind_new(*model, fresh); !bound) {
    report.error = bound.error().message;
    return report;
  }
  report.generation = ++inner_->generation;
  inner_->watch_targets(*model);
  for (const auto& worker : inner_->workers) {
    if (worker == inner_->workers.front()) worker->adopt(model, report.generation);
    else worker->loop().post_remote([w = worker.get(), model, g = report.generation] { w->adopt(model, g); });
  }
  inner_->in_force = model;
  inner_->serve(fresh);
  inner_->close_unused(*model);
  report.ok = true;
  report.states = inner_->states.report();
  report.listeners = inner_->listeners();
  return report;
}

void Gateway::drain(Duration grace, std::function<void()> done) {
  Inner& inner = *inner_;
  io::Loop& first = inner.workers.front()->loop();
  if (inner.drained) return first.post_remote(std::move(done));
  inner.when_drained.push_back(std::move(done));
  if (std::exchange(inner.draining, true)) return;
  std::vector<std::shared_ptr<Bind>> binds;
  {
    std::lock_guard lock(inner.mutex);
    binds = inner.binds;
  }
  for (const auto& bind : binds) bind->listener->close();
  auto left = std::make_shared<std::atomic<std::size_t>>(inner.workers.size());
  const auto kept = [&inner] {
    inner.in_force.reset();
    inner.drained = true;
    for (const auto& call : std::exchange(inner.when_drained, {})) call();
  };
  const auto all_ended = [&inner, kept] {
    if (inner.keeper) inner.keeper->finish(inner.last_write, kept);
    else kept();
  };
  std::function<void()> quiet = [] {};
  if (Worker* exporter = inner.workers.front().get(); exporter->exports()) {
    auto loud = std::make_shared<std::atomic<std::size_t>>(inner.workers.size());
    quiet = [loud, exporter] {
      if (loud->fetch_sub(1) == 1) exporter->loop().post_remote([exporter] { exporter->all_are_quiet(); });
    };
  }
  for (const auto& worker : inner.workers) {
    const auto ended = [left, &first, all_ended] {
      if (left->fetch_sub(1) == 1) first.post_remote(all_ended);
    };
    worker->loop().post_remote([w = worker.get(), grace, quiet, ended] { w->drain(grace, quiet, ended); });
  }
}

void Gateway::write_state() {
  if (inner_->keeper) inner_->keeper->write();
}

void Gateway::forget_state() noexcept { inner_->last_write = false; }

Status Gateway::fault(const std::string& target, upstream::Fault fault) {
  {
    std::lock_guard lock(inner_->mutex);
    const auto known = inner_->places.find(target);
    if (known == inner_->places.end()) {
      std::vector<std::string_view> names;
      for (const auto& [name, is_tls] : inner_->places) names.push_back(name);
      const std::string_view near = diag::nearest(target, names);
      return fail("no-such-target", "there is no upstream or target `" + target + "`" + (near.empty() ? "" : ": did you mean `" + std::string(near) + "`?"));
    }
    if (fault.kind == upstream::Fault::Kind::Tls && !known->second) return fail("no-tls", "`" + target + "` is not spoken to over TLS: nothing would meet the fault");
  }
  inner_->faults.set(target, std::move(fault), inner_->environment.clock.policy_now());
  return success();
}

Status Gateway::clear_faults(const std::string& target, const std::string& name) {
  if (inner_->faults.clear(target, name, inner_->environment.clock.policy_now()) > 0) return success();
  return fail("no-such-fault", "`" + target + "` has no fault" + (name.empty() ? "" : " `" + name + "`") + " to clear; one that was set on an upstream is cleared there, and one that is over is gone");
}

std::vector<upstream::FaultState> Gateway::faults() const { return inner_->faults.all(inner_->environment.clock.policy_now()); }

std::vector<CacheReport> Gateway::caches() const { return gateway::caches(inner_->states); }

Result<std::size_t> Gateway::purge(const PurgeRequest& request) { 
  // What people call this machine, at its ports.
  std::vector<std::string> origins;
  for (const std::string_view scheme : {"http://", "https://"}) {
    origins.push_back(std::string(scheme) + "localhost");
    for (const Bound& bound : listeners()) {
      if (!bound.path.empty()) continue;
      const std::string port = ":" + std::to_string(bound.address.port);
      for (const std::string_view host : {"localhost", "127.0.0.1", "[::1]"}) origins.push_back(std::string(scheme) + std::string(host) + port);
      origins.push_back(std::string(scheme) + format(bound.address));
    }
  }
  return gateway::purge(inner_->states, request, origins, inner_->environment.clock.policy_now());
}

Result<std::uint64_t> Gateway::remaining(const std::string& policy_id, const std::string& key) const {
  const Model& model = *inner_->in_force;
  std::vector<std::string_view> limits;
  for (const auto& policy : model.policies) {
    const auto left = policy->remaining({key, model.consumers.find(key), inner_->environment.clock.policy_now()});
    if (left && policy->id == policy_id) return *left;
    if (left) limits.push_back(policy->id);
  }
  const std::string_view near = diag::nearest(policy_id, limits);
  return fail("no-such-limit", "there is no rate-limit or quota with the id `" + policy_id + "`" + (near.empty() ? "" : ": did you mean `" + std::string(near) + "`?"));
}

std::vector<TargetReport> Gateway::targets() const {
  const Instant now = inner_->environment.clock.policy_now();
  std::vector<TargetReport> out;
  for (const auto& state : inner_->target_states()) out.push_back({state->upstream(), state->target(), state->view(now)});
  std::sort(out.begin(), out.end(), [](const TargetReport& a, const TargetReport& b) { return std::tie(a.upstream, a.target) < std::tie(b.upstream, b.target); });
  return out;
}

namespace {

void add_target(observe::MetricsText& text, const TargetReport& target) {
  using State = upstream::TargetState;
  const std::vector<std::pair<std::string_view, std::string_view>> labels{{"upstream", target.upstream}, {"target", target.target}};
  const State::View& view = target.view;
  const bool well = view.health != balance::Health::State::Unhealthy && !view.ejected && view.breaker != balance::Breaker::State::Open;
  text.labelled("gauge", "gatelab_target_available", "Whether a target gets requests: not unhealthy, not ejected, its breaker not open.", labels, well ? 1 : 0);
  text.labelled("gauge", "gatelab_target_in_flight", "Requests that a target has now.", labels, view.in_flight);
  text.labelled("gauge", "gatelab_target_breaker_state", "0: closed, 1: half-open, 2: open.", labels, view.breaker == balance::Breaker::State::Closed ? 0 : view.breaker == balance::Breaker::State::HalfOpen ? 1 : 2);
  text.labelled("counter", "gatelab_target_health_checks_total", "Health checks made.", labels, static_cast<double>(view.checks));
  for (std::size_t i = 0; i < State::kChanges; ++i) {
    if (view.changes[i] == 0) continue;
    auto with = labels;
    with.emplace_back("to", State::name(static_cast<State::Change>(i)));
    text.labelled("counter", "gatelab_target_changes_total", "How often a target's breaker, health or ejection changed, by what it became.", with, static_cast<double>(view.changes[i]));
  }
}

}  // namespace

observe::MetricsText Gateway::metrics() const {
  observe::MetricsText text;
  for (const TargetReport& target : targets()) add_target(text, target);
  for (const upstream::Faults::Injected& one : inner_->faults.injected())
    text.labelled("counter", "gatelab_faults_injected_total", "Connections and requests that met a fault.", {{"target", one.target}, {"kind", one.kind}}, static_cast<double>(one.count));
  if (inner_->keeper) inner_->keeper->add_metrics(text);
  if (inner_->options.export_traces) inner_->spans.add_metrics(text);
  for (const auto& worker : inner_->workers) text.add(worker->metrics());
  for (const auto& [id, state] : inner_->states.alive()) {
    std::vector<policy::Measure> measures;
    state->measure(measures);
    for (const policy::Measure& one : measures) {
      std::vector<std::pair<std::string_view, std::string_view>> labels{{"id", id}};
      if (!one.label.empty()) labels.emplace_back(one.label, one.label_value);
      text.labelled(one.counts ? "counter" : "gauge", std::string(one.metric), std::string(one.help), labels, one.value);
    }
  }
  std::lock_guard lock(inner_->mutex);
  for (const auto& bind : inner_->binds)
    text.gauge("gatelab_listener_connections", "Client connections that are open, by listener.", "listener", bind->name, static_cast<double>(bind->open.load(std::memory_order_relaxed)));
  return text;
}

std::vector<observe::OwnedRecord> Gateway::requests(std::size_t limit) const {
  std::vector<observe::OwnedRecord> all;
  for (const auto& worker : inner_->workers) worker->copy_traces(all);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.began + a.total > b.began + b.total; });
  if (all.size() > limit) all.resize(limit);
  return all;
}

std::vector<observe::ConsumerReport> Gateway::consumers() const {
  std::map<std::string, observe::ConsumerReport> all;
  for (const auto& worker : inner_->workers) worker->metrics().consumers().collect(all);
  std::vector<observe::ConsumerReport> out;
  for (auto& [name, one] : all) out.push_back(std::move(one));
  return out;
}

std::size_t Gateway::connections() const {
  std::size_t sum = 0;
  std::lock_guard lock(inner_->mutex);
  for (const auto& bind : inner_->binds) sum += bind->open.load(std::memory_order_relaxed);
  return sum;
}

void Gateway::cut() {
  for (const auto& worker : inner_->workers) worker->loop().post_remote([w = worker.get()] { w->cut(); });
}

std::size_t Gateway::in_flight() const noexcept {
  std::size_t sum = 0;
  for (const auto& worker : inner_->workers) sum += worker->in_flight();
  return sum;
}

void Gateway::flush_logs() {
  for (const auto& worker : inner_->workers) worker->flush_log();
}

}  // namespace gatelab::gateway
