// SPDX-License-Identifier: Apache-2.0
#include "cli/marked_secret.h"

#include <fmt/core.h>

#include "cli/cli.h"

namespace gatelab::cli {

std::optional<std::pair<std::string, std::string>> parse_marked_secret(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals != std::string::npos) return std::pair(text.substr(0, equals), text.substr(equals + 1));
  complain(fmt::format("--secret {}: write MARK=VARIABLE, the twelve digits of <redacted:0123456789ab> and the variable of the environment that has the secret", text));
  return std::nullopt;
}

}  // namespace gatelab::cli
