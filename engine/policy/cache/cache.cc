// SPDX-License-Identifier: Apache-2.0
#include "policy/cache/cache.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "policy/when.h"

namespace gatelab::policy {
namespace {

// Servers take another method from these, and none of them is in a key. Those that they take another path from never go upstream.
constexpr std::string_view kOverrides[] = {"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"};

enum class Sharing : std::uint8_t {
  Apart,     // who was authenticated has answers of their own
  ByOrigin,  // as RFC 9111 §3.5 has it: the response says whether it is for all
  All,       // everyone's, whatever the response says
};

class Cache final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "cache"; }
  Phase phase() const noexcept override { return Phase::CacheLookup; }
  const CachePlan* cache_plan() const noexcept override { return &plan; }

  Step step(Input& in) const noexcept override {
    if (mode == Mode::Observe) return Step::skip("mode: observe");
    if (!when.fits(in)) return Step::skip("`when` does not speak of it");
    if (const std::string_view why = why_not(in.request); !why.empty()) return Step::skip(why);
    CacheUse use;
    use.by = this;
    use.plan = &plan;
    const bool by_policy = in.consumer != nullptr || !in.principal_by.empty();
    const bool shows_certificate = in.tls != nullptr && !in.tls->peer_certificate.empty();
    use.authenticated = by_policy || shows_certificate || in.request.fields.find(http::FieldId::Authorization) != nullptr;
    if (by_policy && sharing == Sharing::Apart) {
      use.scope = cache::KeyScope::Consumer;
      use.consumer = whose(in);
      if (use.consumer.empty()) return Step::skip("the principal has no name to keep answers apart by");
    }
    in.cache = in.arena.make<CacheUse>(use);
    return Step::go_on(in.detailed ? detail(in, use) : std::string_view());
  }

  When when;
  CachePlan plan;
  Sharing sharing = Sharing::Apart;

 private:
  std::string_view why_not(const http::RequestHead& request) const noexcept {
    if (request.method != http::Method::Get && request.method != http::Method::Head) return "only GET and HEAD are answered from a cache";
    if (request.body.kind != http::Framing::None) return "a request with a body is not answered from a cache";
    for (const std::string_view name : {"If-Match", "If-Unmodified-Since"})
      if (request.fields.find(name) != nullptr) return "its precondition is the origin's to evaluate";
    for (const std::string_view name : kOverrides)
      if (request.fields.find(name) != nullptr && !is_in_key(name)) return "a field asks for another method than the key says";
    return {};
  }

  bool is_in_key(std::string_view name) const noexcept {
    return std::any_of(plan.fields.begin(), plan.fields.end(), [name](const std::string& one) { return iequals(one, name); });
  }

  // A consumer is not a principal of the same name, nor is one authenticator's principal another's.
  static std::string_view whose(const Input& in) noexcept {
    if (in.consumer != nullptr) return in.arena.concat("c:", in.consumer->name);
    return in.principal.empty() ? std::string_view() : in.arena.concat("p:", in.principal_by, ":", in.principal);
  }

  static std::string_view detail(const Input& in, const CacheUse& use) noexcept {
    const std::string_view name = use.plan->state->name();
    if (use.scope == cache::KeyScope::Consumer) return in.arena.concat("`", name, "` is asked, for answers to ", in.consumer != nullptr ? std::string_view(in.consumer->name) : std::string_view("this principal"), " alone");
    return in.arena.concat("`", name, "` is asked, for answers to everyone", use.authenticated && !use.plan->rules.share_authenticated ? ", if the response says public, s-maxage or must-revalidate" : "");
  }
};

void parse_key(CachePlan& plan, const config::Node* node, diag::Sink& sink) {
  if (node == nullptr) return;
  config::Reader r(*node, sink, "`key`");
  for (auto& field : r.texts("headers")) {
    if (!http::is_token(field.value)) sink.error("bad-name", field.span, "`" + field.value + "` is no name of a header");
    else plan.fields.push_back(std::move(field.value));
  }
  if (const config::Node* query = r.get("query")) {
    config::Reader q(*query, sink, "`query`");
    for (auto& name : q.texts("keep")) plan.query.keep.push_back(std::move(name.value));
    for (auto& name : q.texts("drop")) plan.query.drop.push_back(std::move(name.value));
    plan.query.sort = q.boolean("sort", false);
    q.elsewhere("keep_only", "write keep: [ … ]");
    q.elsewhere("remove", "write drop: [ utm_* ]");
    q.finish();
  }
  r.elsewhere("consumer", "who was authenticated is in the key already, unless `shared` says otherwise");
  r.elsewhere("cookies", "write headers: [ Cookie ], or let the response say Vary: Cookie");
  r.finish();
}

void parse_status_ttl(cache::Rules& rules, const config::Node* node, diag::Sink& sink) {
  if (node == nullptr) return;
  if (node->kind != config::Kind::Map) return sink.error("wrong-type", node->span, "`status_ttl` must be a map of statuses to times, not " + std::string(config::kind_name(node->kind)), "status_ttl: { 404: 10s }");
  for (const config::Entry& entry : node->entries) {
    std::uint64_t status = 0;
    if (!parse_decimal(entry.key, status) || status < 200 || status > 599) {
      sink.error("bad-status", entry.key_span, "`" + entry.key + "` is no status of a final answer", "status_ttl: { 404: 10s }");
      continue;
    }
    if (const auto ttl = config::as_duration(*entry.value, sink, "the time of " + entry.key)) rules.status_ttl.push_back({static_cast<std::uint16_t>(status), *ttl});
  }
}

// true and false are booleans of YAML, beside a word.
Sharing parse_sharing(const config::Node* node, diag::Sink& sink) {
  if (node == nullptr || node->text == "false") return Sharing::Apart;
  if (node->text == "true") return Sharing::All;
  if (node->text == "by-origin") return Sharing::ByOrigin;
  sink.error("bad-choice", node->span, "`shared` must be false, by-origin or true", "false keeps consumers apart; by-origin obeys public, s-maxage and must-revalidate; true shares everything");
  return Sharing::Apart;
}

void parse_rules(cache::Rules& rules, config::Reader& r) {
  rules.default_ttl = r.duration("default_ttl");
  rules.max_ttl = r.duration("max_ttl", rules.max_ttl);
  parse_status_ttl(rules, r.get("status_ttl"), r.sink());
  rules.heuristics = r.boolean("heuristics", true);
  rules.obey_clients = r.boolean("obey_clients", true);
  rules.set_cookie = static_cast<cache::SetCookie>(r.choice("set_cookie", 0, {"refuse", "strip", "store"}));
  rules.ignores_cookies = r.boolean("ignore_cookies", false);
  rules.stale_while_revalidate = r.duration("stale_while_revalidate").value_or(Duration{});
  rules.stale_if_error = r.duration("stale_if_error").value_or(Duration{});
  rules.stale_beside_s_maxage = r.boolean("stale_beside_s_maxage", false);
  if (r.get("targets") != nullptr) rules.targets.clear();
  for (auto& target : r.texts("targets")) {
    if (!http::is_token(target.value)) r.sink().error("bad-name", target.span, "`" + target.value + "` is no name of a header", "targets: [ CDN-Cache-Control ]");
    rules.targets.push_back(std::move(target.value));
  }
  if (rules.default_ttl && *rules.default_ttl > rules.max_ttl)
    r.sink().error("out-of-range", r.span_of("default_ttl"), "`default_ttl` is longer than `max_ttl`", "nothing is fresh for longer than max_ttl");
}

std::shared_ptr<CacheState> find_cache(config::Reader& r, Context& context) {
  const std::string name = r.text("in", std::string(Caches::kDefault));
  std::size_t bytes = Caches::kDefaultBytes;
  const auto known = context.caches == nullptr ? nullptr : &context.caches->by_name;
  const auto at = known == nullptr ? decltype(known->find(name)){} : known->find(name);
  if (known != nullptr && at != known->end()) {
    bytes = at->second.bytes;
    at->second.used = true;
  } else if (r.get("in") != nullptr && name != Caches::kDefault) {
    std::vector<std::string_view> names;
    if (known != nullptr)
      for (const auto& [one, cache] : *known) names.push_back(one);
    context.sink.no_such("cache", name, r.span_of("in"), names);
    return nullptr;
  }
  const std::uint64_t seed = context.random.fork("cache", 0).next();
  auto state = context.states.obtain<CacheState>("cache/" + name, "cache", [&] { return new CacheState(name, bytes, seed); });
  state->want(bytes);
  return state;
}

}  // namespace

void CacheState::measure(std::vector<Measure>& out) const {
  const cache::StoreCounts counts = store.counts();
  out.push_back({"gatelab_cache_bytes", "Octets that a cache's entries take.", static_cast<double>(store.bytes())});
  out.push_back({"gatelab_cache_bytes_limit", "Octets that a cache may take.", static_cast<double>(store.bound())});
  out.push_back({"gatelab_cache_entries", "Answers in a cache.", static_cast<double>(store.entries())});
  const std::pair<std::string_view, std::uint64_t> events[] = {{"stored", counts.stored}, {"evicted", counts.evicted}, {"purged", counts.purged}};
  for (const auto& [event, count] : events)
    out.push_back({"gatelab_cache_events_total", "What became of answers in a cache.", static_cast<double>(count), true, "event", std::string(event)});
}

void CacheState::normalises(const cache::QueryRules& rules) {
  std::lock_guard lock(mutex_);
  std::erase(rules_, rules);
  if (rules_.size() == kMaxRules) rules_.erase(rules_.begin());
  rules_.push_back(rules);
}

std::size_t CacheState::purge_url(const cache::Target& target, cache::Purge how, Instant now) {
  std::vector<cache::QueryRules> all;
  {
    std::lock_guard lock(mutex_);
    all = rules_;
  }
  Arena arena;
  std::set<std::string> urls;
  for (const cache::QueryRules& rules : all) {
    const cache::Query query = cache::normalised_query({target.query, target.has_query}, rules, arena);
    cache::Target one = target;
    one.query = query.text;
    one.has_query = query.present;
    urls.emplace(cache::to_text(one, arena));
  }
  std::size_t count = 0;
  for (const std::string& url : urls) count += store.purge_url(url, how, now);
  return count;
}

Caches parse_caches(const config::Node* node, diag::Sink& sink) {
  Caches out;
  if (node == nullptr) return out;
  if (node->kind != config::Kind::Map) {
    sink.error("wrong-type", node->span, "`caches` must be a map of names to caches, not " + std::string(config::kind_name(node->kind)), "caches: { default: { size: 64MiB } }");
    return out;
  }
  for (const config::Entry& entry : node->entries) {
    config::Reader r(*entry.value, sink, "cache `" + entry.key + "`");
    Caches::One one;
    one.span = entry.key_span;
    one.bytes = r.size("size", ByteSize{Caches::kDefaultBytes}).bytes;
    if (one.bytes < 64 * 1024) sink.error("out-of-range", r.span_of("size"), "a cache of less than 64KiB holds nothing", "size: 64MiB");
    for (const std::string_view key : {"max_size", "memory", "bytes"}) r.elsewhere(key, "write size: 64MiB");
    r.elsewhere("ttl", "a policy says it: cache: { default_ttl: 30s }");
    r.finish();
    out.by_name.emplace(entry.key, std::move(one));
  }
  return out;
}

std::unique_ptr<Policy> parse_cache(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `cache`");
  const std::size_t before = context.sink.errors();
  auto policy = std::make_unique<Cache>();
  CachePlan& plan = policy->plan;
  policy->when = When::parse(r.get("when"), "cache", context.sink);
  policy->sharing = parse_sharing(r.get("shared"), context.sink);
  plan.says_whose = r.get("shared") != nullptr;
  plan.rules.share_authenticated = policy->sharing == Sharing::All;
  parse_rules(plan.rules, r);
  parse_key(plan, r.get("key"), context.sink);
  plan.max_body = r.size("max_body", ByteSize{8 * 1024 * 1024}).bytes;
  plan.pass_for = r.duration("pass_for", std::chrono::seconds(10));
  plan.shows_key = r.boolean("show_key", false);
  plan.state = find_cache(r, context);
  if (plan.state != nullptr) plan.state->normalises(plan.query);
  r.elsewhere("ttl", "write default_ttl: 30s");
  r.elsewhere("vary", "write key: { headers: [ … ] }, or let the response say Vary");
  r.elsewhere("negative_ttl", "write status_ttl: { 404: 10s }");
  r.elsewhere("methods", "GET and HEAD are answered from a cache, and nothing else");
  r.elsewhere("size", "a cache's size stands under the top-level `caches`");
  r.finish();
  if (!r.valid() || context.sink.errors() != before) return nullptr;
  return policy;
}

}  // namespace gatelab::policy
