// SPDX-License-Identifier: Apache-2.0
#include "balance/retry.h"

#include <algorithm>

#include "http/chars.h"
#include "http/message.h"

namespace gatelab::balance {

bool RetryRules::takes(std::string_view method, bool is_idempotent) const noexcept {
  if (methods.empty()) return !idempotent || is_idempotent;
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

RetryBudget::Slot& RetryBudget::slot(const RetryRules::Budget& rules, Instant now) noexcept {
  const std::int64_t index = now.ns / std::max<std::int64_t>(1, rules.window.count() / kSlots);
  Slot& slot = slots_[static_cast<std::size_t>(index % kSlots)];
  std::int64_t known = slot.index.load(std::memory_order_relaxed);
  if (known != index && slot.index.compare_exchange_strong(known, index, std::memory_order_relaxed)) {
    slot.requests.store(0, std::memory_order_relaxed);
    slot.retries.store(0, std::memory_order_relaxed);
  }
  return slot;
}

bool RetryBudget::take(const RetryRules::Budget& rules, Instant now) noexcept {
  Slot& current = slot(rules, now);
  const std::int64_t index = current.index.load(std::memory_order_relaxed);
  std::uint64_t requests = 0, retries = 0;
  for (const Slot& s : slots_) {
    const std::int64_t age = index - s.index.load(std::memory_order_relaxed);
    if (age < 0 || age >= kSlots) continue;
    requests += s.requests.load(std::memory_order_relaxed);
    retries += s.retries.load(std::memory_order_relaxed);
  }
  const auto share = static_cast<std::uint64_t>(static_cast<double>(requests) * rules.share.fraction());
  if (retries >= std::max<std::uint64_t>(rules.min, share)) return false;
  current.retries.fetch_add(1, std::memory_order_relaxed);
  return true;
}

Again decide(const RetryRules& rules, const Tried& tried, Dice& dice) noexcept {
  if (rules.max_retries == 0 || !rules.on.has(tried.outcome)) return {};
  if (tried.retries >= rules.max_retries) return {false, {}, "retries-exhausted"};
  // A connection that was never made can't have carried it: then any method may be tried again.
  if (!tried.method_allowed && !tried.untouched) return {false, {}, "not-idempotent"};
  if (!tried.repeatable) return {false, {}, "body-beyond-buffer"};
  Duration pause = rules.backoff;
  for (std::uint32_t i = 0; i < tried.retries && pause < rules.max_backoff; ++i) pause *= 2;
  pause = std::min(pause, rules.max_backoff);
  // Half of it is certain, the other half is up to the dice, so that those who failed together don't come back together.
  pause = pause / 2 + Duration{static_cast<std::int64_t>(dice.below(static_cast<std::uint64_t>(pause.count() / 2 + 1)))};
  if (tried.retry_after) {
    if (*tried.retry_after > rules.max_retry_after) return {false, {}, "retry-after-too-long"};
    pause = std::max(pause, *tried.retry_after);
  }
  if (pause >= tried.left) return {false, {}, "no-time-left"};
  return {true, pause, {}};
}

namespace {

void parse_methods(RetryRules& rules, config::Reader& r, diag::Sink& sink) {
  const config::Node* node = r.get("methods");
  if (node == nullptr) return;
  if (node->kind == config::Kind::Text && node->text == "idempotent") return;
  for (const auto& method : r.texts("methods")) {
    if (method.value.empty() || !http::all(method.value, http::kToken)) {
      sink.error("bad-method", method.span, "`" + method.value + "` is no method", "methods: idempotent, or a list such as [ GET, POST ]");
      continue;
    }
    std::string upper = method.value;
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    if (upper != method.value && http::method_of(upper) != http::Method::Other) {
      sink.error("bad-method", method.span, "`" + method.value + "` is no method", "methods are case-sensitive: write " + upper);
      continue;
    }
    if (method.value == "POST" || method.value == "PATCH" || method.value == "CONNECT")
      sink.warning("retry-not-idempotent", method.span, "`" + method.value + "` is not idempotent: what a target has done already may be done twice", "leave it out unless the service recognises repeated requests");
    rules.methods.push_back(method.value);
  }
}

}  // namespace

RetryRules::Budget parse_budget(RetryRules::Budget budget, const config::Node& node, diag::Sink& sink, const std::string& what) {
  config::Reader b(node, sink, what);
  if (const config::Node* share = b.get("share")) budget.share = config::as_share(*share, sink, "`share` of " + b.what()).value_or(budget.share);
  budget.min = static_cast<std::uint32_t>(b.integer("min", budget.min, 0, 1'000'000));
  budget.window = b.duration("window", budget.window);
  b.finish();
  return budget;
}

RetryRules parse_retry(const config::Node& node, diag::Sink& sink, const std::string& upstream) {
  RetryRules rules;
  config::Reader r(node, sink, "`retry` of upstream `" + upstream + "`");
  rules.max_retries = static_cast<std::uint32_t>(r.integer("max_retries", 1, 0, 100));
  if (const config::Node* on = r.get("on")) {
    rules.on = parse_outcomes(*on, sink, "`on` of `retry`");
  } else {
    rules.on.add(Failure::Connect);
    rules.on.add(Failure::Reset);
    rules.on.statuses.add(502, 503);
  }
  parse_methods(rules, r, sink);
  rules.per_try_timeout = r.duration("per_try_timeout");
  r.range("backoff", rules.backoff, rules.max_backoff);
  rules.max_retry_after = r.duration("max_retry_after", rules.max_retry_after);
  rules.buffer = r.size("buffer", ByteSize{rules.buffer}).bytes;
  if (rules.buffer > 16 * 1024 * 1024) sink.error("out-of-range", r.span_of("buffer"), "`buffer` is at most 16MiB: every request may need as much", "buffer: 64KiB");
  if (const config::Node* budget = r.get("budget")) rules.budget = parse_budget(rules.budget, *budget, sink, "`budget` of " + r.what());
  r.finish();
  return rules;
}

}  // namespace gatelab::balance
