// SPDX-License-Identifier: Apache-2.0
#include "policy/quota/quota.h"

#include <algorithm>

#include "base/base64.h"
#include "base/units.h"
#include "crypto/digest.h"
#include "policy/limit_fields.h"
#include "policy/limit_key.h"
#include "policy/quota/quota_table.h"

namespace gatelab::policy {
namespace {

constexpr std::int64_t kMaxLimit = 1'000'000'000'000;
constexpr std::size_t kMaxKept = 64;  // octets of a key that stands in the state file as it is

// How many for consumers of one group, or for everyone else.
struct Allowance {
  std::string group;  // empty: everyone else
  std::uint64_t limit = 0;
};

// What one request remembers between step and answer.
struct Memo {
  std::string_view key;
  std::uint64_t limit = 0;
  std::uint64_t remaining = 0;
  Instant until;
  std::int64_t reset = 0, window = 0;  // seconds
  bool charged = false;
};

class Quota final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "quota"; }
  std::string_view key_field() const noexcept override { return key.field(); }
  Phase phase() const noexcept override { return key.phase(); }
  bool has_on_response() const noexcept override { return true; }

  Step step(Input& in) const noexcept override {
    Memo* memo = in.arena.make<Memo>();
    in.scratch.keep(memo);
    memo->key = kept_key(in);
    memo->limit = for_consumer(allowances, in.consumer).limit;
    const QuotaTable::Result result = table->charge(memo->key, memo->limit, in.now);
    if (result.full) return when_full(in, on_full, memo->key);
    memo->remaining = result.remaining;
    memo->until = result.until;
    memo->window = whole_seconds(result.length);
    memo->reset = std::max<std::int64_t>(1, whole_seconds(result.until - in.now));
    memo->charged = result.allowed;
    if (result.allowed) return Step::go_on(in.detailed ? in.arena.concat("key ", memo->key, ", ", std::to_string(memo->remaining), " left until ", format(memo->until)) : std::string_view());
    Step step = deny(in, observe::reason::kQuotaExceeded,
                     in.detailed ? in.arena.concat("key ", memo->key, ", ", std::to_string(memo->limit), " a ", per, " of ", zone->name(), ", until ", format(memo->until)) : std::string_view());
    step.answer->fields.add(http::FieldId::RetryAfter, "Retry-After", in.arena.copy(std::to_string(memo->reset)));
    add_fields(step.answer->fields, *memo, in.arena);
    return step;
  }

  void undo(Input& in) const noexcept override {
    Memo* memo = in.scratch.memo<Memo>();
    if (memo == nullptr || !memo->charged) return;
    table->give_back(memo->key, memo->until);
    memo->charged = false;
  }

  void on_response(ResponseInput& response) const noexcept override {
    const Memo* memo = response.request.scratch.memo<Memo>();
    if (memo != nullptr && memo->charged) add_fields(response.fields, *memo, response.request.arena);
  }

  std::optional<std::uint64_t> remaining(const Whose& whose) const override {
    Arena arena;
    const std::uint64_t limit = for_consumer(allowances, whose.consumer).limit, used = table->used(kept(key.written(whose.key), arena), whose.now);
    return limit > used ? limit - used : 0;
  }

  LimitKey key;
  OnFull on_full = OnFull::Reject;
  std::string per;
  calendar::ZonePtr zone = calendar::utc();
  std::vector<Allowance> allowances;  // of groups, in file order; everyone else's is the last
  std::string name;           // as a quoted string
  std::shared_ptr<QuotaTable> table;

 private:
  // A key stands in the state file, in traces and in logs. What a header says may be a credential, and what is long is
  // known by its digest as well.
  std::string_view kept_key(Input& in) const noexcept { return kept(key.read(in), in.arena); }

  std::string_view kept(std::string_view plain, Arena& arena) const noexcept {
    if (key.by != LimitKey::By::Header && plain.size() <= kMaxKept) return plain;
    if (plain.empty()) return "no value";
    const crypto::Sha256 digest = crypto::sha256(plain);
    return arena.concat("sha256 ", base64url_encode({reinterpret_cast<const char*>(digest.data()), digest.size()}));
  }

  void add_fields(http::Fields& fields, const Memo& memo, Arena& arena) const noexcept {
    // Months differ in length, and so do days.
    add_limit_fields(fields, name, memo.remaining, memo.reset, limit_policy(name, memo.limit, memo.window, arena), arena);
  }
};

calendar::ZonePtr parse_zone(const config::Node& node, diag::Sink& sink) {
  const auto name = config::as_text(node, sink, "`time_zone` of policy `quota`");
  if (!name) return calendar::utc();
  auto zone = calendar::load_zone(*name);
  if (zone) return std::move(*zone);
  diag::Diagnostic d;
  d.id = "unknown-time-zone";
  d.span = node.span;
  if (zone.error().id == "no-time-zones") {
    d.message = "`" + *name + "` can't be looked up: " + zone.error().message;
    d.hint = "is tzdata installed? UTC needs no database";
  } else {
    d.message = zone.error().message;
    const std::vector<std::string> names = calendar::zone_names();
    const std::string_view near = diag::nearest(*name, {names.begin(), names.end()});
    if (!near.empty()) d.note = "did you mean `" + std::string(near) + "`?";
    d.hint = "names are those of the tz database: Europe/Berlin, America/New_York, UTC";
  }
  sink.report(std::move(d));
  return calendar::utc();
}

// { gold: 100000 }: other limits for consumers of a group.
void parse_groups(Quota& policy, const config::Node& node, const Context& context) {
  if (!check_limit_groups(node, policy.key, "100000", context)) return;
  for (const config::Entry& entry : node.entries)
    if (const auto limit = config::as_integer(*entry.value, context.sink, "`" + entry.key + "` of `groups`", 1, kMaxLimit)) policy.allowances.push_back({entry.key, static_cast<std::uint64_t>(*limit)});
}

}  // namespace

std::unique_ptr<Policy> parse_quota(const config::Node& node, Context& context) {
  constexpr const char* kPer[] = {"hour", "day", "week", "month"};
  config::Reader r(node, context.sink, "policy `quota`");
  auto policy = std::make_unique<Quota>();
  const std::size_t errors = context.sink.errors();
  r.require("limit");
  const std::int64_t limit = r.integer("limit", 1, 1, kMaxLimit);
  r.require("per");
  const std::size_t per = r.choice("per", 0, {kPer[0], kPer[1], kPer[2], kPer[3]});
  policy->per = kPer[per];
  if (const config::Node* zone = r.get("time_zone")) policy->zone = parse_zone(*zone, context.sink);
  if (const config::Node* key = r.require("key")) policy->key = parse_limit_key(*key, "quota", context.sink);
  if (const config::Node* groups = r.get("groups")) parse_groups(*policy, *groups, context);
  policy->allowances.push_back({"", static_cast<std::uint64_t>(limit)});
  policy->on_full = parse_on_full(r);
  const auto entries = static_cast<std::size_t>(r.integer("entries", 100'000, 64, 10'000'000));
  r.finish();
  if (!r.valid() || context.sink.errors() != errors) return nullptr;
  policy->name = limit_name(context.default_id);
  const std::uint64_t seed = context.random.fork("quota", 0).next();
  // What makes counted numbers meaningless when it changes. Another limit does not.
  const std::string shape = "quota " + policy->key.shape() + " " + policy->per + " " + policy->zone->name();
  const calendar::Period period = static_cast<calendar::Period>(per);
  policy->table = context.states.obtain<QuotaTable>(context.default_id, shape, [&] { return new QuotaTable(period, policy->zone, entries, seed, context.states.changed()); });
  policy->table->propose(entries);
  return policy;
}

}  // namespace gatelab::policy
