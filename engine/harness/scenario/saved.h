// SPDX-License-Identifier: Apache-2.0
// `save` of a step: parts of an answer that later steps speak of as $(saved.name). Pure.
#pragma once

#include <map>
#include <string>

#include "harness/scenario/client.h"
#include "harness/scenario/run_case.h"

namespace gatelab::harness {

// Into `saved`; what the answer does not have is a failure.
void save_from(const Answer& answer, const Send& send, const diag::Span& span, std::map<std::string, config::Node>& saved, CaseResult& result);

}  // namespace gatelab::harness
