// SPDX-License-Identifier: Apache-2.0
// The users of an htpasswd file. Immutable once read; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "diag/diagnostic.h"

namespace gatelab::policy {

struct Users {
  std::map<std::string, std::string, std::less<>> hashes;  // by user
  std::string slowest;  // a hash that costs as much as any: for users that are not there
};
// `name` is the file's, for messages; they stand at `span`, and say which line is meant.
Users parse_htpasswd(std::string_view text, const std::string& name, const diag::Span& span, diag::Sink& sink);

}  // namespace gatelab::policy
