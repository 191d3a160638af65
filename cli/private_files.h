// SPDX-License-Identifier: Apache-2.0
// What gatelab keeps for this user alone: keys for development, in a directory that is nobody else's business. Any thread, and
// several processes at once.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace gatelab::cli {

// $XDG_DATA_HOME/gatelab, else ~/.local/share/gatelab; empty when neither variable is set.
std::string data_directory();
// The text of that file, which is made by `make` if there is none: the directory 0700, the file 0600. Of two processes one
// wins, and neither ever reads half a file. Errors: private-file.
Result<std::string> private_file(const std::string& name, const std::function<Result<std::string>()>& make);

}  // namespace gatelab::cli
