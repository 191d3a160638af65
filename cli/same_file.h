// SPDX-License-Identifier: Apache-2.0
// Whether a command would write one of its files over another: over one that it reads, or two results into one. Main thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace gatelab::cli {

// What the command line calls it ("--save"), and its path; empty, or "-": none.
using NamedFile = std::pair<std::string, std::string>;

// One file by two names: links are followed, a file need not be there yet. Pipes and devices take whatever comes and are never the same.
bool is_same_file(const std::string& a, const std::string& b);

// False after a complaint. Reads nothing of the files and writes nothing.
bool each_of_its_own(const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs);

}  // namespace gatelab::cli
