// SPDX-License-Identifier: Apache-2.0
#include "policy/concurrency/concurrency.h"

#include "policy/gated.h"
#include "policy/limit_key.h"

namespace gatelab::policy {
namespace {

class Concurrency final : public Gated {
 public:
  std::string_view kind() const noexcept override { return "concurrency"; }
  Phase phase() const noexcept override { return key.phase(); }
  std::string_view key_field() const noexcept override { return key.field(); }

  // Everyone together: nobody's fault but the load's.
  bool is_common() const noexcept { return key.by == LimitKey::By::Constant || key.by == LimitKey::By::Route; }

  LimitKey key;

 protected:
  std::string_view key_of(Input& in) const noexcept override { return key.read(in); }
  const observe::Reason& refusal() const noexcept override { return is_common() ? observe::reason::kOverloaded : observe::reason::kConcurrencyLimited; }
};

// { min: 5, initial: 20, tolerance: 1.5 }: `max` is the most that it may become.
void parse_adaptive(Concurrency& policy, const config::Node& node, diag::Sink& sink) {
  config::Reader r(node, sink, "`adaptive` of policy `concurrency`");
  const auto most = static_cast<std::int64_t>(policy.rule.most);
  policy.rule.least = static_cast<std::uint32_t>(r.integer("min", 1, 1, most));
  policy.rule.initial = static_cast<std::uint32_t>(r.integer("initial", most, static_cast<std::int64_t>(policy.rule.least), most));
  if (const config::Node* tolerance = r.get("tolerance")) {
    const auto value = config::as_number(*tolerance, sink, "`tolerance` of `adaptive`");
    if (value && (*value < 1 || *value > 10)) sink.error("out-of-range", tolerance->span, "`tolerance` of `adaptive` must be from 1 to 10, not " + tolerance->text);
    else if (value) policy.rule.tolerance = *value;
  }
  // What it has learnt of a key is kept, and there must be few of them.
  if (!policy.is_common()) sink.error("no-effect", node.span, "`adaptive` finds out what an upstream bears, and that is not a single client's doing", "key: route, or key: constant");
  r.finish();
}

}  // namespace

std::unique_ptr<Policy> parse_concurrency(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `concurrency`");
  const std::size_t before = context.sink.errors();
  auto policy = std::make_unique<Concurrency>();
  r.require("max");
  policy->rule.most = static_cast<std::uint32_t>(r.integer("max", 1, 1, 1'000'000));
  if (const config::Node* key = r.require("key")) policy->key = parse_limit_key(*key, "concurrency", context.sink);
  parse_queue(*policy, r, 0);
  if (const config::Node* adaptive = r.get("adaptive")) parse_adaptive(*policy, *adaptive, context.sink);
  for (const std::string_view wrong : {"limit", "max_in_flight", "max_concurrency"}) r.elsewhere(wrong, "write max: 10");
  const GateRule& rule = policy->rule;
  const std::string said = policy->key.shape() + "; " + std::to_string(rule.most) + " " + std::to_string(rule.least) + " " + std::to_string(rule.initial) + " " + std::to_string(rule.tolerance) + " " + std::to_string(rule.queue);
  policy->gate = obtain_gate(rule, r, context, "concurrency", said, "`max`, `key`, `queue` and `adaptive`");
  r.finish();
  if (!r.valid() || context.sink.errors() != before) return nullptr;
  return policy;
}

}  // namespace gatelab::policy
