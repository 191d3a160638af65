// SPDX-License-Identifier: Apache-2.0
// Faults over the admin API (docs/faults.md): what GET, POST and DELETE of /faults say. Any thread.
#pragma once

#include <string>

#include "gateway/gateway.h"

namespace gatelab::cli {

// Those that are not over, as a JSON list.
std::string faults_json(const gateway::Gateway& gateway);
// `body`: a fault as scenarios have it, in JSON or YAML. ids: bad-fault, and those of Gateway::fault().
Status set_fault(gateway::Gateway& gateway, const std::string& body);
// `target` empty: every fault; `name` empty: all of the target's.
Status clear_faults(gateway::Gateway& gateway, const std::string& target, const std::string& name);

}  // namespace gatelab::cli
