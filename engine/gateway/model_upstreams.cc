// SPDX-License-Identifier: Apache-2.0
// What is known of targets lives longer than a configuration: breakers, health, ejection, budgets.
#include "gateway/model_parts.h"

namespace gatelab::gateway {
namespace {

struct KeptTarget final : policy::State {
  KeptTarget(const std::string& upstream, const std::string& target) : state(upstream, target) {}
  upstream::TargetState state;
};

struct KeptUpstream final : policy::State {
  upstream::UpstreamState state;
};

}  // namespace

void keep_targets(upstream::Config& upstream, policy::StateStore& states) {
  if (!upstream.keeps_state() && upstream.retry.max_retries == 0 && !upstream.hedge) return;
  auto kept = states.obtain<KeptUpstream>("upstream " + upstream.name, "", [] { return new KeptUpstream; });
  upstream.state = std::shared_ptr<upstream::UpstreamState>(kept, &kept->state);
  if (!upstream.keeps_state()) return;
  for (upstream::TargetConfig& target : upstream.targets) {
    // Another place, or other TLS settings, is another target, whatever its name.
    const std::string shape = upstream::place_of(target) + "\n" + upstream.tls_scope;
    auto one = states.obtain<KeptTarget>("target " + upstream.name + "/" + target.name, shape, [&] { return new KeptTarget(upstream.name, target.name); });
    target.state = std::shared_ptr<upstream::TargetState>(one, &one->state);
  }
}

}  // namespace gatelab::gateway
