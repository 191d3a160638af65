// SPDX-License-Identifier: Apache-2.0
// --secret MARK=VARIABLE of `replay` and `diff`. Main thread.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace gatelab::cli {

// The mark and the name of the variable; nullopt after a complaint.
std::optional<std::pair<std::string, std::string>> parse_marked_secret(const std::string& text);

}  // namespace gatelab::cli
