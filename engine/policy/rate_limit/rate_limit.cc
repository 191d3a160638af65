// SPDX-License-Identifier: Apache-2.0
#include "policy/rate_limit/rate_limit.h"

#include <algorithm>

#include "policy/limit_fields.h"
#include "policy/limit_key.h"
#include "policy/rate_limit/cost.h"
#include "policy/rate_limit/limiter_table.h"

namespace gatelab::policy {
namespace {

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
  std::uint64_t charged = 0;
  Instant charged_at;
};

class RateLimit final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "rate-limit"; }
  std::string_view key_field() const noexcept override { return key.field(); }
  Phase phase() const noexcept override { return key.phase(); }
  bool has_on_response() const noexcept override { return true; }

  Step step(Input& in) const noexcept override {
    Memo* memo = in.arena.make<Memo>();
    in.scratch.keep(memo);
    memo->key = key.read(in);
    memo->rates = &for_consumer(rates, in.consumer);
    const std::uint64_t asked = cost.before(in.request.fields);
    const LimiterTable::Result result = table->charge(memo->key, memo->rates->rules, asked, in.now);
    if (result.full) return when_full(in, on_full, memo->key);
    note(*memo, result);
    if (result.allowed) {
      memo->charged = asked;
      memo->charged_at = result.charged_at;
      return Step::go_on(in.detailed ? in.arena.concat("key ", memo->key, ", ", std::to_string(memo->remaining), " left") : std::string_view());
    }
    Step step = deny(in, observe::reason::kRateLimited, in.detailed ? refused_text(*memo, asked, result.answer.wait, in.arena) : std::string_view());
    memo->reset = std::max<std::int64_t>(1, whole_seconds(result.answer.wait));
    step.answer->fields.add(http::FieldId::RetryAfter, "Retry-After", in.arena.copy(std::to_string(memo->reset)));
    add_fields(step.answer->fields, *memo, in.arena);
    return step;
  }

  void undo(Input& in) const noexcept override {
    Memo* memo = memo_of(in);
    if (memo == nullptr || memo->charged == 0) return;
    table->give_back(memo->key, memo->rates->rules, memo->charged, memo->charged_at);
    memo->charged = 0;
  }

  void on_response(ResponseInput& response) const noexcept override {
    Memo* memo = memo_of(response.request);
    // What is still under way counts too, so that many guesses at once are as many.
    if (failures_only && response.status != 401 && response.status != 403) return undo(response.request);
    if (memo == nullptr || memo->charged == 0) return;
    if (cost.from == Cost::From::Response) settle(*memo, cost.after(response.fields), response.request.now);
    add_fields(response.fields, *memo, response.request.arena);
  }

  std::optional<std::uint64_t> remaining(const Whose& whose) const override { return table->remaining(key.written(whose.key), for_consumer(rates, whose.consumer).rules, whose.now); }

  void plain_rates(std::vector<PlainRate>& out) const override {
    if (failures_only || cost.from != Cost::From::Constant || cost.usual != 1 || rates.size() > 1 || shared || on_full == OnFull::Admit) return;
    for (std::size_t i = 0; i < rates.back().rules.size(); ++i) {
      const LimitRule& rule = rates.back().rules[i];
      out.push_back({key.shape(), rates.back().texts[i], rule.rate.count, quota(rule), rule.rate.per, rule.algorithm == Algorithm::FixedWindow});
    }
  }

  LimitKey key;
  Cost cost;
  OnFull on_full = OnFull::Reject;
  bool failures_only = false;  // 401 and 403
  bool shared = false;         // with policies of other routes
  std::vector<Rates> rates;    // of groups, in file order; everyone else's is the last
  std::string name;                   // as a quoted string
  std::shared_ptr<LimiterTable> table;

 private:
  static Memo* memo_of(Input& in) noexcept { return in.scratch.memo<Memo>(); }

  static void note(Memo& memo, const LimiterTable::Result& result) noexcept {
    memo.rule = result.decided_by;
    memo.remaining = result.answer.remaining;
    memo.reset = whole_seconds(result.answer.reset);
  }

  // The answer has said what the request cost.
  void settle(Memo& memo, std::uint64_t said, Instant now) const noexcept {
    const std::span<const LimitRule> rules = memo.rates->rules;
    if (said < memo.charged) {
      table->give_back(memo.key, rules, memo.charged - said, memo.charged_at);
      memo.remaining = std::min(memo.remaining + memo.charged - said, quota(rules[memo.rule]));
    } else if (said > memo.charged) {
      const LimiterTable::Result result = table->charge_anyway(memo.key, rules, said - memo.charged, now);
      if (!result.full) note(memo, result);
    }
    memo.charged = std::max<std::uint64_t>(1, said);
  }

  static std::string_view refused_text(const Memo& memo, std::uint64_t asked, Duration wait, Arena& arena) noexcept {
    const std::string_view rate = memo.rates->texts[memo.rule];
    const std::string then = "; would pass in " + std::to_string(std::max<std::int64_t>(1, whole_seconds(wait))) + " s";
    if (asked == 1) return arena.concat("key ", memo.key, ", ", rate, then);
    return arena.concat("key ", memo.key, ", ", rate, ", costs ", std::to_string(asked), ", ", std::to_string(memo.remaining), " left", then);
  }

  void add_fields(http::Fields& fields, const Memo& memo, Arena& arena) const noexcept {
    add_limit_fields(fields, name, memo.remaining, memo.reset, memo.rates->policies[memo.rule], arena);
  }
};

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
  if (!check_limit_groups(node, policy.key, "1000/m", context)) return;
  for (const config::Entry& entry : node.entries) {
    Rates rates;
    rates.group = entry.key;
    parse_rates(rates, *entry.value, rule, context.sink);
    if (!rates.rules.empty()) policy.rates.push_back(std::move(rates));
  }
}

// What costs more beforehand than a rate ever lets through would be refused for good.
void check_cost(const RateLimit& policy, const config::Reader& r, diag::Sink& sink) {
  const std::uint64_t most = policy.cost.from == Cost::From::Response ? policy.cost.usual : policy.cost.most;
  for (const Rates& rates : policy.rates)
    for (std::size_t i = 0; i < rates.rules.size(); ++i)
      if (most > quota(rates.rules[i]))
        return sink.error("out-of-range", r.span_of("cost"), "a request may cost " + std::to_string(most) + ", and " + rates.texts[i] + " lets no more than " + std::to_string(quota(rates.rules[i])) + " through at once",
                          "make the cost smaller, or the rate or its burst larger");
}

// What policies that share a bucket must say alike.
std::string said_by(const RateLimit& policy, std::size_t entries) {
  std::string said = policy.key.shape() + " " + std::to_string(entries);
  for (const Rates& rates : policy.rates) {
    said += "; " + rates.group;
    for (std::size_t i = 0; i < rates.rules.size(); ++i)
      said += " " + rates.texts[i] + " " + std::to_string(static_cast<int>(rates.rules[i].algorithm)) + " " + std::to_string(rates.rules[i].burst);
  }
  return said;
}

// What makes counted numbers meaningless when it changes.
std::string shape_of(const RateLimit& policy) {
  std::string shape = "rate-limit " + policy.key.shape();
  for (const LimitRule& rule : policy.rates.back().rules) shape += " " + std::to_string(static_cast<int>(rule.algorithm));
  return shape;
}

// The counters that it charges: its own, or of a bucket that it shares.
void take_table(RateLimit& policy, const std::string& bucket, std::size_t entries, const diag::Span& span, Context& context) {
  policy.shared = !bucket.empty();
  policy.name = limit_name(policy.shared ? bucket : context.default_id);
  Arena arena;
  for (Rates& rates : policy.rates)
    for (const LimitRule& one : rates.rules) rates.policies.emplace_back(limit_policy(policy.name, quota(one), whole_seconds(one.rate.per), arena));
  const std::string state = policy.shared ? "bucket " + bucket : context.default_id;
  if (policy.shared) context.states.agree(state, said_by(policy, entries), "`rate`, `groups`, `algorithm`, `burst`, `key` and `entries`", span, context.sink);
  const std::uint64_t seed = context.random.fork("limiter", 0).next();
  policy.table = context.states.obtain<LimiterTable>(state, shape_of(policy), [&] { return new LimiterTable(entries, seed); });
  policy.table->propose(entries);
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
  if (const config::Node* key = r.require("key")) policy->key = parse_limit_key(*key, "rate-limit", context.sink);
  if (const config::Node* groups = r.get("groups")) parse_groups(*policy, *groups, rule, context);
  policy->rates.emplace_back();
  if (const config::Node* rate = r.require("rate")) parse_rates(policy->rates.back(), *rate, rule, context.sink);
  policy->failures_only = r.choice("count", 0, {"all", "failures"}) == 1;
  if (policy->failures_only && policy->key.by == LimitKey::By::Consumer)
    context.sink.error("no-effect", r.span_of("count"), "who fails to say who he is has no consumer: failures are counted by address", "key: ip");
  if (const config::Node* cost = r.get("cost")) {
    policy->cost = parse_cost(*cost, context.sink);
    check_cost(*policy, r, context.sink);
  }
  policy->on_full = parse_on_full(r);
  const auto entries = static_cast<std::size_t>(r.integer("entries", 100'000, 64, 10'000'000));
  const std::string bucket = r.text("bucket", "");
  if (r.get("bucket") != nullptr && r.valid() && bucket.empty()) context.sink.error("bad-name", r.span_of("bucket"), "a bucket needs a name");
  r.not_supported("store", "limits are counted in this process");
  r.finish();
  if (!r.valid() || policy->rates.back().rules.empty()) return nullptr;
  take_table(*policy, bucket, entries, r.span_of("bucket"), context);
  return policy;
}

}  // namespace gatelab::policy
