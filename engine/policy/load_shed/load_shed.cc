// SPDX-License-Identifier: Apache-2.0
#include "policy/load_shed/load_shed.h"

#include <algorithm>

#include "policy/gated.h"

namespace gatelab::policy {
namespace {

std::vector<std::string_view> words() { return {"critical", "normal", "sheddable"}; }

class LoadShed final : public Gated {
 public:
  std::string_view kind() const noexcept override { return "load-shed"; }
  // Who comes first may depend on who it is.
  Phase phase() const noexcept override { return groups.empty() ? Phase::PreLimit : Phase::Limit; }

  Priority priority = Priority::Normal;
  std::vector<std::pair<std::string, Priority>> groups;  // in file order; the first that fits holds

 protected:
  std::string_view key_of(Input&) const noexcept override { return "all"; }
  const observe::Reason& refusal() const noexcept override { return observe::reason::kOverloaded; }
  Priority priority_of(const Input& in) const noexcept override {
    if (in.consumer != nullptr)
      for (const auto& [group, first] : groups)
        if (in.consumer->in_group(group)) return first;
    return priority;
  }
};

void parse_groups(LoadShed& policy, const config::Node& node, const Context& context) {
  if (node.kind != config::Kind::Map)
    return context.sink.error("wrong-type", node.span, "`groups` must be a map of groups to priorities, not " + std::string(config::kind_name(node.kind)), "groups: { gold: critical }");
  for (const config::Entry& entry : node.entries) {
    const bool known = std::any_of(context.consumers.all.begin(), context.consumers.all.end(), [&entry](const auto& c) { return c->in_group(entry.key); });
    if (!known) context.sink.error("unknown-group", entry.key_span, "no consumer is in a group `" + entry.key + "`", "groups are given to consumers under `consumers`");
    if (const auto choice = config::as_choice(*entry.value, context.sink, "the priority of group `" + entry.key + "`", words())) policy.groups.emplace_back(entry.key, static_cast<Priority>(*choice));
  }
}

}  // namespace

std::unique_ptr<Policy> parse_load_shed(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `load-shed`");
  const std::size_t before = context.sink.errors();
  auto policy = std::make_unique<LoadShed>();
  GateRule& rule = policy->rule;
  r.require("max");
  rule.most = static_cast<std::uint32_t>(r.integer("max", 1, 1, 1'000'000));
  r.require("queue");
  parse_queue(*policy, r, 1);
  rule.target = r.duration("target", std::chrono::milliseconds(5));
  rule.interval = r.duration("interval", std::chrono::milliseconds(100));
  if (rule.interval < rule.target) context.sink.error("out-of-range", r.span_of("interval"), "`interval` is shorter than `target`: every wait would be over before it counts", "an interval of 20 times the target is usual");
  policy->priority = static_cast<Priority>(r.choice("priority", static_cast<std::size_t>(Priority::Normal), words()));
  if (const config::Node* groups = r.get("groups")) parse_groups(*policy, *groups, context);
  r.elsewhere("key", "it sheds whoever they are from: a limit for each key is the policy `concurrency`");
  for (const std::string_view wrong : {"limit", "max_in_flight", "max_concurrency"}) r.elsewhere(wrong, "write max: 100");
  const std::string said = "; " + std::to_string(rule.most) + " " + std::to_string(rule.queue) + " " + std::to_string(rule.target.count()) + " " + std::to_string(rule.interval.count());
  policy->gate = obtain_gate(rule, r, context, "load-shed", said, "`max`, `queue`, `target` and `interval`");
  r.finish();
  if (!r.valid() || context.sink.errors() != before) return nullptr;
  return policy;
}

}  // namespace gatelab::policy
