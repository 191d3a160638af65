// SPDX-License-Identifier: Apache-2.0
#include "gateway/worker.h"

#include <algorithm>
#include <set>
#include <utility>

#include "proxy/handshake.h"
#include "proxy/http1_connection.h"
#include "upstream/check.h"

namespace gatelab::gateway {
namespace {

constexpr std::size_t kLogBatch = 16 * 1024;
constexpr Duration kLogDelay = std::chrono::milliseconds(20);
constexpr Duration kTraceEvery = std::chrono::milliseconds(1);
constexpr std::uint32_t kToldPerSecond = 10;
constexpr Duration kHandshakesLeft = std::chrono::seconds(1);  // when draining begins
constexpr Duration kLastSpans = std::chrono::seconds(2);
constexpr Duration kSweepEvery = std::chrono::seconds(10);

proxy::Route to_route(const RouteConfig& config) {
  proxy::Route route;
  route.name = config.name;
  route.place = config.place;
  route.policies = config.policies;
  route.upstream = config.upstream;
  route.websocket = config.websocket;
  if (config.host) route.host = &*config.host;
  route.timeouts = config.timeouts;
  if (config.rewrite) route.rewrite = {true, config.rewrite->first, config.rewrite->second};
  for (const policy::Policy* policy : config.policies) {
    policy->secret_query(route.secret_query);
    route.caches = route.caches || policy->cache_plan() != nullptr;
  }
  return route;
}

// Every worker of a process has the same name, no other process has it.
std::string via_of(std::uint64_t dice) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "1.1 gatelab-";
  for (int i = 0; i < 8; ++i, dice >>= 4) out += kHex[dice & 15];
  return out;
}

// Connections, addresses and TLS sessions of one place are for all who go there in the same way.
std::string key_of(const upstream::Config& config, const upstream::TargetConfig* target, const std::optional<Address>& fixed) {
  std::string key = fixed ? format(*fixed) : target == nullptr ? config.name : upstream::place_of(*target);
  // Those of other TLS settings are others'.
  if (config.tls) key += "\n" + target->server_name + "\n" + config.tls_scope;
  // A name may be somebody else to other DNS servers.
  for (const Address& server : config.names.servers) key += "\ndns " + format(server);
  return key;
}

}  // namespace

std::shared_ptr<const proxy::ListenerSettings> to_settings(const ListenerConfig& config) {
  auto settings = std::make_shared<proxy::ListenerSettings>();
  settings->name = config.name;
  settings->path = config.path;
  settings->proxy_protocol = config.proxy_protocol;
  settings->max_requests = config.max_requests;
  settings->min_body_rate = config.min_body_rate;
  settings->trusted_proxies = config.trusted_proxies;
  settings->forwarded_style = config.forwarded_style;
  settings->request_id_name = config.request_id_name;
  settings->request_id_from_trusted = config.request_id_from_trusted;
  settings->hop = config.hop;
  settings->limits = config.limits;
  settings->max_body = config.max_body;
  settings->header_timeout = config.header_timeout;
  settings->idle_timeout = config.idle_timeout;
  settings->body_timeout = config.body_timeout;
  settings->tls = config.tls;
  settings->handshake_timeout = config.handshake_timeout;
  return settings;
}

void fill_routes(proxy::Snapshot& snapshot, const Model& model) {
  snapshot.table = model.table.get();
  for (const RouteConfig& route : model.routes) snapshot.routes.push_back(to_route(route));
  snapshot.no_route = to_route(model.no_route);
  const auto hide = [&model](proxy::Route& route) { route.secret_query.insert(route.secret_query.end(), model.log.secret_query.begin(), model.log.secret_query.end()); };
  for (proxy::Route& route : snapshot.routes) hide(route);
  hide(snapshot.no_route);
  std::set<std::string_view> all(snapshot.no_route.secret_query.begin(), snapshot.no_route.secret_query.end());
  for (const proxy::Route& route : snapshot.routes) all.insert(route.secret_query.begin(), route.secret_query.end());
  snapshot.secret_query.assign(all.begin(), all.end());
  for (const auto& policy : model.policies) {
    if (const policy::CachePlan* plan = policy->cache_plan()) snapshot.caches.push_back(plan);
    policy->part_plans(snapshot.caches);
  }
}

std::string bind_key(const ListenerConfig& listener, const Options& options) {
  // Port 0 is another port for each who asks.
  const bool any_port = listener.endpoint.kind == Endpoint::Kind::Ip && listener.endpoint.address.port == 0;
  return options.ephemeral_listeners || any_port ? listener.name : format(listener.endpoint);
}

Worker::Worker(io::Environment& environment, io::Loop& loop, const Options& options, upstream::Faults& faults, SpanQueue& spans)
    : environment_(environment), options_(options), faults_(faults), services_(environment, loop, *this, environment.random.fork("request-id", loop.index())), spans_(spans),
      connections_(loop), background_(loop), copies_(loop), control_(loop) {
  services_.background = &background_;
  services_.copies = &copies_;
  services_.via = via_of(environment.random.fork("via").next());
  services_.tap = options.tap;
  traces_.resize(options.keep_traces);
}

// Where a mock stands; nullopt: the target is where its URL says.
std::optional<Address> Worker::fixed_place(const std::string& target) const {
  const auto fixed = options_.targets.find(target);
  if (fixed != options_.targets.end()) return fixed->second;
  return options_.locate ? options_.locate(target) : std::nullopt;
}

// `target` null: an upstream that is a mock by itself.
upstream::Target::Place Worker::place_of(const upstream::Config& config, const upstream::TargetConfig* target, KeptByPlace& used) {
  upstream::Target::Place place;
  place.fixed = fixed_place(config.name + "/" + (target == nullptr ? config.name : target->name));
  place.unmocked = options_.hermetic && !place.fixed;
  const std::string key = key_of(config, target, place.fixed);
  const Kept& kept = used[key] = kept_[key];
  place.pool = kept.pool;
  place.name = kept.name;
  place.questions = &questions_;
  place.faults = &faults_.of(config.name, target == nullptr ? config.name : target->name);
  place.faults->attach(services_.loop, place.pool->live());
  return place;
}

// One worker checks for all.
void Worker::check_targets() {
  if (checking_) checking_->cancel();
  checking_ = std::make_shared<io::CancelToken>();
  if (services_.loop.index() != 0) return;
  auto pin = std::make_shared<proxy::Pin>(services_.snapshot);
  for (const auto& upstream : services_.snapshot->upstreams) {
    for (upstream::Target& target : upstream->targets()) {
      if (target.state() == nullptr) continue;
      if (!upstream->config().health) {
        target.state()->forget_health();
        continue;
      }
      const Dice dice = environment_.random.fork("health/" + upstream->name() + "/" + target.name());
      background_.spawn(upstream::keep_checking({services_.loop, services_.network, services_.resolver}, upstream->config(), target, checking_, dice, pin));
    }
  }
}

void Worker::adopt(const std::shared_ptr<const Model>& model, std::uint64_t generation) {
  auto snapshot = std::make_unique<proxy::Snapshot>();
  snapshot->owner = model;
  snapshot->generation = generation;
  snapshot->detailed = options_.on_record != nullptr;
  fill_routes(*snapshot, *model);
  KeptByPlace used;
  std::vector<std::string> routes, upstreams;
  for (std::size_t i = 0; i < model->upstreams.size(); ++i) {
    const upstream::Config& config = model->upstreams[i];
    std::vector<upstream::Target::Place> places;
    for (const upstream::TargetConfig& target : config.targets) places.push_back(place_of(config, &target, used));
    if (places.empty()) places.push_back(place_of(config, nullptr, used));
    snapshot->upstreams.push_back(std::make_unique<upstream::Upstream>(config, std::move(places), environment_.random.fork("balance/" + config.name, services_.loop.index())));
    upstreams.push_back(config.name);
  }
  for (const RouteConfig& route : model->routes) routes.push_back(route.name);
  std::vector<observe::ConsumerTable::Configured> consumers;
  for (const auto& consumer : model->consumers.all)
    consumers.push_back({consumer->name, consumer->groups.empty() ? std::string(observe::kNoGroup) : consumer->groups.front()});
  metrics_.adopt(routes, upstreams, std::move(consumers));
  kept_ = std::move(used);
  listeners_.clear();
  for (const ListenerConfig& config : model->listeners)
    listeners_[bind_key(config, options_)] = {to_settings(config), config.max_connections, config.max_connections_per_client};
  logs_ = options_.log_sink != nullptr && model->log.to != LogConfig::To::Off;
  // Room for a batch and its last line, so that no request pays for growing it.
  if (logs_) log_.reserve(2 * kLogBatch);
  if (log_shape_ != model->log.shape) flush_log();
  log_shape_ = model->log.shape;
  format_ = log_shape_->format;
  shaped_ = !log_shape_->is_plain();
  adopt_trace(*snapshot, *model);
  services_.snapshot = proxy::Pin(std::move(snapshot));
  if (exporter_) exporter_->adopt(model->trace);
  check_targets();
  questions_.answered.signal();  // other rules may want to know sooner
  if (std::exchange(begun_, true)) return;
  background_.spawn(flush_later());
  background_.spawn(sweep_pools());
  background_.spawn(keep_addresses());
}

void Worker::adopt_trace(proxy::Snapshot& snapshot, const Model& model) {
  if (!model.trace) return;
  snapshot.trace_rules = model.trace->rules;
  snapshot.trace_rules.exports = model.trace->otlp && options_.export_traces;
  snapshot.trace = &snapshot.trace_rules;
  const bool first = snapshot.trace_rules.exports && services_.loop.index() == 0 && !exporter_;
  if (first) exporter_ = std::make_unique<TraceExporter>(services_, spans_, environment_.random.fork("trace-export"));
}

void Worker::accept(const std::shared_ptr<Bind>& bind, io::TransportPtr transport) {
  metrics_.connections_accepted.add();
  const auto view = listeners_.find(bind->key);
  const bool room = view != listeners_.end() && bind->open.fetch_add(1, std::memory_order_relaxed) < view->second.max_connections;
  if (room) return connections_.spawn(serve(bind, view->second, std::move(transport)));
  if (view != listeners_.end()) bind->open.fetch_sub(1, std::memory_order_relaxed);
  refuse(observe::Refused::Connections, bind->name, {transport->peer(), {}});
  metrics_.connections_closed.add();
  transport->close();
}

// Who is there: by a PROXY header, where one is due and the peer is believed.
io::Task<proxy::Preface> Worker::greet(Bind& bind, const ListenerView& view, io::Transport& transport) {
  const proxy::ListenerSettings& settings = *view.settings;
  proxy::Preface preface;
  preface.ok = true;
  constexpr std::uint64_t kNumbersOfAWorker = std::uint64_t{1} << 48;
  preface.ends = {transport.peer(), bind.listener->local(), loop().index() * kNumbersOfAWorker + ++connections_numbered_};
  const bool trusted = settings.proxy_protocol != proxy::ProxyMode::Off && settings.trusted_proxies.contains(preface.ends.client.ip);
  if (trusted) {
    io::Wait wait;
    wait.deadline = services_.loop.now() + settings.header_timeout;
    wait.cancel = &connections_.token();
    wait.what = "a PROXY header";
    wait.background = true;
    io::Task<proxy::Preface> reading = proxy::read_preface(transport, settings.proxy_protocol, preface.ends, wait);
    preface = co_await reading;
    // What was taken for the beginning of a header is no beginning of a handshake either.
    if (!preface.early.empty() && settings.tls) preface.ok = false;
  } else if (settings.proxy_protocol == proxy::ProxyMode::Required) {
    preface.ok = false;
  }
  if (!preface.ok && !connections_.token().cancelled()) refuse(observe::Refused::ProxyProtocol, settings.name, {transport.peer(), {}});
  co_return preface;
}

io::Task<void> Worker::serve(std::shared_ptr<Bind> bind, ListenerView view, io::TransportPtr transport) {
  io::Task<proxy::Preface> greeting = greet(*bind, view, *transport);
  const proxy::Preface preface = co_await greeting;
  const IpAddress client = preface.ends.client.ip;
  const bool counted = preface.ok && view.max_connections_per_client > 0;
  const bool room = !counted || bind->clients.enter(client, view.max_connections_per_client);
  if (!room) refuse(observe::Refused::ClientConnections, view.settings->name, preface.ends);
  if (preface.ok && room) {
    auto shaking = proxy::handshake(services_, *view.settings, preface.ends.client, std::move(transport), handshakes_);
    io::TransportPtr ready = co_await shaking;
    if (ready) {
      if (options_.tap != nullptr) ready = options_.tap->client(std::move(ready), preface.ends.connection, preface.early);
      proxy::Http1Connection connection(services_, std::move(view.settings), std::move(ready), preface);
      co_await connection.serve();
    }
  } else {
    transport->close();
  }
  if (counted && room) bind->clients.leave(client);
  bind->open.fetch_sub(1, std::memory_order_relaxed);
  metrics_.connections_closed.add();
}

void Worker::finished(const observe::Record& record) noexcept {
  metrics_.count(record);
  if (logs_) log(record);
  if (record.trace.timed) trace(record);
  if (!traces_.empty()) keep_trace(record);
  if (options_.on_record) options_.on_record(record);
  if (pools_idle_) pool_used_.signal();
}

void Worker::called(const observe::Record& record) noexcept {
  metrics_.count_attempts(record);
  if (record.trace.timed) trace(record);
  if (!traces_.empty()) keep_trace(record);
  if (pools_idle_) pool_used_.signal();
}

void Worker::log(const observe::Record& record) noexcept {
  const bool first = log_.empty();
  if (!shaped_) {
    observe::append_line(log_, record, format_, options_.log_colour);
  } else {
    if (log_shape_->sampling.is_on() && !log_shape_->sampling.keeps(record)) return metrics_.log_lines_sampled_out.add();
    observe::append_line(log_, record, *log_shape_, options_.log_colour);
  }
  if (log_.size() >= kLogBatch) flush_log();
  else if (first) log_begun_.signal();
}

void Worker::trace(const observe::Record& record) noexcept {
  span_text_.clear();
  const std::size_t spans = observe::append_spans(span_text_, record);
  if (spans_.add(span_text_, spans)) options_.spans_wait();
}

void Worker::spans_wait() noexcept {
  if (exporter_) exporter_->wake();
}

void Worker::all_are_quiet() noexcept {
  all_quiet_ = true;
  quiet_.signal();
}

// Who has no room, or does not say who is there as he should, is closed before a request: that has a line of its own.
void Worker::refuse(observe::Refused why, std::string_view listener, const proxy::Ends& ends) noexcept {
  metrics_.connections_refused[static_cast<std::size_t>(why)].add();
  auto arena = services_.take_arena();
  {
    observe::Record record(*arena);
    record.began = services_.loop.clock().policy_now();
    record.client = record.peer = ends.client;
    record.listener = listener;
    record.route = services_.snapshot->no_route.name;
    record.ended = {"gateway", {}, observe::kRefused[static_cast<std::size_t>(why)]->word, observe::Phase::Accept};
    tell_some(record);
  }
  services_.give_arena(std::move(arena));
}

void Worker::handshake_failed(const observe::Record& record) noexcept {
  metrics_.count_handshake("client", record.ended.reason);
  tell_some(record);
}

// Anybody can be refused, and make handshakes fail, as fast as the network allows: all are counted, some a second are logged.
void Worker::tell_some(const observe::Record& record) noexcept {
  const Instant now = services_.loop.now();
  if (now - told_since_ >= std::chrono::seconds(1)) {
    told_since_ = now;
    told_ = 0;
  }
  const bool told = ++told_ <= kToldPerSecond;
  if (logs_ && told) log(record);
  else if (logs_) metrics_.log_lines_dropped.add();
  if (!traces_.empty() && told) keep_trace(record);
  if (options_.on_record) options_.on_record(record);
}

// Under load nobody could look at every trace, and copying all would cost: one in a millisecond is kept.
void Worker::keep_trace(const observe::Record& record) noexcept {
  const Instant now = services_.loop.now();
  if (now < next_trace_) return;
  next_trace_ = now + kTraceEvery;
  std::lock_guard lock(traces_mutex_);
  traces_[traces_next_].assign(record);
  traces_next_ = (traces_next_ + 1) % traces_.size();
}

void Worker::copy_traces(std::vector<observe::OwnedRecord>& into) const {
  std::lock_guard lock(traces_mutex_);
  for (const observe::OwnedRecord& trace : traces_)
    if (!trace.request_id.empty()) into.push_back(trace);
}

void Worker::flush_log() noexcept {
  if (log_.empty()) return;
  options_.log_sink(log_);
  log_.clear();
}

// Lines wait a moment for others to share their way to the writer.
io::Task<void> Worker::flush_later() {
  io::Wait idle;
  idle.cancel = &background_.token();
  idle.what = "first line of a log batch";
  idle.background = true;
  while (!background_.token().cancelled()) {
    if (log_.empty()) co_await log_begun_.wait(services_.loop, idle);
    io::Wait moment = idle;
    moment.deadline = services_.loop.now() + kLogDelay;
    moment.what = "log batch";
    co_await io::sleep_until(services_.loop, moment);
    flush_log();
  }
}

// Runs only while there are idle connections, so that a world without traffic has no timers.
io::Task<void> Worker::sweep_pools() {
  io::Wait idle;
  idle.cancel = &background_.token();
  idle.what = "use of an upstream";
  idle.background = true;
  while (!background_.token().cancelled()) {
    std::size_t kept = 0;
    for (const auto& upstream : services_.snapshot->upstreams) upstream->sweep(services_.loop.now());
    for (const auto& [key, at] : kept_) kept += at.pool->idle();
    pools_idle_ = kept == 0;
    if (pools_idle_) {
      co_await pool_used_.wait(services_.loop, idle);
      continue;
    }
    if (names_left_) questions_.answered.signal();
    io::Wait next = idle;
    next.deadline = services_.loop.now() + kSweepEvery;
    next.what = "sweep of idle upstream connections";
    co_await io::sleep_until(services_.loop, next);
  }
}

// Connections that are kept would hide for ever that a name means somebody else by now: it is asked for when its time is
// over, without a request.
io::Task<void> Worker::keep_addresses() {
  io::Wait wait;
  wait.cancel = &background_.token();
  wait.what = "addresses that have to be asked for";
  wait.background = true;
  while (!background_.token().cancelled()) {
    wait.deadline = refresh_addresses();
    co_await questions_.answered.wait(services_.loop, wait);
  }
}

// Returns when the next has to be asked for. A name that nobody is connected by is left to the next request, so that a world
// without traffic has no timers.
Instant Worker::refresh_addresses() {
  const Instant now = services_.loop.now();
  Instant next = Instant::max();
  names_left_ = false;
  for (const auto& upstream : services_.snapshot->upstreams) {
    for (upstream::Target& target : upstream->targets()) {
      const Instant due = target.addresses_expire();
      if (due > now) next = std::min(next, due);
      else if (target.connected()) target.refresh_addresses(services_.loop, services_.resolver);
      else names_left_ = true;
    }
  }
  return next;
}

void Worker::cut() noexcept {
  handshakes_.cancel();
  connections_.cancel();
  copies_.cancel();
  if (exporter_) exporter_->cut();
  for (proxy::Http1Connection* c = services_.first; c != nullptr; c = c->next()) c->cut();
}

void Worker::drain(Duration grace, std::function<void()> quiet, std::function<void()> done) { control_.spawn(drain_all(grace, std::move(quiet), std::move(done))); }

io::Task<void> Worker::drain_all(Duration grace, std::function<void()> quiet, std::function<void()> done) {
  services_.draining = true;
  for (proxy::Http1Connection* c = services_.first; c != nullptr; c = c->next()) c->drain();
  io::Wait wait;
  const Instant last = services_.loop.now() + grace;
  wait.deadline = std::min(last, services_.loop.now() + kHandshakesLeft);
  wait.what = "drain";
  io::Code code = co_await connections_.join(wait);
  handshakes_.cancel();
  wait.deadline = last;
  if (code != io::Code::Ok) code = co_await connections_.join(wait);
  if (code != io::Code::Ok) {
    cut();
    wait.deadline = Instant::max();
    co_await connections_.join(wait);
  }
  if (copies_.running() > 0) {
    wait.deadline = last;
    co_await copies_.join(wait);
    copies_.cancel();
    wait.deadline = Instant::max();
    co_await copies_.join(wait);
  }
  quiet();
  // Other workers' last spans are among those that are still to go.
  wait.deadline = Instant::max();
  while (exporter_ && !all_quiet_) co_await quiet_.wait(services_.loop, wait);
  if (exporter_) {
    auto finishing = exporter_->finish(services_.loop.now() + kLastSpans);
    co_await finishing;
  }
  background_.cancel();
  if (checking_) checking_->cancel();
  wait.deadline = Instant::max();  // whatever time is left: who is told that all has ended may destroy the worker
  co_await background_.join(wait);
  kept_.clear();
  services_.snapshot = proxy::Pin();
  flush_log();
  // Behind this task's own end: who is told may destroy the worker at once, from another thread.
  services_.loop.post_remote(std::move(done));
}

}  // namespace gatelab::gateway
