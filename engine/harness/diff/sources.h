// SPDX-License-Identifier: Apache-2.0
// Where requests come from that are not made up: traffic and scenario files; and what both sides need before the first of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/diff/side.h"

namespace gatelab::harness::diff {

// Both configurations, to be looked at. Nothing is sent through these.
struct Pair {
  std::unique_ptr<policy::StateStore> states_a, states_b;
  std::shared_ptr<const gateway::Model> a, b;
};

// Makes issuers, stand-ins for keys, and what mocks say; then both models. nullopt: the sinks say why.
std::optional<Pair> get_ready(const Configuration& a, const Configuration& b, Common& common, diag::Sink& of_a, diag::Sink& of_b, std::vector<std::string>& notes);

// One probe: the requests of the client's side at the pace in which they came.
void add_traffic(const diag::SourcePtr& source, const std::vector<Replay::Secret>& secrets, Common& common, std::vector<Probe>& probes, diag::Sink& sink, std::vector<std::string>& notes);

// One probe a case: what its steps send, advance and break. Expectations are not looked at.
void add_scenarios(const std::vector<std::string>& paths, Common& common, std::vector<Probe>& probes, Tokens& tokens, diag::Sink& sink, std::vector<std::string>& notes);

}  // namespace gatelab::harness::diff
