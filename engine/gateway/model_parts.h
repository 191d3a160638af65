// SPDX-License-Identifier: Apache-2.0
// The parts of a configuration that belong to the gateway itself. Private to the room.
#pragma once

#include "gateway/model.h"
#include "gateway/model_files.h"

namespace gatelab::gateway {

// The key `address`, which must be there; the empty address when it is missing or wrong.
Address parse_required_address(config::Reader& r, diag::Sink& sink);
std::vector<ListenerConfig> parse_listeners(const config::Node* list, diag::Sink& sink);
// `host`, `strip_prefix` and `rewrite_prefix` of a route. `match` says what `true` strips.
void parse_forwarding(RouteConfig& route, const route::Match& match, const std::vector<ListenerConfig>& listeners, config::Reader& r, diag::Sink& sink);
AdminConfig parse_admin(const config::Node& node, diag::Sink& sink);
std::optional<StateConfig> parse_state(const config::Node& node, const ModelFiles& files, diag::Sink& sink);
// Gives an upstream's targets the states that they had in the configuration before, or fresh ones.
void keep_targets(upstream::Config& upstream, policy::StateStore& states);
// Adds the upstream that spans go to.
TraceConfig parse_trace(const config::Node& node, Model& model, diag::Sink& sink);
// `random`: keys of hashes that the file gives none for.
LogConfig parse_log(const config::Node& node, Random random, diag::Sink& sink);

}  // namespace gatelab::gateway
