// SPDX-License-Identifier: Apache-2.0
// The data of `load` steps: read and held against what the requests ask of it before anything runs. Any thread.
#pragma once

#include <string>

#include "harness/load/template.h"
#include "harness/scenario/load_spec.h"

namespace gatelab::harness {

// The rows that `spec` names, relative to `directory`, which ends with its slash; nothing if it names none. ids: those of the
// files, bad-data.
Result<load::Data> read_load_data(const LoadSpec& spec, const io::Files& files, const std::string& directory);
// One request of a flow; `saved` grows by what it saves. ids: unknown-data, bad-data.
Result<load::Template> template_of(std::string octets, const Send& send, const load::Data& data, std::vector<std::string>& saved);

// Reports, for each step whose text is known before the case runs.
void check_loads(const File& file, const io::Files& files, diag::Sink& sink);

}  // namespace gatelab::harness
