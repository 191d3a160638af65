// SPDX-License-Identifier: Apache-2.0
// `issuers:`: what policies know of them, and the upstreams that key sets are fetched from. Private to the room.
#pragma once

#include "gateway/model_files.h"

namespace gatelab::gateway {

// Adds one upstream for each key set that is fetched, behind those of the file; none can be named by a route.
policy::Issuers parse_issuers(const config::Node* node, const ModelInput& input, Model& model, ModelFiles& files, diag::Sink& sink);

}  // namespace gatelab::gateway
