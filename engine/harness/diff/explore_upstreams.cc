// SPDX-License-Identifier: Apache-2.0
// Where a request goes, and what becomes of it when that fails: targets, timeouts, retries, breakers, health.
#include <algorithm>
#include <array>

#include "base/units.h"
#include "harness/diff/explore.h"

namespace gatelab::harness::diff {
namespace {

using upstream::Fault;
constexpr Duration kNs{1};
constexpr std::uint32_t kMost = 400;  // requests of one probe

Fault fault(Fault::Kind kind, Duration delay = {}, std::uint64_t count = 0) {
  Fault out;
  out.kind = kind;
  out.delay = delay;
  out.count = count;
  return out;
}
Fault status(std::uint16_t code, std::uint64_t count = 0) {
  Fault out = fault(Fault::Kind::Status, {}, count);
  out.status = code;
  return out;
}

class UpstreamProbes {
 public:
  UpstreamProbes(const View& view, const upstream::Config& config, Probes& probes) : view_(view), config_(config), base_(view.base), probes_(probes) {}

  void all() {
    spread();
    timeouts();
    failures();
    if (config_.breaker) breaker(*config_.breaker);
    if (config_.ejection) ejection(*config_.ejection);
    if (config_.health) health(*config_.health);
    if (config_.limits.requests > 0) limits();
    if (config_.hedge) hedge(*config_.hedge);
    const Duration idle = config_.keep_alive_idle;
    add("a connection to the target that waits").send(base_).advance(idle - kNs).send(base_).advance(idle).send(base_).advance(idle + kNs).send(base_);
  }

 private:
  Probe& add(const std::string& about) { return diff::add(probes_, view_, about); }
  std::string target(const upstream::TargetConfig& t) const { return config_.name + "/" + t.name; }

  void spread() {
    std::uint32_t weights = 0;
    for (const auto& t : config_.targets) weights += t.weight;
    if (config_.targets.size() > 1 || config_.sticky) add("how requests are spread").send(base_, std::clamp<std::uint32_t>(weights * 2, 4, kMost));
    if (config_.targets.size() > 1)
      for (const auto& t : config_.targets) add("without target " + t.name).suffer(target(t), fault(Fault::Kind::Refuse)).send(base_, 8);
    if (config_.balance.algorithm == balance::Algorithm::RingHash || config_.sticky) {
      Probe& probe = add("what the ring is asked with");
      for (int i = 1; i <= 12; ++i) {
        Request request = base_;
        const std::string value = "value-" + std::to_string(i);
        if (config_.balance.hash.kind == balance::HashOn::Kind::Header) set_header(request, config_.balance.hash.name, value);
        if (config_.balance.hash.kind == balance::HashOn::Kind::Cookie) request.headers.emplace_back("Cookie", config_.balance.hash.name + "=" + value);
        if (config_.balance.hash.kind == balance::HashOn::Kind::Ip) request.from = *parse_ip("127.0.0." + std::to_string(i));
        probe.send(request);
      }
    }
  }

  void timeouts() {
    const auto& of_route = view_.route->timeouts;
    const auto own = std::find_if(of_route.begin(), of_route.end(), [this](const auto& one) { return view_.model->upstreams[static_cast<std::size_t>(one.first)].name == config_.name; });
    const upstream::Timeouts& t = own == of_route.end() ? config_.timeouts : own->second;
    const auto around = [this](const std::string& what, Fault::Kind kind, Duration edge) {
      if (edge <= kNs) return;
      for (const Duration delay : {edge - kNs, edge, edge + kNs}) add(what + " of " + format(edge) + ", after " + format(delay)).suffer(config_.name, fault(kind, delay)).send(base_);
    };
    around("timeout `response`", Fault::Kind::Slow, t.response);
    around("timeout `total`", Fault::Kind::Slow, t.total);
    around("timeout `connect`", Fault::Kind::Refuse, t.connect);
    around("timeout `idle`", Fault::Kind::Drip, t.idle);
    if (config_.retry.per_try_timeout) around("`per_try_timeout`", Fault::Kind::Slow, *config_.retry.per_try_timeout);
    add("a target that never answers").suffer(config_.name, fault(Fault::Kind::Hang)).send(base_);
    add("a target that drips").suffer(config_.name, fault(Fault::Kind::Drip, std::chrono::seconds(1))).send(base_);
  }

  void failures() {
    const balance::RetryRules& retry = config_.retry;
    const std::uint32_t n = retry.max_retries;
    std::vector<Request> methods{base_};
    for (const char* method : {"POST", "PUT", "GET"})
      if (base_.method != method && (view_.match->methods.empty() || std::find(view_.match->methods.begin(), view_.match->methods.end(), method) != view_.match->methods.end())) {
        methods.push_back(base_);
        methods.back().method = method;
      }
    std::vector<std::uint16_t> codes{429, 500, 501, 502, 503, 504};
    for (std::uint16_t code = 400; code < 600; ++code)
      if (retry.on.statuses.has(code) && code % 100 < 12) codes.push_back(code);
    for (const Request& request : methods) {
      for (const std::uint16_t code : codes) add(request.method + ", and the answer is always " + std::to_string(code)).suffer(config_.name, status(code)).send(request);
      for (const auto kind : {Fault::Kind::Refuse, Fault::Kind::Reset, Fault::Kind::Close, Fault::Kind::Truncate, Fault::Kind::Garbage, Fault::Kind::Dns}) add(request.method + ", and the target does " + std::string(fault(kind).word())).suffer(config_.name, fault(kind)).send(request);
    }
    if (n == 0) return;
    for (const std::uint32_t bad : {n, n + 1}) {
      add(std::to_string(bad) + " answers 503 before a good one").suffer(config_.name, status(503, bad)).send(base_);
      add(std::to_string(bad) + " times refused before it works").suffer(config_.name, fault(Fault::Kind::Refuse, {}, bad)).send(base_);
    }
    const std::uint32_t enough = std::min(retry.budget.min * 2 + 20, kMost);
    add("more retries than the budget has").suffer(config_.name, status(503)).send(base_, enough).advance(retry.budget.window - kNs).send(base_, 3).advance(kNs).send(base_, 3);
    for (const std::int64_t seconds : {retry.max_retry_after / std::chrono::seconds(1), retry.max_retry_after / std::chrono::seconds(1) + 1}) {
      Fault later = status(503, 1);
      later.headers.emplace_back("Retry-After", std::to_string(seconds));
      add("an answer 503 with Retry-After: " + std::to_string(seconds)).suffer(config_.name, later).send(base_);
    }
    if (retry.buffer > (4U << 20)) return;
    for (const std::uint64_t octets : {retry.buffer - 1, retry.buffer, retry.buffer + 1}) {
      Request request = methods.back();
      if (request.method == "GET") request.method = "PUT";
      request.has_body = true;
      request.body.assign(octets, 'x');
      add("a retry with a body of " + std::to_string(octets) + " octets").suffer(config_.name, status(503, 1)).send(request);
    }
  }

  void breaker(const balance::BreakerRules& rules) {
    const std::uint32_t enough = std::min(rules.failures + 2, kMost);
    for (const auto& f : {status(503), fault(Fault::Kind::Refuse)}) {
      const std::string how = std::string(f.word());
      Probe& once = add("a breaker that opens by " + how);
      // With one request after another it shows when it opens; nothing is retried towards an open one.
      once.suffer(config_.name, f).send(base_, enough).clear(config_.name).send(base_);
      once.advance(rules.open - kNs).send(base_).advance(kNs).send(base_, rules.probes + 1).advance(std::chrono::seconds(1)).send(base_, 2);
      Probe& often = add("a breaker whose probes fail, " + how);
      often.suffer(config_.name, f).send(base_, enough);
      Duration open = rules.open;
      for (int i = 0; i < 6; ++i, open = std::min(open * 2, rules.max_open)) often.advance(open - kNs).send(base_).advance(kNs).send(base_);
    }
    add("probes of a breaker, all at once").suffer(config_.name, status(503)).send(base_, enough).clear(config_.name).suffer(config_.name, fault(Fault::Kind::Slow, std::chrono::milliseconds(100))).advance(rules.open).send(base_, rules.probes + 2, rules.probes + 2);
    for (const auto code : std::array<std::uint16_t, 4>{429, 500, 502, 504}) add("a breaker, and answers " + std::to_string(code)).suffer(config_.name, status(code)).send(base_, enough);
  }

  void ejection(const balance::EjectionRules& rules) {
    const auto targets = static_cast<std::uint32_t>(config_.targets.size());
    for (const auto& t : config_.targets) {
      const std::uint32_t enough = std::min((std::max<std::uint32_t>(rules.consecutive, rules.error_share ? rules.error_share->min : 0) + 2) * targets, kMost);
      Probe& probe = add("target " + t.name + " fails until it is ejected");
      probe.suffer(target(t), status(503)).send(base_, enough).clear(target(t)).advance(rules.time - kNs).send(base_, targets).advance(kNs).send(base_, targets);
    }
    add("all targets fail until they are ejected").suffer(config_.name, status(503)).send(base_, std::min((rules.consecutive + 2) * targets, kMost));
    if (!rules.latency) return;
    add("a target is slow until it is ejected").suffer(target(config_.targets.front()), fault(Fault::Kind::Slow, rules.latency->least + kNs)).send(base_, std::min(rules.latency->min * targets + 4, kMost));
  }

  void health(const balance::HealthRules& rules) {
    const std::string path = rules.path.substr(0, rules.path.find('?'));
    for (const std::string& whom : {config_.name, config_.targets.empty() ? config_.name : target(config_.targets.front())}) {
      Fault sick = status(503);
      sick.method = rules.method;
      sick.path = path;
      Probe& probe = add("health checks of " + whom + " fail");
      probe.send(base_).suffer(whom, sick);
      for (std::uint32_t i = 0; i < rules.unhealthy + 1; ++i) probe.advance(rules.every).send(base_);
      probe.clear(whom);
      for (std::uint32_t i = 0; i < rules.healthy + 1; ++i) probe.advance(rules.every).send(base_);
    }
    add("health checks that take long").suffer(config_.name, fault(Fault::Kind::Slow, rules.timeout)).advance(rules.every * (rules.unhealthy + 2)).send(base_);
    for (const auto code : std::array<std::uint16_t, 4>{204, 301, 404, 500}) {
      Fault other = status(code);
      other.method = rules.method;
      other.path = path;
      add("health checks are answered " + std::to_string(code)).suffer(config_.name, other).advance(rules.every * (rules.unhealthy + 2)).send(base_);
    }
  }

  void limits() {
    const auto targets = static_cast<std::uint32_t>(std::max<std::size_t>(1, config_.targets.size()));
    const std::uint32_t enough = std::min(config_.limits.requests * targets + config_.limits.pending + 2, kMost);
    for (const Duration time : {config_.limits.pending_wait - kNs, config_.limits.pending_wait, config_.limits.pending_wait + kNs})
      add(std::to_string(enough) + " requests at once, each of " + format(time)).suffer(config_.name, fault(Fault::Kind::Slow, time)).send(base_, enough, enough);
  }

  void hedge(const balance::HedgeRules& rules) {
    if (!rules.after || config_.targets.empty()) return;
    for (const Duration time : {*rules.after - kNs, *rules.after, *rules.after + kNs, *rules.after * 3})
      add("an answer after " + format(time) + ", where a hedge goes out after " + format(*rules.after)).suffer(target(config_.targets.front()), fault(Fault::Kind::Slow, time)).send(base_, 6);
  }

  const View& view_;
  const upstream::Config& config_;
  const Request& base_;
  Probes& probes_;
};

}  // namespace

void probe_upstream(const View& view, Probes& probes) {
  std::set<std::string> names;
  if (view.route->upstream >= 0) names.insert(view.model->upstreams[static_cast<std::size_t>(view.route->upstream)].name);
  for (const PolicyNode& policy : view.policies) {
    const config::Node* variants = policy.kind == "split" ? policy.node->find("variants") : nullptr;
    if (variants == nullptr) continue;
    for (const config::Entry& e : variants->entries) {
      const config::Node* named = e.value->find("upstream");
      names.insert(named == nullptr ? e.key : named->text);
    }
  }
  for (const upstream::Config& config : view.model->upstreams)
    if (names.count(config.name) > 0) UpstreamProbes(view, config, probes).all();
}

}  // namespace gatelab::harness::diff
