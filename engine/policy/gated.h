// SPDX-License-Identifier: Apache-2.0
// What concurrency and load-shed have in common: a place in a gate from step() to on_end(). They differ in who is told
// apart, who comes first, and in the answer. Immutable but for the gate; any thread.
#pragma once

#include <memory>
#include <string_view>

#include "policy/catalog.h"
#include "policy/gate.h"

namespace gatelab::policy {

class Gated : public Policy {
 public:
  Step step(Input& in) const noexcept override;
  void undo(Input& in) const noexcept override;
  void on_end(Input& in, const observe::Record& record) const noexcept override;

  GateRule rule;
  Duration max_wait{};
  bool abort_on_half_close = false;
  std::shared_ptr<Gate> gate;

 protected:
  virtual std::string_view key_of(Input& in) const noexcept = 0;
  virtual Priority priority_of(const Input&) const noexcept { return Priority::Normal; }
  virtual const observe::Reason& refusal() const noexcept = 0;

 private:
  Step go_in(Input& in, const Gate::Seen& seen) const noexcept;
  Step turn_away(Input& in, std::string_view why) const noexcept;
};

// `queue`, at least so long, `max_wait` and `abort_on_half_close` of such a policy.
void parse_queue(Gated& policy, config::Reader& r, std::uint32_t shortest);
// The gate of `pool`, which policies share that say the same (`said`, told as `what`), or the policy's own.
std::shared_ptr<Gate> obtain_gate(const GateRule& rule, config::Reader& r, Context& context, std::string_view kind, const std::string& said, std::string_view what);

}  // namespace gatelab::policy
