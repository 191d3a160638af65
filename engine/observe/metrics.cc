// SPDX-License-Identifier: Apache-2.0
#include "observe/metrics.h"

#include <algorithm>
#include <charconv>
#include <cassert>
#include <mutex>
#include <set>

namespace gatelab::observe {
namespace {

constexpr std::array<std::int64_t, kLatencyBoundsSeconds.size()> kBoundsNs = [] {
  std::array<std::int64_t, kLatencyBoundsSeconds.size()> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::int64_t>(kLatencyBoundsSeconds[i] * 1e9 + 0.5);
  return out;
}();

struct Durations {
  std::array<Counter, kLatencyBoundsSeconds.size() + 1> buckets;
  Counter count, nanoseconds;
  static std::size_t bucket(std::int64_t ns) noexcept { return static_cast<std::size_t>(std::lower_bound(kBoundsNs.begin(), kBoundsNs.end(), ns) - kBoundsNs.begin()); }
  void add(Duration took) noexcept {
    const std::int64_t ns = std::max<std::int64_t>(0, took.count());
    buckets[bucket(ns)].add();
    count.add();
    nanoseconds.add(static_cast<std::uint64_t>(ns));
  }
};

// The latest trace of each bucket.
struct Exemplars {
  struct One {
    char trace[32];
    double seconds = 0;
    Instant at;
    bool is_there = false;
  };
  std::array<One, kLatencyBoundsSeconds.size() + 1> buckets;
};

struct RouteSeries {
  std::array<Counter, kStatusClasses.size()> classes;
  Durations latency;
  std::unique_ptr<Exemplars> exemplars;  // null: none of its requests has a trace; guarded by the tables' mutex
  Counter request_octets, response_octets;
  std::array<Counter, kCacheResults.size()> cached;
  // Reasons are few: a list that grows once for each (by, reason) that this route has seen.
  struct Ended {
    std::string by, reason;
    Counter count;
  };
  std::vector<std::unique_ptr<Ended>> ended;
};

struct UpstreamSeries {
  struct Attempts {
    std::string target, reason;
    Counter count;
    Durations answers;
  };
  // By target; reasons are few.
  std::map<std::string, std::vector<std::unique_ptr<Attempts>>, std::less<>> attempts;
  Attempts* latest = nullptr;  // most are like the one before
  Counter reused, retries, hedges_won, hedges_lost, hedges_failed;
};

std::string quoted(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') out += "\\n";
    else out += c;
  }
  return out + "\"";
}

std::string label(std::string_view key, std::string_view value) { return std::string(key) + "=" + quoted(value); }

std::string number(double value) {
  char digits[40];
  if (value == static_cast<double>(static_cast<std::int64_t>(value)))
    return {digits, std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(value)).ptr};
  // Bounds are labels, and labels compare as texts: 0.0005, never 5e-04.
  const auto format = value < 1e-9 || value > 1e15 ? std::chars_format::general : std::chars_format::fixed;
  return {digits, std::to_chars(digits, digits + sizeof digits, value, format).ptr};
}

// Buckets must appear in the order of their bounds, and keys are sorted as texts: two octets before the label, which exposition.cc
// leaves out.
std::string rank(std::size_t bucket) { return {'\x01', static_cast<char>('A' + bucket)}; }
std::string bucket_key(const std::string& labels, std::size_t i) {
  return "_bucket " + labels + "," + rank(i) + label("le", i < kLatencyBoundsSeconds.size() ? number(kLatencyBoundsSeconds[i]) : "+Inf");
}

template <class Family, class Value>
void histogram(Family& family, const std::string& labels, const Durations& durations, const Value& value) {
  if (durations.count.value() == 0) return;
  double below = 0;
  for (std::size_t i = 0; i < kLatencyBoundsSeconds.size(); ++i) {
    below += value(durations.buckets[i]);
    family.series[bucket_key(labels, i)] += below;
  }
  family.series[bucket_key(labels, kLatencyBoundsSeconds.size())] += value(durations.count);
  family.series["_sum " + labels] += value(durations.nanoseconds) / 1e9;
  family.series["_count " + labels] += value(durations.count);
}

}  // namespace

// Series live in maps by name. A mutex guards their shape (adopting, a first reason, reading); counting, which is done by
// the thread that alone changes the shape, does not take it.
struct WorkerMetrics::Tables {
  mutable std::mutex mutex;
  std::map<std::string, std::unique_ptr<RouteSeries>, std::less<>> routes;
  std::map<std::string, std::unique_ptr<UpstreamSeries>, std::less<>> upstreams;
  // As the configuration in force counts them. An exchange that began before a reload carries an older one's index: the
  // name beside it tells.
  std::vector<std::pair<std::string_view, RouteSeries*>> routes_in_force;
  std::vector<std::pair<std::string_view, UpstreamSeries*>> upstreams_in_force;
  RouteSeries* none = nullptr;
  std::vector<std::unique_ptr<RouteSeries::Ended>> handshakes;  // by side and result: few

  RouteSeries& route(const std::string& name) {
    auto& series = routes[name];
    if (!series) series = std::make_unique<RouteSeries>();
    return *series;
  }
  template <class Series, class Map>
  static Series* find(const std::vector<std::pair<std::string_view, Series*>>& in_force, const Map& all, std::int32_t index, std::string_view name) noexcept {
    const auto at = static_cast<std::size_t>(index);
    if (at < in_force.size() && in_force[at].first == name) return in_force[at].second;
    const auto named = all.find(name);
    return named == all.end() ? nullptr : named->second.get();
  }
  UpstreamSeries& upstream(std::string_view name) {
    const auto known = upstreams.find(name);
    if (known != upstreams.end()) return *known->second;
    return *(upstreams[std::string(name)] = std::make_unique<UpstreamSeries>());
  }
  // Only of requests whose spans somebody keeps: few, and whoever is one of them costs more elsewhere.
  void exemplify(RouteSeries& series, const Record& r) {
    std::lock_guard lock(mutex);
    if (!series.exemplars) series.exemplars = std::make_unique<Exemplars>();
    Exemplars::One& one = series.exemplars->buckets[Durations::bucket(std::max<std::int64_t>(0, r.total.count()))];
    r.trace.id.copy(one.trace, sizeof one.trace);
    one.seconds = static_cast<double>(r.total.count()) / 1e9;
    one.at = r.began + r.total;
    one.is_there = r.trace.id.size() == sizeof one.trace;
  }
  void ended(RouteSeries& series, std::string_view by, std::string_view reason) {
    for (const auto& e : series.ended)
      if (e->reason == reason && e->by == by) return e->count.add();
    std::lock_guard lock(mutex);
    series.ended.push_back(std::make_unique<RouteSeries::Ended>());
    series.ended.back()->by = by;
    series.ended.back()->reason = reason;
    series.ended.back()->count.add();
  }
  UpstreamSeries::Attempts& attempts_of(UpstreamSeries& series, std::string_view target, std::string_view reason) {
    const auto known = series.attempts.find(target);
    if (known != series.attempts.end())
      for (const auto& a : known->second)
        if (a->reason == reason) return *a;
    std::lock_guard lock(mutex);
    auto& all = known != series.attempts.end() ? known->second : series.attempts[std::string(target)];
    all.push_back(std::make_unique<UpstreamSeries::Attempts>());
    all.back()->target = target;
    all.back()->reason = reason;
    return *all.back();
  }
  void attempted(UpstreamSeries& series, const Attempt& a) {
    if (series.latest == nullptr || series.latest->reason != a.reason || series.latest->target != a.target) series.latest = &attempts_of(series, a.target, a.reason);
    series.latest->count.add();
    if (a.status >= 200) series.latest->answers.add(a.connected + a.first_byte);
  }
};

namespace {

// Names that no configuration has any more are kept, so that counters go on should they come back, but not without a bound.
constexpr std::size_t kFormerNames = 1000;
template <class Series>
void forget(std::map<std::string, std::unique_ptr<Series>, std::less<>>& all, const std::vector<std::string>& in_force) {
  if (all.size() <= in_force.size() + kFormerNames) return;
  const std::set<std::string_view> kept(in_force.begin(), in_force.end());
  std::erase_if(all, [&kept](const auto& one) { return one.first != "(none)" && kept.count(one.first) == 0; });
}

}  // namespace

WorkerMetrics::WorkerMetrics() : tables_(std::make_unique<Tables>()) { adopt({}, {}); }
WorkerMetrics::~WorkerMetrics() = default;

void WorkerMetrics::adopt(const std::vector<std::string>& routes, const std::vector<std::string>& upstreams, std::vector<ConsumerTable::Configured> consumers) {
  consumers_.adopt(std::move(consumers));
  std::lock_guard lock(tables_->mutex);
  Tables& t = *tables_;
  const auto in_force = [](auto& all, const std::string& name) { return std::pair(std::string_view(all.find(name)->first), all.find(name)->second.get()); };
  t.routes_in_force.clear();
  t.upstreams_in_force.clear();
  for (const std::string& name : routes) {
    t.route(name);
    t.routes_in_force.push_back(in_force(t.routes, name));
  }
  for (const std::string& name : upstreams) {
    t.upstream(name);
    t.upstreams_in_force.push_back(in_force(t.upstreams, name));
  }
  tables_->none = &tables_->route("(none)");
  forget(t.routes, routes);
  forget(t.upstreams, upstreams);
}

void WorkerMetrics::count_handshake(std::string_view side, std::string_view result) noexcept {
  auto& all = tables_->handshakes;
  for (const auto& one : all)
    if (one->reason == result && one->by == side) return one->count.add();
  std::lock_guard lock(tables_->mutex);
  all.push_back(std::make_unique<RouteSeries::Ended>());
  all.back()->by = side;
  all.back()->reason = result;
  all.back()->count.add();
}

void WorkerMetrics::count(const Record& r) noexcept {
  Tables& t = *tables_;
  RouteSeries* series = Tables::find(t.routes_in_force, t.routes, r.route_index, r.route);
  if (series == nullptr) series = t.none;
  series->classes[status_class(r.status)].add();
  t.ended(*series, r.ended.by, r.ended.reason);
  if (r.status != 101) {
    series->latency.add(r.total);
    if (r.trace.sampled) t.exemplify(*series, r);
  }
  consumers_.count(r);
  series->request_octets.add(r.request_octets);
  series->response_octets.add(r.response_octets);
  if (!r.cache.empty()) {
    const auto result = std::find(kCacheResults.begin(), kCacheResults.end(), r.cache) - kCacheResults.begin();
    if (static_cast<std::size_t>(result) < kCacheResults.size()) series->cached[static_cast<std::size_t>(result)].add();
  }
  count_attempts(r);
}

void WorkerMetrics::count_attempts(const Record& r) noexcept {
  Tables& t = *tables_;
  for (const Attempt& a : r.attempts) {
    UpstreamSeries* upstream = Tables::find(t.upstreams_in_force, t.upstreams, r.upstream_index, a.upstream);
    if (upstream == nullptr) continue;
    t.attempted(*upstream, a);
    if (a.reused) upstream->reused.add();
    if (a.retried) upstream->retries.add();
    if (a.hedge) (a.reason == reason::kCompleted.word ? upstream->hedges_won : a.reason == reason::kHedged.word ? upstream->hedges_lost : upstream->hedges_failed).add();
  }
}

MetricsText::Family& MetricsText::family(const char* name, const char* type, const char* help) {
  Family& f = families_[name];
  f.type = type;
  f.help = help;
  return f;
}

void MetricsText::add_consumers(const WorkerMetrics& worker) {
  Family& requests = family("gatelab_consumer_requests_total", "counter", "Finished exchanges by class of consumer and class of status.");
  Family& request_bytes = family("gatelab_consumer_request_bytes_total", "counter", "Octets of request bodies by class of consumer.");
  Family& response_bytes = family("gatelab_consumer_response_bytes_total", "counter", "Octets of response bodies by class of consumer.");
  family("gatelab_consumers_folded_total", "counter", "Consumers that are counted as (other) since they have made room for others.").series[""] += static_cast<double>(worker.consumers().folded());
  std::map<std::string, ClassReport> all;
  worker.consumers().collect(all);
  for (const auto& [name, one] : all) {
    const std::string which = label("consumer_class", name);
    double asked = 0;
    for (std::size_t i = 0; i < kStatusClasses.size(); ++i) {
      if (one.classes[i] > 0) requests.series[which + "," + label("status_class", kStatusClasses[i])] += static_cast<double>(one.classes[i]);
      asked += static_cast<double>(one.classes[i]);
    }
    if (asked == 0) continue;
    request_bytes.series[which] += static_cast<double>(one.request_octets);
    response_bytes.series[which] += static_cast<double>(one.response_octets);
  }
}

void MetricsText::add(const WorkerMetrics& worker) {
  add_consumers(worker);
  const auto counter = [this](const char* name, const char* help) -> Family& { return family(name, "counter", help); };
  const auto value = [](const Counter& c) { return static_cast<double>(c.value()); };
  const double accepted = value(worker.connections_accepted), closed = value(worker.connections_closed);
  counter("gatelab_connections_accepted_total", "Client connections accepted.").series[""] += accepted;
  counter("gatelab_connections_closed_total", "Client connections that have ended.").series[""] += closed;
  Family& refused = counter("gatelab_connections_refused_total", "Client connections closed before their first request, by reason.");
  for (std::size_t i = 0; i < kRefused.size(); ++i) refused.series[label("reason", kRefused[i]->word)] += value(worker.connections_refused[i]);
  family("gatelab_connections_active", "gauge", "Client connections that are open.").series[""] += accepted - closed;
  counter("gatelab_tunnels_opened_total", "WebSockets that were opened.").series[""] += value(worker.tunnels_opened);
  family("gatelab_tunnels_active", "gauge", "WebSockets that are open.").series[""] += value(worker.tunnels_opened) - value(worker.tunnels_closed);
  counter("gatelab_log_lines_dropped_total", kDroppedHelp).series[label("reason", "flood")] += value(worker.log_lines_dropped);
  counter("gatelab_log_lines_sampled_out_total", "Exchanges without an access-log line, as the sample says.").series[""] += value(worker.log_lines_sampled_out);
  Family& requests = counter("gatelab_requests_total", "Finished exchanges by route and class of status.");
  Family& ended = counter("gatelab_ended_total", "Finished exchanges by who ended them and why.");
  Family& duration = family("gatelab_request_duration_seconds", "histogram", "From a request's first octet to its answer's last.");
  Family& request_bytes = counter("gatelab_request_bytes_total", "Octets of request bodies.");
  Family& response_bytes = counter("gatelab_response_bytes_total", "Octets of response bodies.");
  Family& attempts = counter("gatelab_upstream_attempts_total", "Tries at upstream targets by how they ended.");
  Family& answers = family("gatelab_target_answer_seconds", "histogram", "From a try's beginning to its answer's head, by target.");
  Family& reused = counter("gatelab_upstream_connections_reused_total", "Tries that went over a kept connection.");
  Family& retries = counter("gatelab_upstream_retries_total", "Tries that followed another of the same request; not those over a new connection as a kept one had gone stale.");
  Family& hedges = counter("gatelab_upstream_hedges_total", "Tries that went out beside one that took long, by what became of them.");
  Family& cached = counter("gatelab_cache_requests_total", "Finished exchanges of routes with a cache, by what it had to do with them.");
  Family& handshakes = counter("gatelab_tls_handshakes_total", "TLS handshakes by side and how they ended.");

  const auto& t = *worker.tables_;
  std::lock_guard lock(t.mutex);
  for (const auto& h : t.handshakes) handshakes.series[label("side", h->by) + "," + label("result", h->reason)] += value(h->count);
  for (const auto& [name, s] : t.routes) {
    const std::string route = label("route", name);
    for (std::size_t i = 0; i < kStatusClasses.size(); ++i)
      if (s->classes[i].value() > 0) requests.series[route + "," + label("status_class", kStatusClasses[i])] += value(s->classes[i]);
    for (const auto& e : s->ended) ended.series[route + "," + label("by", e->by) + "," + label("reason", e->reason)] += value(e->count);
    if (!s->ended.empty()) {
      request_bytes.series[route] += value(s->request_octets);
      response_bytes.series[route] += value(s->response_octets);
    }
    for (std::size_t i = 0; i < kCacheResults.size(); ++i)
      if (s->cached[i].value() > 0) cached.series[route + "," + label("result", kCacheResults[i])] += value(s->cached[i]);
    histogram(duration, route, s->latency, value);
    for (std::size_t i = 0; s->exemplars && i <= kLatencyBoundsSeconds.size(); ++i) {
      const Exemplars::One& one = s->exemplars->buckets[i];
      Exemplar& latest = duration.exemplars[bucket_key(route, i)];
      if (one.is_there && (latest.trace_id.empty() || latest.at < one.at)) latest = {{one.trace, sizeof one.trace}, one.seconds, one.at};
    }
  }
  for (const auto& [name, s] : t.upstreams) {
    for (const auto& [target, all] : s->attempts)
      for (const auto& a : all) {
        const std::string labels = label("upstream", name) + "," + label("target", target);
        attempts.series[labels + "," + label("reason", a->reason)] += value(a->count);
        histogram(answers, labels, a->answers, value);
      }
    if (s->reused.value() > 0) reused.series[label("upstream", name)] += value(s->reused);
    if (s->retries.value() > 0) retries.series[label("upstream", name)] += value(s->retries);
    for (const auto& [result, count] : {std::pair("won", &s->hedges_won), std::pair("lost", &s->hedges_lost), std::pair("failed", &s->hedges_failed)})
      if (count->value() > 0) hedges.series[label("upstream", name) + "," + label("result", result)] += value(*count);
  }
}

void MetricsText::gauge(std::string name, std::string help, double value) {
  Family& f = families_[std::move(name)];
  f.type = "gauge";
  f.help = std::move(help);
  f.series[""] = value;
}

void MetricsText::labelled(const char* type, std::string name, std::string help, const std::vector<std::pair<std::string_view, std::string_view>>& labels, double value) {
  assert(std::string_view(type) != "counter" || name.ends_with("_total"));
  Family& f = families_[std::move(name)];
  f.type = type;
  f.help = std::move(help);
  std::string key;
  for (const auto& [label_name, label_value] : labels) key += (key.empty() ? "" : ",") + label(label_name, label_value);
  f.series[key] += value;
}

bool MetricsText::value(std::string_view name, const std::map<std::string, std::string>& labels, double& out) const {
  // Every series whose labels include the given ones is summed.
  bool found = false;
  out = 0;
  for (const auto& [family, content] : families_) {
    if (!name.starts_with(family)) continue;
    const std::string_view suffix = name.substr(family.size());
    for (const auto& [key, value] : content.series) {
      const bool suffixed = key.starts_with("_");
      if (suffixed ? key.substr(0, key.find(' ')) != suffix : !suffix.empty()) continue;
      const bool all = std::all_of(labels.begin(), labels.end(), [&key](const auto& l) { return key.find(label(l.first, l.second)) != std::string::npos; });
      if (!all) continue;
      found = true;
      out += value;
    }
  }
  return found;
}

}  // namespace gatelab::observe
