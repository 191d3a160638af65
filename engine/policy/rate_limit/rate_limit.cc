// SPDX-License-Identifier: Apache-2.0
#include "policy/rate_limit/rate_limit.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "policy/rate_limit/limiter_table.h"

namespace gatelab::policy {
namespace {

enum class By : std::uint8_t { Ip, Consumer, Header, Route, Constant };
enum class OnFull : std::uint8_t { Reject, Admit };
constexpr std::size_t kMaxKey = 256;

// What holds for one group of consumers, or for everyone else.
struct Rates {
  std::string group;  // empty: everyone else
  std::vector<LimitRule> rules;
  std::vector<std::string> texts;     // for people
  std::vector<std::string> policies;  // RateLimit-Policy, one for each rule
};

// What one request remembers between step and answer.
struct Memo {
  std::string_view key;
  const Rates* rates = nullptr;
  std::uint64_t remaining = 0;
  std::int64_t reset = 0;  // seconds
  std::size_t rule = 0;
  bool charged = false;
};

std::int64_t whole_seconds(Duration d) noexcept { return (d.count() + 999'999'999) / 1'000'000'000; }

class RateLimit final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "rate-limit"; }
  std::string_view key_field() const noexcept override { return by == By::Header ? std::string_view(header) : std::string_view(); }
  // Limits that need no principal run before authentication, so that guessing keys is limited too.
  Phase phase() const noexcept override { return by == By::Consumer ? Phase::Limit : Phase::PreLimit; }
  bool has_on_response() const noexcept override { return true; }

  Step step(Input& in) const noexcept override {
    Memo* memo = in.arena.make<Memo>();
    in.scratch.keep(memo);
    memo->key = key_of(in);
    memo->rates = &rates_of(in);
    const LimiterTable::Result result = table->charge(memo->key, memo->rates->rules, in.now);
    if (result.full) {
      if (on_full == OnFull::Admit) {
        Step admitted = Step::skip({});
        admitted.reason = observe::reason::kLimiterFull.word;
        return admitted;
      }
      return deny(in, observe::reason::kLimiterFull, in.detailed ? in.arena.concat("key ", memo->key) : std::string_view());
    }
    memo->rule = result.decided_by;
    memo->remaining = result.answer.remaining;
    if (result.allowed) {
      memo->charged = true;
      memo->reset = whole_seconds(result.answer.reset);
      return Step::go_on(in.detailed ? in.arena.concat("key ", memo->key, ", ", std::to_string(memo->remaining), " left") : std::string_view());
    }
    Step step = deny(in, observe::reason::kRateLimited, in.detailed ? in.arena.concat("key ", memo->key, ", ", memo->rates->texts[memo->rule]) : std::string_view());
    memo->remaining = 0;
    memo->reset = std::max<std::int64_t>(1, whole_seconds(result.answer.wait));
    step.answer->fields.add(http::FieldId::RetryAfter, "Retry-After", in.arena.copy(std::to_string(memo->reset)));
    add_fields(step.answer->fields, *memo, in.arena);
    return step;
  }

  void undo(Input& in) const noexcept override {
    Memo* memo = memo_of(in);
    if (memo == nullptr || !memo->charged) return;
    table->give_back(memo->key, memo->rates->rules, in.now);
    memo->charged = false;
  }

  void on_response(ResponseInput& response) const noexcept override {
    Memo* memo = memo_of(response.request);
    // What is still under way counts too, so that many guesses at once are as many.
    if (failures_only && response.status != 401 && response.status != 403) return undo(response.request);
    if (memo != nullptr && memo->charged) add_fields(response.fields, *memo, response.request.arena);
  }

  By by = By::Ip;
  std::string header;
  OnFull on_full = OnFull::Reject;
  bool failures_only = false;  // 401 and 403
  std::vector<Rates> rates;    // of groups, in file order; everyone else's is the last
  std::string name;                   // as a quoted string
  std::shared_ptr<LimiterTable> table;

 private:
  static Memo* memo_of(Input& in) noexcept { return in.scratch.memo<Memo>(); }

  // A key is remembered: what a stranger may make long is told apart by its digest.
  static std::string_view bounded(std::string_view key, Arena& arena) noexcept {
    if (key.size() <= kMaxKey) return key;
    const crypto::Sha256 digest = crypto::sha256(key);
    return arena.concat(key.substr(0, kMaxKey / 2), "…", base64url_encode({reinterpret_cast<const char*>(digest.data()), digest.size()}));
  }

  const Rates& rates_of(const Input& in) const noexcept {
    for (const Rates& one : rates)
      if (one.group.empty() || (in.consumer != nullptr && in.consumer->in_group(one.group))) return one;
    return rates.back();
  }

  std::string_view key_of(Input& in) const noexcept {
    std::string_view key;
    switch (by) {
      case By::Constant: return "all";
      case By::Route: return in.route;
      case By::Header: {
        const http::Field* field = in.request.fields.find(header);
        key = field == nullptr ? std::string_view() : field->value;
        return in.arena.copy(key.substr(0, kMaxKey));
      }
      case By::Consumer:
        if (in.consumer != nullptr) return in.arena.concat("consumer ", in.consumer->name);
        if (!in.principal.empty()) return bounded(in.arena.concat("principal ", in.principal), in.arena);
        break;  // who is nobody is known by address
      case By::Ip: break;
    }
    char* text = static_cast<char*>(in.arena.allocate(46, 1));
    return {text, format_to(in.client.ip, text)};
  }

  // draft-ietf-httpapi-ratelimit-headers: what is left, and in how many seconds there is more.
  void add_fields(http::Fields& fields, const Memo& memo, Arena& arena) const noexcept {
    constexpr std::size_t kNumber = 20;
    char* const text = static_cast<char*>(arena.allocate(name.size() + 6 + 2 * kNumber, 1));
    char* at = put(put(text, name), ";r=");
    at = std::to_chars(at, at + kNumber, memo.remaining).ptr;
    at = put(at, ";t=");
    at = std::to_chars(at, at + kNumber, memo.reset).ptr;
    fields.add(http::FieldId::RateLimit, "RateLimit", {text, static_cast<std::size_t>(at - text)});
    fields.add(http::FieldId::RateLimitPolicy, "RateLimit-Policy", memo.rates->policies[memo.rule]);
  }
};

void parse_key(RateLimit& policy, const config::Node& node, diag::Sink& sink) {
  if (node.kind == config::Kind::Map) {
    config::Reader r(node, sink, "`key` of policy `rate-limit`");
    r.require("header");
    policy.by = By::Header;
    policy.header = r.text("header", "");
    if (r.valid() && node.find("header") != nullptr && !http::is_token(policy.header))
      sink.error("bad-header", r.span_of("header"), "`" + policy.header + "` is not a header name");
    return r.finish();
  }
  constexpr By kBy[] = {By::Ip, By::Consumer, By::Route, By::Constant};
  if (const auto choice = config::as_choice(node, sink, "`key` of policy `rate-limit`", {"ip", "consumer", "route", "constant"})) policy.by = kBy[*choice];
}

void parse_rates(Rates& rates, const config::Node& node, LimitRule rule, diag::Sink& sink) {
  const std::string what = "`rate` of policy `rate-limit`";
  const auto one = [&](const config::Node& n) {
    const auto rate = config::as_rate(n, sink, what);
    if (!rate) return;
    if (rule.algorithm == Algorithm::Gcra && static_cast<std::uint64_t>(rate->per.count()) < rate->count)
      return sink.error("bad-rate", n.span, what + ": `" + n.text + "` is more than one in a nanosecond");
    if (rate->count > 1'000'000'000) return sink.error("bad-rate", n.span, what + ": `" + n.text + "` counts further than 1,000,000,000");
    rule.rate = *rate;
    rates.rules.push_back(rule);
    rates.texts.push_back(format(*rate));
  };
  if (node.kind != config::Kind::List) return one(node);
  if (node.items.empty() || node.items.size() > kMaxRates)
    return sink.error("out-of-range", node.span, what + " takes one to " + std::to_string(kMaxRates) + " rates, not " + std::to_string(node.items.size()));
  for (const config::Node& item : node.items) one(item);
}

// { gold: 1000/m }: other rates for consumers of a group.
void parse_groups(RateLimit& policy, const config::Node& node, const LimitRule& rule, const Context& context) {
  if (node.kind != config::Kind::Map) return context.sink.error("wrong-type", node.span, "`groups` must be a map of groups to rates, not " + std::string(config::kind_name(node.kind)), "groups: { gold: 1000/m }");
  if (policy.by != By::Consumer) context.sink.error("no-effect", node.span, "`groups` are consumers': they have no effect on another key", "key: consumer");
  for (const config::Entry& entry : node.entries) {
    const bool known = std::any_of(context.consumers.all.begin(), context.consumers.all.end(), [&entry](const auto& c) { return c->in_group(entry.key); });
    if (!known) context.sink.error("unknown-group", entry.key_span, "no consumer is in a group `" + entry.key + "`", "groups are given to consumers under `consumers`");
    Rates rates;
    rates.group = entry.key;
    parse_rates(rates, *entry.value, rule, context.sink);
    if (!rates.rules.empty()) policy.rates.push_back(std::move(rates));
  }
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c < 0x20 || c > 0x7e ? '?' : c;
  }
  return out + "\"";
}

// What makes counted numbers meaningless when it changes.
std::string shape_of(const RateLimit& policy) {
  std::string shape = "rate-limit " + std::to_string(static_cast<int>(policy.by)) + " " + to_lower(policy.header);
  for (const LimitRule& rule : policy.rates.back().rules) shape += " " + std::to_string(static_cast<int>(rule.algorithm));
  return shape;
}

}  // namespace

std::unique_ptr<Policy> parse_rate_limit(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `rate-limit`");
  auto policy = std::make_unique<RateLimit>();
  LimitRule rule;
  rule.algorithm = static_cast<Algorithm>(r.choice("algorithm", 0, {"fixed-window", "sliding-window", "gcra"}));
  const auto burst = r.integer("burst", 0, 1, 1'000'000'000);
  if (node.find("burst") != nullptr && rule.algorithm != Algorithm::Gcra)
    context.sink.error("bad-burst", r.key_span("burst"), "`burst` is gcra's: a window lets its whole rate through at once anyway", "write algorithm: gcra, or remove burst");
  rule.burst = static_cast<std::uint64_t>(burst);
  if (const config::Node* key = r.require("key")) parse_key(*policy, *key, context.sink);
  if (const config::Node* groups = r.get("groups")) parse_groups(*policy, *groups, rule, context);
  policy->rates.emplace_back();
  if (const config::Node* rate = r.require("rate")) parse_rates(policy->rates.back(), *rate, rule, context.sink);
  policy->failures_only = r.choice("count", 0, {"all", "failures"}) == 1;
  if (policy->failures_only && policy->by == By::Consumer)
    context.sink.error("no-effect", r.span_of("count"), "who fails to say who he is has no consumer: failures are counted by address", "key: ip");
  policy->on_full = static_cast<OnFull>(r.choice("on_full", 0, {"reject", "admit"}));
  const auto entries = static_cast<std::size_t>(r.integer("entries", 100'000, 64, 10'000'000));
  r.not_supported("store", "limits are counted in this process");
  r.finish();
  if (!r.valid() || policy->rates.back().rules.empty()) return nullptr;
  policy->name = quoted(context.default_id);
  for (Rates& rates : policy->rates)
    for (const LimitRule& one : rates.rules)
      rates.policies.push_back(policy->name + ";q=" + std::to_string(quota(one)) + ";w=" + std::to_string(whole_seconds(one.rate.per)));
  const std::uint64_t seed = context.random.fork("limiter", 0).next();
  policy->table = context.states.obtain<LimiterTable>(context.default_id, shape_of(*policy), [&] { return new LimiterTable(entries, seed); });
  policy->table->resize(entries);
  return policy;
}

}  // namespace gatelab::policy
