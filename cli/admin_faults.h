// SPDX-License-Identifier: Apache-2.0
// Faults over the admin API (docs/faults.md): what GET, POST and DELETE of /faults say. Any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gateway/gateway.h"

namespace gatelab::cli {

// Those that are not over, as a JSON list.
std::string faults_json(const gateway::Gateway& gateway);
// `body`: a fault as scenarios have it, in JSON or YAML. ids: bad-fault, and those of Gateway::fault().
Status set_fault(gateway::Gateway& gateway, const std::string& body);
// Keys and values of a query: `target` or `upstream`, and `name`. Without either of the first two every fault is meant, without a
// name all of the target's. ids: unknown-key, bad-fault, no-such-fault.
using FaultQuery = std::vector<std::pair<std::string, std::string>>;
Status clear_faults(gateway::Gateway& gateway, const FaultQuery& query);

}  // namespace gatelab::cli
