// SPDX-License-Identifier: Apache-2.0
#include "policy/anonymous/anonymous.h"

namespace gatelab::policy {
namespace {

class Anonymous final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "anonymous"; }
  Phase phase() const noexcept override { return Phase::Authenticate; }
  bool authenticates() const noexcept override { return true; }

  Step step(Input& in) const noexcept override {
    in.consumer = consumer;
    in.principal_by = kind();
    return Step::go_on(in.detailed && consumer != nullptr ? in.arena.concat("consumer ", consumer->name) : std::string_view());
  }

  const Consumer* consumer = nullptr;
};

}  // namespace

const Consumer* named_consumer(config::Reader& r, const Context& context) {
  const auto name = r.text("consumer");
  if (!name) return nullptr;
  const Consumer* found = context.consumers.find(*name);
  if (found != nullptr) return found;
  diag::Diagnostic d;
  d.id = "unknown-consumer";
  d.message = "there is no consumer `" + *name + "`";
  d.span = r.span_of("consumer");
  std::vector<std::string_view> names;
  for (const auto& consumer : context.consumers.all) names.push_back(consumer->name);
  const std::string_view near = diag::nearest(*name, names);
  if (!near.empty()) d.note = "did you mean `" + std::string(near) + "`?";
  d.hint = "consumers are listed under `consumers`";
  context.sink.report(std::move(d));
  return nullptr;
}

std::unique_ptr<Policy> parse_anonymous(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `anonymous`");
  auto policy = std::make_unique<Anonymous>();
  policy->consumer = named_consumer(r, context);
  r.finish();
  if (!r.valid()) return nullptr;
  return policy;
}

}  // namespace gatelab::policy
