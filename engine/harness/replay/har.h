// SPDX-License-Identifier: Apache-2.0
// Exchanges as HAR 1.2, the clients' side, for browsers and other programs. Pure.
#pragma once

#include <string>

#include "harness/replay/recording.h"

namespace gatelab::harness {

// A file is har_begin, entries with ",\n" between them, har_end.
std::string har_begin(const std::string& version);
std::string har_entry(const RecordedExchange& exchange);
std::string har_end();

}  // namespace gatelab::harness
