// SPDX-License-Identifier: Apache-2.0
// What other programs have written of traffic, as exchanges: HAR 1.2, Postman collections v2.1, access logs (combined or a JSON
// object a line) and curl command lines. Which it is, its content says. They know the client's side only: no attempts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/replay/recording.h"
#include "harness/replay/redact.h"

namespace gatelab::harness {

enum class TrafficKind : std::uint8_t { Recording, Har, Postman, CombinedLog, JsonLog, Curl };
TrafficKind kind_of_traffic(std::string_view text);
std::string_view name_of(TrafficKind kind);

// A recording is read as it is. Nothing is redacted here. Errors say the file, the line or the member, and what to do.
// `known`: gets what the file itself says is a secret; may be null.
std::vector<RecordedExchange> import_traffic(const diag::SourcePtr& source, diag::Sink& sink, KnownSecrets* known = nullptr);

}  // namespace gatelab::harness
